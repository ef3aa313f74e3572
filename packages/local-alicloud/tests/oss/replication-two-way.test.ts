/** Two rules, one in each direction. */
import type { Client, OssFixture } from "./oss-fixture";
import { contentOf, HANGZHOU, replicate, ruleTo, startReplicating } from "./replication-fixture";

const SOURCE = { bucket: "two-way-source" };
const DESTINATION = { bucket: "two-way-destination", region: HANGZHOU };
const BACK = { location: "oss-cn-shanghai" };
let fixture: OssFixture;
let source: Client;
let destination: Client;
beforeEach(async () => {
  fixture = await startReplicating();
  source = await fixture.bucket(SOURCE.bucket);
  destination = await fixture.bucket(DESTINATION.bucket, HANGZHOU);
  await replicate(fixture, SOURCE, ruleTo(DESTINATION.bucket));
  await replicate(fixture, DESTINATION, ruleTo(SOURCE.bucket, BACK));
});
afterEach(() => fixture.stop());

const put = (client: Client, key: string, text: string) => client.put(key, Buffer.from(text));

test("each bucket has the objects of the other, and no object returns", async () => {
  await put(source, "a", "from source");
  await put(destination, "b", "from destination");
  await fixture.oss.settled();
  await fixture.oss.settled();
  for (const client of [source, destination])
    expect([await contentOf(client, "a"), await contentOf(client, "b")]).toEqual(["from source", "from destination"]);
  expect(fixture.events.filter(({ eventName }) => eventName.startsWith("ObjectReplication:"))).toHaveLength(2);
});

test("changing or deleting a replica applies to both buckets", async () => {
  await put(source, "a", "one");
  await put(source, "b", "one");
  await put(source, "c", "one");
  await fixture.oss.settled();
  await put(destination, "a", "two");
  await destination.delete("b");
  await destination.putObjectTagging("c", { t: "1" });
  await fixture.oss.settled();
  expect([await contentOf(source, "a"), await contentOf(source, "b")]).toEqual(["two", undefined]);
  expect((await source.getObjectTagging("c")).tag).toEqual({ t: "1" });
  await put(source, "a", "three");
  await fixture.oss.settled();
  expect(await contentOf(destination, "a")).toBe("three");
});

test("an object whose replica was changed is not a replica in its own bucket", async () => {
  const third = await fixture.bucket("two-way-third");
  await replicate(fixture, SOURCE, ruleTo("two-way-third", BACK));
  await put(source, "key", "x");
  await fixture.oss.settled();
  await destination.putObjectTagging("key", { by: "destination" });
  await fixture.oss.settled();
  await source.putObjectTagging("key", { by: "source" });
  await fixture.oss.settled();
  expect((await third.getObjectTagging("key")).tag).toEqual({ by: "source" });
});

test("of two concurrent writes one stays in both buckets", async () => {
  for (let round = 0; round < 10; round++) {
    await Promise.all([put(source, "key", `s${round}`), put(destination, "key", `d${round}`)]);
    await fixture.oss.settled();
    expect(await contentOf(destination, "key")).toBe(await contentOf(source, "key"));
  }
});
