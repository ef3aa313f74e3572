import { STATUS_TAG } from "../../../runtime/replication/snapshot";
import { setStatusTag } from "../../../runtime/replication/status-tags";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { makeSnapshot } from "../support/make-snapshot";

async function withObject(tags: Record<string, string>, versioned = false) {
  const store = new MemoryStore({ clock: new VirtualTime(), versioned });
  const { etag, versionId } = await store.put("k", Buffer.from("1"), {
    sizeBytes: 1,
    attributes: { headers: {}, metadata: {}, tags },
  });
  return { store, snapshot: makeSnapshot({ etag, ...(versionId === undefined ? {} : { versionId }) }) };
}

test("set beside the tags that are there", async () => {
  const { store, snapshot } = await withObject({ team: "red" });
  await setStatusTag(store, "k", snapshot, "PENDING");
  expect(await store.getTags("k")).toEqual({ team: "red", [STATUS_TAG]: "PENDING" });
});

test("changed in its place", async () => {
  const { store, snapshot } = await withObject({ [STATUS_TAG]: "PENDING" });
  await setStatusTag(store, "k", snapshot, "COMPLETED");
  expect(await store.getTags("k")).toEqual({ [STATUS_TAG]: "COMPLETED" });
});

test("set already: nothing is written, so that the tag's own event causes no other write", async () => {
  const { store, snapshot } = await withObject({ [STATUS_TAG]: "COMPLETED" });
  await setStatusTag(store, "k", snapshot, "COMPLETED");
  expect(store.calls.putTags).toBeUndefined();
});

test("exactly the version that was replicated is tagged", async () => {
  const { store, snapshot } = await withObject({ team: "red" }, true);
  await store.put("k", Buffer.from("2"), { sizeBytes: 1, attributes: { headers: {}, metadata: {}, tags: { team: "blue" } } });
  await setStatusTag(store, "k", snapshot, "COMPLETED");
  expect(await store.getTags("k")).toEqual({ team: "blue" });
});

const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, "1"]));

test("an object whose owner uses all ten tags gets none", async () => {
  const { store, snapshot } = await withObject(tags(10));
  await setStatusTag(store, "k", snapshot, "FAILED");
  expect(await store.getTags("k")).toEqual(tags(10));
});

test("the tenth tag may be the status, and then it is changed", async () => {
  const { store, snapshot } = await withObject(tags(9));
  await setStatusTag(store, "k", snapshot, "PENDING");
  await setStatusTag(store, "k", snapshot, "FAILED");
  expect(await store.getTags("k")).toEqual({ ...tags(9), [STATUS_TAG]: "FAILED" });
});
