import { areOpposite } from "../../components/declare-bridge";
import { recordResources } from "../support/record-resources";
import { declare, quietly, type Variation } from "./bridge-fixture";

beforeEach(quietly);

const there = {} satisfies Variation;
const back = {
  source: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there", adopt: true },
  destination: { cloud: "aws", region: "us-east-1", bucket: "from-here", adopt: true },
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

test("two bridges that create one bucket: the error names both and the setting", async () => {
  const { message } = (await errorOf(there, { destination: { bucket: "another" } })) as Error;
  expect(message).toBe(
    "The configuration has an error:\n" +
      '  the bridges "there" and "back" both create the bucket aws:from-here; allowed: another bucket, or adopt: true in both with a bucket that exists',
  );
  expect(await errorOf(there, { source: { adopt: true }, destination: { bucket: "another" } })).toBeUndefined();
});

describe("triggers of one OSS bucket", () => {
  const from = (bucket: string, prefixes: string[], suffixes: string[] = []) =>
    ({
      source: { cloud: "alicloud", region: "cn-shanghai", bucket: "kept-shanghai", adopt: true },
      destination: { bucket: `to-${bucket}` },
      scope: { prefixes, suffixes },
    }) satisfies Variation;

  test.each<[string, Variation, Variation, boolean]>([
    ["no scopes", from("a", []), from("b", []), false],
    ["prefixes inside one another", from("a", ["x/"]), from("b", ["x/y/"]), false],
    ["other prefixes", from("a", ["x/"]), from("b", ["y/"]), true],
    ["several prefixes, which one trigger cannot filter by", from("a", ["x/", "z/"]), from("b", ["y/"]), false],
    ["other suffixes", from("a", [], [".pdf"]), from("b", [], [".jpg"]), true],
    ["suffixes at the end of one another", from("a", [], [".tar.gz"]), from("b", [], [".gz"]), false],
  ])("%s", async (_, first, second, allowed) => {
    const error = await errorOf(first, second);
    if (allowed) expect(error).toBeUndefined();
    else
      expect(error?.message).toContain(
        '"there" and "back" both take events of the same keys of alicloud:kept-shanghai, and OSS refuses',
      );
  });

  test("an eleventh bridge is refused, a tenth is not", async () => {
    const errors: string[] = [];
    await recordResources(() => {
      for (let index = 0; index < 11; index++) {
        try {
          declare(`n${index}`, from(`${index}`, [`${index}/`]));
        } catch (error) {
          errors.push((error as Error).message);
        }
      }
    });
    const problem = '"n10" is bridge 11 with the source alicloud:kept-shanghai, and an OSS bucket has at most 10 triggers';
    expect(errors).toEqual([expect.stringContaining(problem)]);
  });
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
