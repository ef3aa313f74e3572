/** Symbolic links and archived objects of OSS, through the adapter and through presigned URLs, as push and pull read them. */
import type OSS from "ali-oss";
import { createLeaseStore } from "../../../../runtime/replication/lease";
import { replicate } from "../../../../runtime/replication/replicate";
import { createSlots } from "../../../../runtime/replication/slots";
import { takeSnapshot } from "../../../../runtime/replication/snapshot";
import { storeSource } from "../../../../runtime/replication/source";
import { createSourceReader } from "../../../../runtime/replication/source-reader";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import { createOssDispatcher } from "../../../../runtime/stores/oss/client";
import { createOssStore, type OssStore } from "../../../../runtime/stores/oss/store";
import { VirtualTime } from "../../../support/virtual-time";
import { BRIDGE } from "../../support/make-snapshot";
import { type OssFixture, ROOT, SHANGHAI, startFixture } from "./local-oss";

const BUCKET = "links-and-archives";
const RESTORE_MS = 60_000;
/** How far the server's clock is ahead. */
let aheadMs = 0;
let fixture: OssFixture;
let dispatcher: ReturnType<typeof createOssDispatcher>;
let reader: ReturnType<typeof createSourceReader>;
let client: OSS;
let source: OssStore;

beforeAll(async () => {
  fixture = await startFixture({ now: () => Date.now() + aheadMs, restoreMs: RESTORE_MS });
  client = await fixture.bucket(BUCKET);
  dispatcher = createOssDispatcher({ ca: fixture.ca.toString() });
  const endpoint = fixture.oss.endpoints[SHANGHAI]?.public ?? "";
  // The reader connects to no private address but to one that is allowed as it is written.
  const presignEndpoint = endpoint.replace("localhost", "127.0.0.1");
  source = createOssStore({
    bucket: BUCKET,
    region: SHANGHAI,
    versioned: false,
    credentials: async () => ROOT,
    endpoint,
    presignEndpoint,
    dispatcher,
  });
  reader = createSourceReader({
    allowedSources: [{ origin: presignEndpoint, pathPrefix: `/${BUCKET}/` }],
    ca: fixture.ca.toString(),
  });
}, 120_000);
afterAll(async () => {
  await Promise.all([reader.close(), dispatcher.close()]);
  await fixture.stop();
});

const put = (key: string, text: string, headers: Record<string, string> = {}) => client.put(key, Buffer.from(text), { headers });
const link = (key: string, target: string, headers: Record<string, string> = {}) =>
  client.putSymlink(key, target, { headers } as unknown as OSS.PutSymlinkOptions);
const freeze = (key: string, storageClass: string) => put(key, "frozen", { "x-oss-storage-class": storageClass });
/** Only the cold classes have a tier. */
const restore = (key: string, type: string) => client.restore(key, { type } as OSS.RequestOptions);

describe.each(["push", "pull"] as const)("%s", (mode) => {
  const destination = new MemoryStore({ clock: new VirtualTime(), name: "destination" });
  const clock = new VirtualTime();
  const control = new MemoryStore({ clock, name: "control" });
  const leases = createLeaseStore(control, BRIDGE.bridgeId);
  const slots = createSlots(control, { bridgeId: BRIDGE.bridgeId, clock });

  async function run(key: string) {
    const snapshot = await takeSnapshot(source, key);
    const bound =
      mode === "push" ? storeSource(source, key) : reader.bind(await source.presignGet(key, { expiresInSeconds: 3600 }), key);
    return await replicate(key, snapshot, bound, {
      config: { ...BRIDGE, destinationPrefix: "", inlineLimitBytes: 1000, copiesAtOnce: 3 },
      destination,
      leases,
      slots,
      clock,
      newId: () => "x",
      signal: new AbortController().signal,
    });
  }
  const arrived = (key: string) => {
    const object = destination.snapshotOf(key);
    return object && { text: Buffer.from(object.bytes).toString(), type: object.headers.contentType, tags: object.tags };
  };

  test("of a link arrives what its reader gets: the target's bytes with the link's own headers, metadata and tags", async () => {
    await put("target", "one", { "x-oss-tagging": "of=target", "content-type": "text/plain" });
    await link("link", "target", { "content-type": "text/html", "x-oss-meta-of": "link" });
    expect(await run("link")).toEqual({ result: "replicated", bytesMoved: 3 });
    expect(arrived("link")).toEqual({ text: "one", type: "text/html", tags: {} });
    expect(destination.snapshotOf("link")?.metadata).toMatchObject({ of: "link" });
    expect(await run("link")).toEqual({ result: "unchanged" });
  });

  test("another target of the same link, and other bytes of the same target, are other states", async () => {
    await put("first", "first");
    await put("second", "second");
    await link("moving", "first");
    await run("moving");
    await link("moving", "second");
    expect(await run("moving")).toMatchObject({ result: "replicated" });
    expect(arrived("moving")).toMatchObject({ text: "second" });
    await put("second", "changed");
    expect(await run("moving")).toMatchObject({ result: "replicated" });
    expect(arrived("moving")).toMatchObject({ text: "changed" });
  });

  test("a link that leads nowhere is no absent object: its replica stays", async () => {
    await put("gone", "here");
    await link("dangling", "gone");
    await run("dangling");
    await client.delete("gone");
    await expect(run("dangling")).rejects.toMatchObject({
      kind: "Invalid",
      message: expect.stringMatching(/target .* does not exist/),
    });
    expect(arrived("dangling")).toMatchObject({ text: "here" });
  });

  test("an archived object waits for its restore, and is copied then", async () => {
    const key = `cold-of-${mode}`;
    await freeze(key, "ColdArchive");
    expect(await run(key)).toMatchObject({
      result: "rejected",
      reason: expect.stringMatching(/^archived as ColdArchive: restore it/),
    });
    await restore(key, "ColdArchive");
    expect(await run(key)).toMatchObject({ result: "waiting", waitsFor: "restore" });
    aheadMs += RESTORE_MS;
    expect(await run(key)).toEqual({ result: "replicated", bytesMoved: 6 });
  });

  test("of the class Archive only the read tells whether a restore is needed", async () => {
    const key = `archive-of-${mode}`;
    await freeze(key, "Archive");
    await expect(run(key)).rejects.toMatchObject({ kind: "Unsupported", message: expect.stringMatching(/archived: restore it/) });
    await restore(key, "Archive");
    expect(await run(key)).toMatchObject({ result: "waiting", reason: "archived as Archive, and being restored" });
    aheadMs += RESTORE_MS;
    expect(await run(key)).toMatchObject({ result: "replicated" });
  });
});
