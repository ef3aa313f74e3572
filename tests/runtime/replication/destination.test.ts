import { PROVENANCE_PREFIX } from "../../../runtime/protocol/control";
import { lookAt, planReplica, recordReplica, unchangedSince } from "../../../runtime/replication/destination";
import { firstDifference } from "../../../runtime/replication/equality";
import { readProvenance, withoutProvenance } from "../../../runtime/replication/provenance";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import { BridgeError, type BridgeErrorKind } from "../../../runtime/stores/errors";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { readAll } from "../../../runtime/stores/read-all";
import { VirtualTime } from "../../support/virtual-time";
import { BRIDGE, makeHead, makeSnapshot } from "../support/make-snapshot";

const open = (conditionalWrites = true) =>
  new MemoryStore({ clock: new VirtualTime(), capabilities: { conditionalWrites, conditionalCreate: conditionalWrites } });
const attributes = { headers: {}, metadata: {}, tags: { team: "red" } };

async function listed(store: MemoryStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list("")) keys.push(key);
  return keys;
}

const textAt = async (store: MemoryStore, key: string): Promise<string> =>
  (await readAll((await store.get(key)).body, 16_384)).toString("utf8");

test("lookAt: the head with its tags, or undefined", async () => {
  const store = open();
  expect(await lookAt(store, "k")).toBeUndefined();
  const { etag } = await store.put("k", Buffer.from("1"), { attributes, sizeBytes: 1 });
  expect(await lookAt(store, "k")).toMatchObject({ head: { etag, sizeBytes: 1 }, tags: { team: "red" } });
});

test("lookAt: deleted between its two reads is absent", async () => {
  const store = open();
  jest.spyOn(store, "head").mockResolvedValue(makeHead());
  expect(await lookAt(store, "k")).toBeUndefined();
});

test("lookAt: any other failure is passed on, absence is never guessed", async () => {
  const store = open();
  await store.put("k", Buffer.from("1"), { attributes, sizeBytes: 1 });
  jest.spyOn(store, "getTags").mockRejectedValue(new Error("no right to read tags"));
  await expect(lookAt(store, "k")).rejects.toThrow("no right to read tags");
});

test("lookAt: the signal reaches the store", async () => {
  await expect(lookAt(open(), "k", AbortSignal.abort())).rejects.toMatchObject({ kind: "Unavailable" });
});

test("unchangedSince: the condition that the object is the one seen, where the store can check it", () => {
  const seen = { head: makeHead({ etag: "d7" }), tags: {} };
  expect(unchangedSince(open(), seen)).toEqual({ ifMatch: "d7" });
  expect(unchangedSince(open(), undefined)).toEqual({ ifAbsent: true });
  expect(unchangedSince(open(false), seen)).toBeUndefined();
  expect(unchangedSince(open(false), undefined)).toBeUndefined();
});

describe("planReplica", () => {
  const full = "m".repeat(2048 - "big".length);

  test("everything that belongs to the object, and the provenance", () => {
    const { attributes: planned, recorded } = planReplica(
      { destination: open(), bridge: BRIDGE, key: "k" },
      makeSnapshot(),
      undefined,
    );
    expect(planned.headers).toEqual({ contentType: "text/plain" });
    expect(planned.tags).toEqual({ team: "red" });
    expect(withoutProvenance(planned.metadata)).toEqual({ author: "someone" });
    expect(readProvenance(planned.metadata)).toMatchObject({ bridgeId: "bridge", sourceVersion: "e1" });
    expect(recorded).toBeUndefined();
  });

  test.each([0, 100, 2000, 2048])("metadata of %d bytes is written whole, and read again with its provenance", async (bytes) => {
    const destination = open();
    const context = { destination, bridge: BRIDGE, key: "k" };
    const metadata: Record<string, string> = bytes === 0 ? {} : { big: "m".repeat(bytes - 3) };
    const snapshot = makeSnapshot({ metadata });
    const replica = planReplica(context, snapshot, undefined);
    const { etag } = await destination.put("k", Buffer.from("123456"), { attributes: replica.attributes, sizeBytes: 6 });
    const record = await recordReplica(context, replica, etag);
    expect(record === undefined).toBe(bytes < 2000);
    for (const seen of [await lookAt(destination, "k"), await lookAt(destination, "k", undefined, record)]) {
      if (seen === undefined) throw new Error("nothing was written");
      expect(firstDifference(snapshot, seen, BRIDGE)).toBeUndefined();
    }
    expect(destination.calls.get ?? 0).toBe(bytes < 2000 ? 0 : 1);
    expect((await takeSnapshot(destination, "k"))?.metadata).toEqual((await lookAt(destination, "k"))?.head.metadata);
  });

  test("a record counts only for the object that it names", async () => {
    const destination = open();
    const context = { destination, bridge: BRIDGE, key: "k" };
    const snapshot = makeSnapshot({ metadata: { big: full } });
    const replica = planReplica(context, snapshot, undefined);
    const write = (bytes: string) =>
      destination.put("k", Buffer.from(bytes), { attributes: replica.attributes, sizeBytes: bytes.length });
    await recordReplica(context, replica, (await write("123456")).etag);
    await write("654321");
    const seen = await lookAt(destination, "k");
    expect(seen && firstDifference(snapshot, seen, BRIDGE)?.what).toBe("owner");
    const moved = await lookAt(destination, "k", undefined, { version: 1, key: "k", etag: "else", provenance: "" });
    expect(moved && readProvenance(moved.head.metadata)).toBeUndefined();
  });

  test.each<BridgeErrorKind>(["Unavailable", "PermissionDenied", "RateLimited"])(
    "a record that is not read because of %s is a failure: it may be there",
    async (kind) => {
      const destination = open();
      const context = { destination, bridge: BRIDGE, key: "k" };
      const replica = planReplica(context, makeSnapshot({ metadata: { big: full } }), undefined);
      await destination.put("k", Buffer.from("1"), { attributes: replica.attributes, sizeBytes: 1 });
      jest.spyOn(destination, "get").mockRejectedValue(new BridgeError(kind, "get", "simulated"));
      await expect(lookAt(destination, "k")).rejects.toMatchObject({ kind });
    },
  );

  test("a record of another key, or a damaged one, counts as none", async () => {
    const destination = open();
    const context = { destination, bridge: BRIDGE, key: "k" };
    const replica = planReplica(context, makeSnapshot({ metadata: { big: full } }), undefined);
    const { etag } = await destination.put("k", Buffer.from("1"), { attributes: replica.attributes, sizeBytes: 1 });
    await recordReplica(context, replica, etag);
    const [name = ""] = (await listed(destination)).filter((key) => key.startsWith(PROVENANCE_PREFIX));
    const whole = await textAt(destination, name);
    const provenanceAfter = async (record: string) => {
      await destination.put(name, Buffer.from(record), { attributes, sizeBytes: Buffer.byteLength(record) });
      const seen = await lookAt(destination, "k");
      return seen && readProvenance(seen.head.metadata);
    };
    expect(await provenanceAfter(whole)).toMatchObject({ bridgeId: BRIDGE.bridgeId });
    expect(await provenanceAfter(whole.replace('"key":"k"', '"key":"other"'))).toBeUndefined();
    expect(await provenanceAfter(whole.replace('"version":1', '"version":2'))).toBeUndefined();
    expect(await provenanceAfter("{")).toBeUndefined();
  });

  test("a replica at the source is recognised by its record, whichever bridge wrote it", async () => {
    const source = open();
    const other = { bridgeId: "back", sourceId: "aws:destination" };
    const replica = planReplica(
      { destination: source, bridge: other, key: "k" },
      makeSnapshot({ metadata: { big: full } }),
      undefined,
    );
    const { etag } = await source.put("k", Buffer.from("1"), { attributes: replica.attributes, sizeBytes: 1 });
    await recordReplica({ destination: source, key: "k" }, replica, etag);
    const snapshot = await takeSnapshot(source, "k");
    expect(snapshot && readProvenance(snapshot.metadata)).toMatchObject({ bridgeId: "back", origin: "aws:destination" });
  });
});
