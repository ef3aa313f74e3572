import { randomBytes } from "node:crypto";
import type OSS from "ali-oss";
import { ACCOUNT, type Client, type OssFixture } from "./oss-fixture";
import {
  contentOf,
  deleteRule,
  getRules,
  HANGZHOU,
  progress,
  type RuleFields,
  replicate,
  ruleTo,
  startReplicating,
} from "./replication-fixture";

const SOURCE = { bucket: "replicated-from" };
const DESTINATION = { bucket: "replicated-to", region: HANGZHOU };
const BACK = { location: "oss-cn-shanghai" };
let fixture: OssFixture;
let source: Client;
let destination: Client;
let aheadMs = 0;
beforeEach(async () => {
  aheadMs = 0;
  fixture = await startReplicating({ now: () => Date.now() + aheadMs });
  source = await fixture.bucket(SOURCE.bucket);
  destination = await fixture.bucket(DESTINATION.bucket, HANGZHOU);
});
afterEach(() => fixture.stop());

const forward = (more: RuleFields = {}) => replicate(fixture, SOURCE, ruleTo(DESTINATION.bucket, more));
const put = (client: Client, key: string, text: string) => client.put(key, Buffer.from(text));
const headersOf = async (client: Client, key: string) => {
  const { date: _1, "x-oss-request-id": _2, ...headers } = (await client.head(key)).res.headers as Record<string, string>;
  return headers;
};
const versionsOf = async (client: Client) => {
  const { objects, deleteMarker } = await client.getBucketVersions({});
  return [objects, deleteMarker].map((versions) => versions.map(({ versionId }) => versionId));
};
const told = () => fixture.events.filter(({ eventName }) => eventName.startsWith("ObjectReplication:"));

describe("an object", () => {
  test("is replicated with its attributes and its time", async () => {
    await forward();
    await source.put("dir/a +é", Buffer.from("hello"), {
      headers: {
        "Content-Type": "text/plain",
        "Cache-Control": "no-cache",
        "x-oss-meta-colour": "blue",
        "x-oss-tagging": "a=1",
        "x-oss-object-acl": "public-read",
        "x-oss-storage-class": "IA",
      },
    });
    await fixture.oss.settled();
    expect(await contentOf(destination, "dir/a +é")).toBe("hello");
    expect(await headersOf(destination, "dir/a +é")).toEqual(await headersOf(source, "dir/a +é"));
    expect((await destination.getObjectTagging("dir/a +é")).tag).toEqual({ a: "1" });
    expect((await destination.getACL("dir/a +é")).acl).toBe("public-read");
  });

  test.each<[string, () => Promise<unknown>, string, number]>([
    [
      "in parts",
      () => source.multipartUpload("key", randomBytes(250_000), { partSize: 102_400, parallel: 1 }),
      "Multipart",
      250_000,
    ],
    [
      "by appends",
      async () => {
        await source.append("key", Buffer.from("12"));
        await fixture.oss.settled();
        await source.append("key", Buffer.from("3"), { position: "2" });
      },
      "Appendable",
      3,
    ],
    [
      "as a link",
      async () => {
        await put(source, "target", "1234");
        await source.putSymlink("key", "target", {} as never);
      },
      "Symlink",
      4,
    ],
  ])("made %s stays so", async (_how, make, type, size) => {
    await forward();
    await make();
    await fixture.oss.settled();
    const headers = await headersOf(destination, "key");
    expect(headers).toEqual(await headersOf(source, "key"));
    expect(headers).toMatchObject({ "x-oss-object-type": type, "content-length": String(size) });
    expect((await destination.get("key")).content.equals((await source.get("key")).content)).toBe(true);
  });

  test("is replicated again when its tags or ACL change", async () => {
    await forward();
    await put(source, "key", "one");
    await fixture.oss.settled();
    await source.putObjectTagging("key", { b: "2" });
    await source.putACL("key", "public-read");
    await fixture.oss.settled();
    expect((await destination.getObjectTagging("key")).tag).toEqual({ b: "2" });
    expect((await destination.getACL("key")).acl).toBe("public-read");
    expect(told().map(({ eventName }) => eventName)).toEqual(["ObjectReplication:ObjectCreated"]);
  });

  test("outside the prefixes is not replicated", async () => {
    await forward({ PrefixSet: { Prefix: ["a/", "b/"] } });
    for (const key of ["a/1", "b/1", "c/1", "a"]) await put(source, key, "x");
    await fixture.oss.settled();
    expect((await destination.list({ "max-keys": 10 }, {})).objects.map(({ name }) => name)).toEqual(["a/1", "b/1"]);
  });

  test("overwrites an object of the destination", async () => {
    await forward();
    await put(source, "key", "source");
    await fixture.oss.settled();
    await put(destination, "key", "destination");
    await put(source, "key", "source again");
    await fixture.oss.settled();
    expect(await contentOf(destination, "key")).toBe("source again");
  });

  test("reaches every destination", async () => {
    const twin = await fixture.bucket("replicated-twin");
    await forward();
    await replicate(fixture, SOURCE, ruleTo("replicated-twin", BACK));
    await put(source, "key", "x");
    await fixture.oss.settled();
    expect([await contentOf(destination, "key"), await contentOf(twin, "key")]).toEqual(["x", "x"]);
  });
});

describe("a deletion", () => {
  test.each<[string | undefined, string | undefined]>([
    ["ALL", undefined],
    ["PUT,DELETE", undefined],
    ["PUT", "x"],
  ])("under %s leaves %s", async (Action, left) => {
    await forward({ Action });
    await put(source, "key", "x");
    await fixture.oss.settled();
    await source.delete("key");
    await fixture.oss.settled();
    expect(await contentOf(destination, "key")).toBe(left);
  });

  test.each<[string, boolean]>([
    ["ALL", true],
    ["PUT", false],
  ])("of versions under %s: markers come along, a version that is named goes: %s", async (Action, goes) => {
    await source.putBucketVersioning(SOURCE.bucket, "Enabled");
    await destination.putBucketVersioning(DESTINATION.bucket, "Enabled");
    await forward({ Action });
    for (const text of ["one", "two", "three"]) await put(source, "key", text);
    await source.delete("key");
    await fixture.oss.settled();
    const [[three = "", two = "", one = ""] = [], [marker = ""] = []] = await versionsOf(source);
    expect(await versionsOf(destination)).toEqual([[three, two, one], [marker]]);
    expect(await contentOf(destination, "key")).toBeUndefined();
    await source.delete("key", { versionId: two } as OSS.RequestOptions);
    await source.delete("key", { versionId: marker } as OSS.RequestOptions);
    await fixture.oss.settled();
    expect(await versionsOf(destination)).toEqual(goes ? [[three, one], []] : [[three, two, one], [marker]]);
    expect(await contentOf(destination, "key")).toBe(goes ? "three" : undefined);
  });
});

describe("an object older than the rule", () => {
  test("is replicated with every version by default", async () => {
    for (const [client, { bucket }] of [
      [source, SOURCE],
      [destination, DESTINATION],
    ] as const) {
      await client.putBucketVersioning(bucket, "Enabled");
    }
    for (const text of ["one", "two"]) await put(source, "a", text);
    await put(source, "b", "gone");
    await source.delete("b");
    const id = await forward({ HistoricalObjectReplication: "enabled" });
    await fixture.oss.settled();
    expect(await versionsOf(destination)).toEqual(await versionsOf(source));
    expect(await progress(fixture, SOURCE, id)).toContain("<HistoricalObject>1</HistoricalObject>");
    expect(await getRules(fixture, SOURCE)).toContain("<HistoricalObjectReplication>enabled<");
  });

  test("is not replicated with `disabled`, also when its tags change", async () => {
    await put(source, "old", "x");
    // An object of the same millisecond as the rule would count as new.
    aheadMs = 10;
    await forward();
    await source.putObjectTagging("old", { a: "1" });
    await put(source, "new", "x");
    await fixture.oss.settled();
    expect([await contentOf(destination, "old"), await contentOf(destination, "new")]).toEqual([undefined, "x"]);
  });
});

describe("a replica", () => {
  test("is not replicated to a third bucket", async () => {
    const third = await fixture.bucket("replicated-third");
    await put(source, "before", "x");
    await forward({ HistoricalObjectReplication: "enabled" });
    await fixture.oss.settled();
    await replicate(fixture, DESTINATION, ruleTo("replicated-third", { ...BACK, HistoricalObjectReplication: "enabled" }));
    await put(source, "after", "x");
    await fixture.oss.settled();
    await destination.putObjectTagging("after", { a: "1" });
    await destination.delete("before");
    await put(destination, "own", "x");
    await fixture.oss.settled();
    expect(await contentOf(destination, "after")).toBe("x");
    expect((await third.list({ "max-keys": 10 }, {})).objects.map(({ name }) => name)).toEqual(["own"]);
  });

  test("does not pass its deletion on", async () => {
    const third = await fixture.bucket("replicated-third");
    await forward();
    await replicate(fixture, DESTINATION, ruleTo("replicated-third", BACK));
    await put(source, "key", "x");
    await fixture.oss.settled();
    await put(destination, "key", "own");
    await fixture.oss.settled();
    await source.delete("key");
    await fixture.oss.settled();
    expect([await contentOf(destination, "key"), await contentOf(third, "key")]).toEqual([undefined, "own"]);
  });

  test("emits events at the destination, with the size of a deletion", async () => {
    await forward();
    await put(source, "key", "123");
    await fixture.oss.settled();
    await put(source, "key", "1");
    await fixture.oss.settled();
    await source.delete("key");
    await fixture.oss.settled();
    expect(told().map(({ eventName, oss: { object } }) => [eventName, object.size, object.deltaSize])).toEqual([
      ["ObjectReplication:ObjectCreated", 3, 3],
      ["ObjectReplication:ObjectModified", 1, -2],
      ["ObjectReplication:ObjectRemoved", 0, -1],
    ]);
    expect(told()[0]).toMatchObject({
      region: HANGZHOU,
      oss: { bucket: { name: DESTINATION.bucket, arn: `acs:oss:${HANGZHOU}:${ACCOUNT}:${DESTINATION.bucket}` } },
      userIdentity: { principalId: ACCOUNT },
    });
    expect(fixture.events.filter(({ eventName }) => eventName.startsWith("ObjectCreated:"))).toHaveLength(2);
  });
});

test("a deleted rule replicates nothing, and a new rule begins from the start", async () => {
  const id = await forward();
  await put(source, "one", "x");
  await fixture.oss.settled();
  await deleteRule(fixture, SOURCE, id);
  await put(source, "two", "x");
  await fixture.oss.settled();
  expect(await contentOf(destination, "two")).toBeUndefined();
  await forward({ HistoricalObjectReplication: "enabled" });
  await fixture.oss.settled();
  expect(await contentOf(destination, "two")).toBe("x");
});
