import { createLeaseStore, type Lease } from "../../../../runtime/replication/lease";
import { snapshotId, takeSnapshot } from "../../../../runtime/replication/snapshot";
import { Copier, type CopierDeps } from "../../../../runtime/roles/copier/copier";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import { VirtualTime } from "../../../support/virtual-time";
import { memoryReader } from "../../support/memory-reader";
import { recordingLogger } from "../../support/recording-logger";

const CONTENT = "abcdefghijk";
const deadline = { remainingMs: () => 900_000 };

async function open() {
  const clock = new VirtualTime();
  const source = new MemoryStore({ clock, name: "source" });
  const destination = new MemoryStore({ clock, capabilities: { minPartSizeBytes: 1 } });
  await source.put("k", Buffer.from(CONTENT), {
    sizeBytes: CONTENT.length,
    attributes: { headers: {}, metadata: {}, tags: {} },
  });
  const snapshot = await takeSnapshot(source, "k");
  if (snapshot === undefined) throw new Error("the source object is gone");
  const job = {
    execution: "x1",
    key: "k",
    sourceKey: "k",
    url: await source.presignGet("k", { expiresInSeconds: 60 }),
    snapshot,
  };
  const lease: Lease = {
    version: 1,
    key: "k",
    execution: "x1",
    snapshotId: snapshotId(snapshot),
    leaseUntilMs: clock.now() + 120_000,
    stop: false,
    reported: false,
  };
  const leases = createLeaseStore(destination, "bridge");
  await leases.write(lease, undefined);
  const deps: CopierDeps = {
    config: { bridgeId: "bridge", sourceId: "aws:source", timeoutSeconds: 900, partSizeBytes: 4, partsAtOnce: 1 },
    destination,
    reader: memoryReader(source),
    clock,
    logger: recordingLogger(),
  };
  return { destination, leases, job, deps };
}

test("copies what the job's URL leads to, under the lease in the destination, as a run with a name of its own", async () => {
  const { destination, leases, job, deps } = await open();
  expect(await new Copier(deps).run(job, deadline)).toEqual({ result: "replicated", bytesMoved: 11 });
  expect(Buffer.from(destination.snapshotOf("k")?.bytes ?? []).toString()).toBe(CONTENT);
  expect((await leases.read("k"))?.lease.run).toMatch(/^[0-9a-f-]{36}$/);
});

test("a URL of no allowed source: rejected, recorded in the lease, nothing is read", async () => {
  const { leases, job, deps } = await open();
  const outcome = { result: "rejected", reason: "the URL is of no allowed source", bytesMoved: 0 };
  expect(await new Copier(deps).run({ ...job, url: "https://evil.example/" }, deadline)).toEqual(outcome);
  expect((await leases.read("k"))?.lease.outcome).toEqual(outcome);
});

test("a URL of another key than the job's source key: rejected, nothing is read", async () => {
  const { leases, job, deps } = await open();
  expect(await new Copier(deps).run({ ...job, sourceKey: "other" }, deadline)).toMatchObject({
    result: "rejected",
    bytesMoved: 0,
  });
  expect((await leases.read("k"))?.lease.outcome?.result).toBe("rejected");
});

test("leases of another store", async () => {
  const { job, deps } = await open();
  const leases = createLeaseStore(new MemoryStore({ clock: new VirtualTime() }), "bridge");
  expect(await new Copier({ ...deps, leases }).run(job, deadline)).toEqual({ result: "not-mine" });
});
