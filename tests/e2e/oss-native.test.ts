/** OSS's own replication as the example declares it, and a change of its scope. */
import { ends } from "../../local/cli/ends";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { openPairEnd, type PairEnd } from "./pairs/pair-end";
import { START_MS, UP_MS } from "./support/stack";

let local: LocalStack;
let source: PairEnd;
let destination: PairEnd;

beforeAll(async () => {
  local = await startLocalStack({ stack: "oss-native" });
  const both = ends(local);
  [source, destination] = [openPairEnd(both.source), openPairEnd(both.destination)];
}, START_MS);

afterAll(async () => {
  source?.close();
  destination?.close();
  await local?.stop();
}, UP_MS);

async function settled(): Promise<void> {
  await local.clouds.alicloud.oss.settled();
}

test("objects under its prefixes are replicated with their attributes, and others are not", async () => {
  const attributes = { metadata: { origin: "here" }, tags: { team: "data" } };
  await source.put("published/one", Buffer.from("1"), attributes);
  await source.put("drafts/one", Buffer.from("not yet"));
  await settled();
  expect(await destination.look("published/one")).toEqual(await source.look("published/one"));
  expect(await destination.look("published/one")).toMatchObject(attributes);
  expect(await destination.look("drafts/one")).toBeUndefined();
});

test(
  "`pulumi up` changes the prefixes, and existing objects are replicated as well",
  async () => {
    const { create = 0 } = local.changes;
    const scope = { prefixes: ["drafts/", "published/"] };
    // OSS cannot change a rule, so the rule is replaced.
    expect(await local.up({ "crossborderbridge:scope": scope })).toEqual({ replace: 1, same: create - 1 });
    await settled();
    expect(await destination.look("drafts/one")).toEqual(await source.look("drafts/one"));
    await source.put("drafts/two", Buffer.from("2"));
    await settled();
    expect(await destination.look("drafts/two")).toEqual(await source.look("drafts/two"));
    expect(await destination.versions("published/one")).toBe(1);
  },
  UP_MS,
);
