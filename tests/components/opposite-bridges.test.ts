import { areOpposite } from "../../components/opposite-bridges";
import { recordResources } from "../support/record-resources";
import { declare, quietly, type Variation } from "./bridge-fixture";

beforeEach(quietly);

const there = {} satisfies Variation;
const back = {
  source: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
  destination: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
} satisfies Variation;

/** The error of a program that declares both; undefined where it has none. */
async function errorOf(first: Variation, second: Variation): Promise<Error | undefined> {
  let caught: Error | undefined;
  await recordResources(() => {
    declare("there", first);
    try {
      declare("back", second);
    } catch (error) {
      caught = error as Error;
    }
  });
  return caught;
}

test("two bridges that copy the same keys in opposite directions: the error names both, their buckets and the way out", async () => {
  const { name, message } = (await errorOf(there, back)) as Error;
  expect(name).toBe("ConfigInvalid");
  expect(message).toContain('the bridges "there" and "back" copy the same keys in opposite directions');
  expect(message).toContain('"there" copies aws:from-here to aws-cn:to-there (scope.prefixes [""])');
  expect(message).toContain('"back" copies aws-cn:to-there to aws:from-here (scope.prefixes [""])');
  expect(message).toContain("Give each direction scope.prefixes of its own");
});

test("each direction with prefixes of its own is allowed", async () => {
  expect(await errorOf({ ...there, scope: { prefixes: ["a/"] } }, { ...back, scope: { prefixes: ["b/"] } })).toBeUndefined();
});

test("the bridges of another program do not count", async () => {
  await recordResources(() => void declare("there", there));
  await recordResources(() => void declare("back", back));
});

describe("the keys that count", () => {
  const one = (prefixes: string[], prefix = "") => ({
    source: { cloud: "aws", bucket: "x" },
    destination: { cloud: "aws-cn", bucket: "y", prefix },
    scope: { prefixes },
  });
  const other = (prefixes: string[], prefix = "") => ({
    source: { cloud: "aws-cn", bucket: "y" },
    destination: { cloud: "aws", bucket: "x", prefix },
    scope: { prefixes },
  });
  type Declared = Parameters<typeof areOpposite>[0];

  test.each<[string, object, object, boolean]>([
    ["no scopes", one([]), other([]), true],
    ["one scope", one(["a/"]), other([]), true],
    ["a scope inside the other", one(["a/"]), other(["a/b/"]), true],
    ["separate scopes", one(["a/"]), other(["b/"]), false],
    ["some of many", one(["a/", "b/"]), other(["c/", "b/x"]), true],
    ["prefixes that move the keys out of the other's scope", one(["a/"], "from-x/"), other(["a/"], "from-y/"), false],
    ["one prefix that moves the keys out", one(["a/"], "from-x/"), other(["a/"]), false],
    ["prefixes without scopes", one([], "from-x/"), other([], "from-y/"), true],
    ["another bucket", one([]), { ...other([]), source: { cloud: "aws-cn", bucket: "z" } }, false],
    ["the same name in another cloud", one([]), { ...other([]), source: { cloud: "alicloud", bucket: "y" } }, false],
    ["the same direction", one([]), one([]), false],
  ])("%s", (_name, a, b, expected) => {
    expect(areOpposite(a as Declared, b as Declared)).toBe(expected);
    expect(areOpposite(b as Declared, a as Declared)).toBe(expected);
  });
});
