import { physicalName } from "../../../components/aws/account";
import { statusTagOf } from "../../../runtime/replication/snapshot";
import { echoReason, setStatusTag } from "../../../runtime/replication/status-tags";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import { VirtualTime } from "../../support/virtual-time";
import { makeSnapshot } from "../support/make-snapshot";

const OWN = statusTagOf("bridge");
const OTHER = statusTagOf("other");

async function withObject(tags: Record<string, string>, versioned = false) {
  const store = new MemoryStore({ clock: new VirtualTime(), versioned });
  const { etag, versionId } = await store.put("k", Buffer.from("1"), {
    sizeBytes: 1,
    attributes: { headers: {}, metadata: {}, tags },
  });
  const snapshot = makeSnapshot({ etag, ...(versionId === undefined ? {} : { versionId }) });
  return { store, object: { bridgeId: "bridge", key: "k", snapshot } };
}

test("set beside the tags that are there, the tag of another bridge included", async () => {
  const { store, object } = await withObject({ team: "red", [OTHER]: "COMPLETED" });
  await setStatusTag(store, object, "PENDING");
  expect(await store.getTags("k")).toEqual({ team: "red", [OTHER]: "COMPLETED", [OWN]: "PENDING" });
});

test("its name names the bridge", () => {
  expect(statusTagOf("photos")).toBe("crossborderbridge-status-photos");
});

test("changed in its place", async () => {
  const { store, object } = await withObject({ [OWN]: "PENDING" });
  await setStatusTag(store, object, "COMPLETED");
  expect(await store.getTags("k")).toEqual({ [OWN]: "COMPLETED" });
});

test.each(["PENDING", "COMPLETED", "FAILED"] as const)("%s already: nothing is written", async (status) => {
  const { store, object } = await withObject({ [OWN]: status });
  await setStatusTag(store, object, status);
  expect(store.calls.putTags).toBeUndefined();
});

test("a key that is tried again after it was parked stays FAILED until it is COMPLETED", async () => {
  const { store, object } = await withObject({});
  for (const status of ["PENDING", "PENDING", "FAILED", "PENDING", "FAILED", "PENDING", "COMPLETED"] as const)
    await setStatusTag(store, object, status);
  expect(await store.getTags("k")).toEqual({ [OWN]: "COMPLETED" });
  expect(store.calls.putTags).toBe(3);
});

test("the tag of earlier versions, which all bridges shared, is removed with the first write", async () => {
  const { store, object } = await withObject({ "crossborderbridge-status": "COMPLETED", team: "red" });
  await setStatusTag(store, object, "PENDING");
  expect(await store.getTags("k")).toEqual({ team: "red", [OWN]: "PENDING" });
});

test("exactly the version that was replicated is tagged", async () => {
  const { store, object } = await withObject({ team: "red" }, true);
  await store.put("k", Buffer.from("2"), { sizeBytes: 1, attributes: { headers: {}, metadata: {}, tags: { team: "blue" } } });
  await setStatusTag(store, object, "COMPLETED");
  expect(await store.getTags("k")).toEqual({ team: "blue" });
});

const tags = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`t${index}`, "1"]));

test("an object whose owner uses all ten tags gets none", async () => {
  const { store, object } = await withObject(tags(10));
  await setStatusTag(store, object, "FAILED");
  expect(await store.getTags("k")).toEqual(tags(10));
});

test("the tenth tag may be the status, and then it is changed", async () => {
  const { store, object } = await withObject(tags(9));
  await setStatusTag(store, object, "PENDING");
  await setStatusTag(store, object, "FAILED");
  expect(await store.getTags("k")).toEqual({ ...tags(9), [OWN]: "FAILED" });
});

describe("which events of tags start nothing", () => {
  const on = { statusTags: true, ownPrincipal: "AROAOWN" };
  const off = { statusTags: false };
  const ours = physicalName("photos", "sender");

  test.each([
    ["no event of tags", undefined, on, undefined],
    ["the sender's own role", { principal: "AWS:AROAOWN:renamed-function" }, on, /^the bridge itself changed the tags$/],
    ["the same role without a session", { principal: "AWS:AROAOWN" }, on, /^the bridge itself/],
    ["a role whose id only begins like it", { principal: "AWS:AROAOWN2:deploy" }, on, undefined],
    ["the sender of another bridge", { principal: `AWS:AROAOTHER:${ours}` }, on, /^the sender of a bridge changed the tags$/],
    [
      "the sender of another bridge, without status tags here",
      { principal: `AWS:AROAOTHER:${ours}` },
      off,
      /^the sender of a bridge/,
    ],
    [
      "the receiver of a bridge, which writes what users wrote",
      { principal: `AWS:AROAOTHER:${physicalName("photos", "receiver")}` },
      on,
      undefined,
    ],
    ["a user", { principal: "AWS:AIDAUSER" }, on, undefined],
    ["a user with a role", { principal: "AWS:AROAUSER:alice" }, on, undefined],
    ["an account", { principal: "A3NL1KOZZKExample" }, on, undefined],
    ["nobody is named, with status tags", {}, on, /does not say who changed it/],
    ["nobody is named, without status tags", {}, off, undefined],
  ])("%s", (_name, tagging, config, reason) => {
    const found = echoReason({ tagging }, config);
    if (reason === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(reason);
  });
});
