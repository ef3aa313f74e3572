import { lookAt, replicaAttributes, unchangedSince } from "../../../runtime/replication/destination";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { BRIDGE, makeHead, makeSnapshot } from "../support/make-snapshot";

const open = (conditionalWrites = true) =>
  new MemoryStore({ clock: new VirtualTime(), capabilities: { conditionalWrites, conditionalCreate: conditionalWrites } });
const attributes = { headers: {}, metadata: {}, tags: { team: "red" } };

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

test("replicaAttributes: everything that belongs to the object, and the provenance", () => {
  const { headers, metadata, tags } = replicaAttributes(makeSnapshot(), BRIDGE, "k");
  expect(headers).toEqual({ contentType: "text/plain" });
  expect(tags).toEqual({ team: "red" });
  expect(metadata).toMatchObject({ author: "someone", "bridge-id": "bridge" });
});
