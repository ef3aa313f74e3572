import type { LogLine, OperatedBridge } from "../../../operator/operated-bridge";
import { type ReadCopiesOptions, readCopies } from "../../../operator/overview/copies";
import { createLeaseStore, type Lease } from "../../../runtime/replication/lease";
import { CLOCK, FakeBridge, NO_ATTRIBUTES, nativeRaw, pullRaw } from "../backfill/fixture";

const NOW = CLOCK.now();
const read = (bridge: OperatedBridge, options: Partial<ReadCopiesOptions> = {}) =>
  readCopies(bridge, { nowMs: NOW, lines: [], signal: new AbortController().signal, ...options });

const lease = (key: string, more: Partial<Lease> = {}): Lease => ({
  ...{ version: 1, key, execution: `e-${key}`, snapshotId: "s", leaseUntilMs: NOW + 60_000, stop: false, reported: false },
  ...more,
});

async function leased(bridge: FakeBridge, ...leases: Lease[]): Promise<void> {
  const store = createLeaseStore(bridge.to, bridge.config.name);
  for (const one of leases) await store.write(one, undefined);
}

test("a copy with the parts that the destination has, under the source's key", async () => {
  const bridge = new FakeBridge(pullRaw(), { destinationPrefix: "from/" });
  await bridge.put("large", "x".repeat(12));
  const { uploadId } = await bridge.to.createUpload("from/large", { attributes: NO_ATTRIBUTES });
  for (const partNumber of [1, 2])
    await bridge.to.uploadPart("from/large", { uploadId, partNumber }, Buffer.from("12345"), { sizeBytes: 5 });
  await leased(bridge, lease("from/large", { upload: { uploadId, partSizeBytes: 5 } }));
  expect(await read(bridge)).toEqual([{ key: "large", sizeBytes: 12, movedBytes: 10, leaseUntilMs: NOW + 60_000 }]);
});

test("a copy in one stream, and one whose upload has ended, have no progress; the source may be gone", async () => {
  const bridge = new FakeBridge(pullRaw());
  await leased(bridge, lease("a"), lease("b", { upload: { uploadId: "gone", partSizeBytes: 5 } }));
  expect(await read(bridge)).toMatchObject([
    { key: "a", sizeBytes: undefined, movedBytes: undefined },
    { key: "b", movedBytes: undefined },
  ]);
});

test("a lease that has ended, one with an outcome, and a record of another kind are no copies", async () => {
  const bridge = new FakeBridge(pullRaw());
  await leased(bridge, lease("late", { leaseUntilMs: NOW - 1 }), lease("done", { outcome: { result: "replicated" } }));
  const text = Buffer.from("{}");
  const name = `.crossborderbridge/${bridge.config.name}/leases/other`;
  await bridge.to.put(name, text, { attributes: NO_ATTRIBUTES, sizeBytes: text.length });
  expect(await read(bridge)).toEqual([]);
});

test("at most fifty leases are read", async () => {
  const bridge = new FakeBridge(pullRaw());
  await leased(bridge, ...Array.from({ length: 60 }, (_, index) => lease(`k${index}`)));
  expect(await read(bridge)).toHaveLength(50);
});

test("in mode native the store itself copies", async () => {
  const bridge = new FakeBridge(nativeRaw());
  await leased(bridge, lease("a"));
  expect(await read(bridge)).toEqual([]);
});

test("an OSS destination: the copies that the log began and did not end", async () => {
  const bridge = new FakeBridge(pullRaw());
  const oss: OperatedBridge = Object.assign(bridge, { destination: { ...bridge.destination, cloud: "alicloud" as const } });
  const line = (message: string, fields: Record<string, unknown>): LogLine => ({ atMs: NOW, level: "info", message, fields });
  const lines = [
    line("copy begins", { key: "a", execution: "1", sizeBytes: 9 }),
    line("copy begins", { key: "b", execution: "2" }),
    line("copy ends", { key: "a", execution: "1", result: "replicated" }),
  ];
  expect(await read(oss, { lines })).toEqual([{ key: "b", sizeBytes: undefined }]);
});
