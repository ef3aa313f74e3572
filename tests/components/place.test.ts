/** A deployed bridge is not moved: the preview refuses it. */
import * as pulumi from "@pulumi/pulumi";
import { assertPlace, movesFrom, type Place } from "../../components/place";
import { STASH } from "../support/mock-clouds";
import { build, quietly, type Variation } from "./bridge-fixture";

beforeEach(quietly);

const FIRST: Place = { name: "b", source: { region: "us-east-1" }, destination: { region: "cn-north-1" } };
const WAY_OUT =
  'To move the bridge, run pulumi destroy first, or deploy another bridge in a new stack (docs/operations.md, "Moving a bridge")';

test("the first deployment keeps the name, the regions and the accounts, and no more", async () => {
  const { resources } = await build({ source: { accountId: "111111111111" } });
  const [stash, ...others] = resources.filter(({ type }) => type === STASH);
  expect(others).toEqual([]);
  expect(stash).toMatchObject({
    name: "b-place-aws-aws-cn",
    parent: "b",
    inputs: {
      input: {
        name: "b",
        source: { region: "us-east-1", accountId: "111111111111" },
        destination: { region: "cn-north-1" },
      },
    },
  });
});

test("the stash's name does not follow the bridge's", async () => {
  const { resources } = await build({ placeName: "place", name: "other" });
  expect(resources.filter(({ type }) => type === STASH).map(({ name }) => name)).toEqual(["place-aws-aws-cn"]);
});

test.each<[string, Variation]>([
  ["nothing new", {}],
  ["another bucket", { source: { bucket: "another" }, destination: { bucket: "more" } }],
  ["an account that is named now", { source: { accountId: "111111111111" } }],
])("a later deployment with %s is declared", async (_, variation) => {
  await expect(build(variation, { kept: FIRST })).resolves.toBeDefined();
});

test.each([undefined, null])("a stash that holds %s compares nothing", async (kept) => {
  await expect(build({}, { kept })).resolves.toBeDefined();
});

test("another name and region are refused with every problem, and without a stack", () => {
  const now: Place = { ...FIRST, name: "c", destination: { region: "cn-northwest-1" } };
  let error: unknown;
  try {
    assertPlace(FIRST, now);
  } catch (thrown) {
    error = thrown;
  }
  expect(pulumi.RunError.isInstance(error)).toBe(true);
  expect((error as Error).message.split("\n")).toEqual([
    "The configuration has 2 errors:",
    '  name = "c": this bridge is deployed with "b", and cannot be moved: its name is part of every ' +
      `resource's name and of every replica's provenance; allowed: b. ${WAY_OUT}`,
    '  destination.region = "cn-northwest-1": this bridge is deployed with "cn-north-1", and cannot be moved: names of ' +
      `buckets and roles exist once in all regions, so nothing can be created anew elsewhere; allowed: cn-north-1. ${WAY_OUT}`,
  ]);
});

test.each<[string, Partial<Place>, string[]]>([
  ["the source's region", { source: { region: "us-west-2" } }, ["source.region"]],
  ["the destination's account", { destination: { region: "cn-north-1", accountId: "222222222222" } }, []],
])("%s", (_, change, paths) => {
  const problems = movesFrom(FIRST, { ...FIRST, ...change });
  expect(problems.map((problem) => /^(\S+) = /.exec(problem)?.[1])).toEqual(paths);
});

test("an account that was named and is another one now is refused", () => {
  const at = (accountId: string): Place => ({ ...FIRST, source: { region: "us-east-1", accountId } });
  expect(movesFrom(at("111111111111"), at("222222222222"))).toEqual([
    expect.stringContaining('source.accountId = "222222222222": this bridge is deployed with "111111111111"'),
  ]);
});
