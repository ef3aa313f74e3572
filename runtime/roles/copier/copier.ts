/**
 * The copier's role: one long copy of one object under its lease. It keeps its progress in the multipart upload, so that the next run
 * goes on where this one ended, and it completes only while the lease still names it.
 */
import { randomUUID } from "node:crypto";
import type { CopierConfig } from "../../protocol/env";
import { type Clock, type CopyJob, type Deadline, type Logger, type SourceReader, systemRandom } from "../../protocol/ports";
import { CompletionUnsettled, CopyEnded, copyObject } from "../../replication/copy-object";
import { type CopyOutcome, createLeaseStore, type HeldLease, isLive, type Lease, type LeaseStore } from "../../replication/lease";
import { BridgeError, isPermanent } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";

export interface CopierDeps {
  config: Pick<CopierConfig, "bridgeId" | "sourceId" | "partSizeBytes" | "concurrency" | "timeoutSeconds">;
  destination: ObjectStore;
  reader: SourceReader;
  clock: Clock;
  logger: Logger;
  /** Where leases are kept; in the destination store when absent. */
  leases?: LeaseStore;
  /** How often one part is tried before the run ends with `retry`. @default 4 */
  triesPerPart?: number;
  /** Names a run. @default random */
  newId?(): string;
  /** In [0, 1). */
  random?(): number;
  sleep?(ms: number): Promise<void>;
}

export type CopierResult = CopyOutcome | { result: "not-mine" };
export type Copier = (job: CopyJob, context: Deadline) => Promise<CopierResult>;

/** A lease ends this long after its run's hard end: what the run sent last may still be under way. */
const SETTLE_MS = 60_000;
/** No part and no completion is started later than this before the hard end, unless the whole run is that short. */
const LAST_START_MS = 20_000;

export function createCopier(deps: CopierDeps): Copier {
  const { config, destination, reader, clock, logger } = deps;
  const leases = deps.leases ?? createLeaseStore(destination, config.bridgeId);
  const newId = deps.newId ?? randomUUID;

  return async (job, context) => {
    const begun = await begin(job, context);
    if (begun === undefined) return { result: "not-mine" };
    const progress = { bytesMoved: 0 };
    const lastStartMs = Math.min(LAST_START_MS, context.remainingMs() / 4);
    logger.info("copy begins", { key: job.key, execution: job.execution, sizeBytes: job.snapshot.sizeBytes });
    try {
      const result = await copyObject({
        store: destination,
        reader,
        bridge: { bridgeId: config.bridgeId, sourceId: config.sourceId },
        partSizeBytes: config.partSizeBytes,
        concurrency: config.concurrency,
        job,
        upload: begun.lease.upload,
        rememberUpload: (upload) => changeOrEnd(begun, (lease) => ({ ...lease, upload })),
        forgetUpload: async () => {
          await change(begun, ({ upload: _gone, ...lease }) => lease);
        },
        fence: async () => {
          if (context.remainingMs() < lastStartMs)
            throw new CopyEnded({ result: "continue", reason: "the copier's time ran out" });
          assertHeld(begun, await leases.read(job.key));
        },
        onPart: (sizeBytes) => {
          progress.bytesMoved += sizeBytes;
        },
        tries: deps.triesPerPart ?? 4,
        retryDelayMs: 500,
        random: deps.random ?? systemRandom,
        sleep: deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
      });
      return await end(begun, { result, ...progress });
    } catch (error) {
      if (error instanceof CompletionUnsettled) {
        // No last word: the lease has to run out first.
        logger.warn("completion unsettled", { key: job.key, execution: job.execution, error });
        return { result: "retry", reason: error.message, ...progress };
      }
      return await end(begun, { ...outcomeOf(error, progress.bytesMoved), ...progress });
    }
  };

  /** Takes up the lease: only the run that does so works, whatever the platform delivers twice or late. */
  async function begin(job: CopyJob, context: Deadline): Promise<HeldLease | undefined> {
    const held = await leases.read(job.key);
    if (held?.lease.execution !== job.execution || held.lease.run !== undefined || !isLive(held.lease, clock.now()))
      return undefined;
    const leaseUntilMs = clock.now() + Math.min(context.remainingMs(), config.timeoutSeconds * 1000) + SETTLE_MS;
    // Without a name of its own, a run that comes second would take the first one's record for its own write.
    return await leases.write({ ...held.lease, run: newId(), leaseUntilMs }, held);
  }

  function isMine(begun: HeldLease, lease: Lease | undefined): lease is Lease {
    return lease?.execution === begun.lease.execution && lease.run === begun.lease.run;
  }

  function assertHeld(begun: HeldLease, held: HeldLease | undefined): void {
    const lease = held?.lease;
    if (!isMine(begun, lease) || lease.stop || !isLive(lease, clock.now())) {
      throw new CopyEnded({ result: "superseded", reason: "a newer notice took the key" });
    }
  }

  async function end(begun: HeldLease, outcome: CopyOutcome): Promise<CopyOutcome> {
    const { key, execution } = begun.lease;
    logger.info("copy ends", { key, execution, ...outcome });
    await change(begun, (lease) => ({ ...lease, outcome }));
    return outcome;
  }

  async function changeOrEnd(begun: HeldLease, next: (lease: Lease) => Lease): Promise<void> {
    if (!(await change(begun, next))) throw new CopyEnded({ result: "superseded", reason: "a newer notice took the key" });
  }

  /** Changes the lease while it names this run; a stop mark may come in between, so it goes round until it wins. */
  async function change(begun: HeldLease, next: (lease: Lease) => Lease): Promise<boolean> {
    for (;;) {
      const held = await leases.read(begun.lease.key);
      if (!held || !isMine(begun, held.lease) || held.lease.outcome !== undefined) return false;
      if (await leases.write(next(held.lease), held)) return true;
    }
  }
}

function outcomeOf(error: unknown, bytesMoved: number): CopyOutcome {
  // Going on without end is only for runs that get somewhere; the others count as failed attempts.
  if (error instanceof CopyEnded) {
    return error.outcome.result === "continue" && bytesMoved === 0 ? { ...error.outcome, result: "retry" } : error.outcome;
  }
  if (isPermanent(error)) return { result: "rejected", reason: error.message };
  return { result: "retry", reason: error instanceof BridgeError ? error.message : "unexpected failure in the copier" };
}
