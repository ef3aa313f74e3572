/**
 * The copy of one large object under its lease. A run keeps its progress in the multipart upload, and the next run goes on with it. A run
 * completes the upload only while the lease names this run.
 */
import type { Clock, Deadline, Logger } from "../protocol/ports";
import type { ObjectStore } from "../stores/object-store";
import { CompletionUnsettled, type CopyContext, CopyEnded, OutOfTime } from "./copy-context";
import { copyObject } from "./copy-object";
import type { BridgeIdentity } from "./destination";
import { verdictOn } from "./failure";
import { type CopyOutcome, type HeldLease, isLive, type Lease, type LeaseStore } from "./lease";
import { Pace } from "./pace";
import type { LeasedCopy } from "./replicate";
import type { Slots } from "./slots";
import { type BoundSource, locatedSource } from "./source";

export interface CopyDeps {
  config: BridgeIdentity & {
    partSizeBytes: number;
    /** Connections that carry parts at once, at most. */
    partsAtOnce: number;
    /** The longest run that the platform allows. */
    timeoutSeconds: number;
  };
  destination: ObjectStore;
  leases: LeaseStore;
  slots: Slots;
  clock: Clock;
  logger: Logger;
  /** Names a run. */
  newId(): string;
  /** In [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
  /** How often one part is tried before the run ends with `retry`. @default 4 */
  triesPerPart?: number | undefined;
  /** Whether the first run may copy the object as one stream. @default true */
  mayStream?: boolean | undefined;
}

/** `not-mine`: the lease names another copy or another run, and nothing was done. */
export type CopyResult = CopyOutcome | { result: "not-mine" };

/** A lease ends this long after the hard end of its run: the last request of the run may still be under way. */
const SETTLE_MS = 60_000;
/** How often the lease is read while the run has it, so that a stop mark is seen. */
const READ_EVERY_MS = 30_000;
/** No part is started when less than this is left, or less than a quarter of a short run. */
const LAST_START_MS = 20_000;
/** Parts in flight are given up when this is left, or an eighth of a short run, so that the run can record its outcome. */
const LAST_PART_MS = 10_000;
/** No completion is started when less than this is left, or less than a quarter of a short run: a store may need minutes for it. */
const COMPLETION_MS = 180_000;
const TRIES_PER_PART = 4;
const RETRY_DELAY_MS = 500;

/**
 * @param bind Called after the lease is taken. If it throws, the error becomes the outcome in the lease.
 * @throws BridgeError when the lease cannot be read or written
 */
export async function copyUnderLease(
  copy: LeasedCopy,
  bind: () => BoundSource,
  deps: CopyDeps,
  deadline: Deadline,
): Promise<CopyResult> {
  const { logger } = deps;
  const { key, execution, snapshot } = copy;
  const lease = await RunLease.take(copy, deps, deadline);
  if (lease === undefined) return { result: "not-mine" };
  const progress = { bytesMoved: 0 };
  const context = contextOf(deps, lease, deadline);
  const end = async (outcome: CopyOutcome): Promise<CopyOutcome> => {
    logger.info("copy ends", { key, execution, ...outcome });
    await lease.change((current) => ({ ...current, outcome, pace: paceAfter(context.pace, current) }));
    return outcome;
  };
  logger.info("copy begins", { key, execution, sizeBytes: snapshot.sizeBytes });
  try {
    await deps.slots.keep(copy, lease.taken.leaseUntilMs);
    const result = await copyObject({
      ...context,
      source: locatedSource(bind(), deps.config.sourceId),
      key,
      snapshot,
      onPart: (sizeBytes) => {
        progress.bytesMoved += sizeBytes;
      },
    });
    return await end({ result, ...progress });
  } catch (error) {
    if (error instanceof CompletionUnsettled) {
      // No outcome is recorded: the lease has to run out first.
      logger.warn("completion unsettled", { key, execution, error });
      return { result: "retry", reason: error.message, ...progress };
    }
    return await end({ ...outcomeOf(error, progress.bytesMoved), ...progress });
  } finally {
    // A slot that cannot be freed is free when the lease ends.
    await deps.slots
      .release(copy)
      .catch((error: unknown) => logger.warn("the slot of a copy stays taken", { key, execution, error }));
  }
}

type LeasedContext = Omit<CopyContext, "source" | "key" | "snapshot" | "onPart">;

/** The settings of the copy, with the lease as its fence and as the record of its upload. */
function contextOf(deps: CopyDeps, lease: RunLease, deadline: Deadline): LeasedContext {
  const { config, destination, clock, random, sleep } = deps;
  const runMs = Math.min(deadline.remainingMs(), config.timeoutSeconds * 1000);
  const lastStartMs = Math.min(LAST_START_MS, runMs / 4);
  const lastPartMs = Math.min(LAST_PART_MS, runMs / 8);
  const timeLeftMs = () => deadline.remainingMs() - lastPartMs;
  return {
    destination,
    bridge: config,
    mayStream: deps.mayStream ?? true,
    partSizeBytes: config.partSizeBytes,
    partsAtOnce: config.partsAtOnce,
    upload: lease.taken.upload,
    clock,
    pace: new Pace({ clock, timeLeftMs, of: "part", record: lease.before }),
    completionMs: Math.min(COMPLETION_MS, runMs / 4),
    outOfTime: clock.after(timeLeftMs()),
    shrinkParts: (partSizeBytes) =>
      lease.changeOrEnd(({ upload: _given, ...current }) => ({ ...current, pace: { ...current.pace, partSizeBytes } })),
    rememberUpload: (upload) => lease.changeOrEnd((current) => ({ ...current, upload })),
    forgetUpload: async () => {
      await lease.change(({ upload: _gone, ...current }) => current);
    },
    fence: async (isLast) => {
      if (deadline.remainingMs() < lastStartMs) throw new OutOfTime();
      await lease.assertHeld(isLast);
    },
    tries: deps.triesPerPart ?? TRIES_PER_PART,
    retryDelayMs: RETRY_DELAY_MS,
    random,
    sleep,
  };
}

function paceAfter(pace: Pace, { pace: before }: Lease): Lease["pace"] {
  return { ...before, bytesPerSecond: pace.bytesPerSecond, lastPartMs: pace.lastPartMs };
}

/** The lease of a copy as one run of it holds it. */
class RunLease {
  readonly taken: Lease;
  private readMs: number;

  /** @param before what earlier runs left about the link */
  private constructor(
    private held: HeldLease,
    readonly before: Lease["pace"],
    private readonly leases: LeaseStore,
    private readonly clock: Pick<Clock, "now">,
  ) {
    this.taken = held.lease;
    this.readMs = clock.now();
  }

  /** Only one run takes the lease, even when the platform delivers its start twice or late. */
  static async take(
    { key, execution }: LeasedCopy,
    { leases, clock, config, newId }: CopyDeps,
    deadline: Deadline,
  ): Promise<RunLease | undefined> {
    const held = await leases.read(key);
    if (held?.lease.execution !== execution || held.lease.run !== undefined || !isLive(held.lease, clock.now())) return undefined;
    const leaseUntilMs = clock.now() + Math.min(deadline.remainingMs(), config.timeoutSeconds * 1000) + SETTLE_MS;
    const { pace: before } = held.lease;
    // Each run has its own name: otherwise the second run would take the record of the first for its own write.
    const next = { ...held.lease, run: newId(), leaseUntilMs, pace: { ...before, hasBegun: true } };
    const taken = await leases.write(next, held);
    return taken && new RunLease(taken, before, leases, clock);
  }

  /**
   * No other run takes the lease before it ends, so it is read only from time to time, for a stop mark, and before the copy becomes visible.
   * @throws CopyEnded when the lease has ended, is marked to stop or names another run
   */
  async assertHeld(isLast: boolean): Promise<void> {
    const { leaseUntilMs, key } = this.taken;
    const nowMs = this.clock.now();
    const isRecent = nowMs - this.readMs < READ_EVERY_MS && nowMs < leaseUntilMs - SETTLE_MS;
    if (isRecent && !isLast && !this.held.lease.stop) return;
    const held = await this.leases.read(key);
    this.readMs = nowMs;
    if (!this.isMine(held) || held.lease.stop || !isLive(held.lease, this.clock.now())) throw superseded();
    this.held = held;
  }

  /**
   * Changes the lease while it names this run. Retries the compare-and-swap: a stop mark may be written concurrently.
   * @returns false when the lease names another run or has an outcome already
   */
  async change(next: (lease: Lease) => Lease): Promise<boolean> {
    for (;;) {
      const written = await this.leases.write(next(this.held.lease), this.held);
      if (written !== undefined) {
        this.held = written;
        return true;
      }
      const held = await this.leases.read(this.taken.key);
      if (!this.isMine(held) || held.lease.outcome !== undefined) return false;
      this.held = held;
    }
  }

  async changeOrEnd(next: (lease: Lease) => Lease): Promise<void> {
    if (!(await this.change(next))) throw superseded();
  }

  private isMine(held: HeldLease | undefined): held is HeldLease {
    return held?.lease.execution === this.taken.execution && held.lease.run === this.taken.run;
  }
}

function superseded(): CopyEnded {
  return new CopyEnded({ result: "superseded", reason: "a newer notice took the key" });
}

function outcomeOf(error: unknown, bytesMoved: number): CopyOutcome {
  if (error instanceof CopyEnded) {
    const { outcome } = error;
    // A URL that nothing can be read with is a failed attempt: otherwise it would be continued without end.
    return outcome.result === "continue" && outcome.place === "source" && bytesMoved === 0
      ? { ...outcome, result: "retry" }
      : outcome;
  }
  return verdictOn(error, "copier");
}
