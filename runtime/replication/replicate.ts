/**
 * Makes a destination object equal to one state of its source object. Pull mode and push mode share it: they differ in how the source is
 * bound, and in where a copy that is too large for one request is started.
 */
import { inControlPrefix } from "../protocol/control";
import type { Clock, Deadline } from "../protocol/ports";
import type { ObjectSnapshot } from "../protocol/snapshot";
import { BridgeError, mayStillLand } from "../stores/errors";
import type { ObjectStore } from "../stores/object-store";
import { ARCHIVE_ADVICE } from "../stores/unreadable";
import { decide, type Plan } from "./decide";
import { type BridgeIdentity, type LeasedState, lookAt, lookUnderLease } from "./destination";
import { verdictOn } from "./failure";
import type { KeptAttributes } from "./kept-attributes";
import { isLive, type LeaseStore } from "./lease";
import { Pace, TooSlow } from "./pace";
import type { Slots } from "./slots";
import { snapshotId } from "./snapshot";
import { type BoundSource, isStill, locatedSource } from "./source";
import { deleteObject, type ReplicationResult, SUPERSEDED, type WriteContext, writeObject, writeTags } from "./write";

export type { ReplicationResult };

export interface ReplicationDeps {
  config: BridgeIdentity & {
    destinationPrefix: string;
    /** A larger object is copied under a lease. */
    inlineLimitBytes: number;
    /** Copies that may run at once. */
    copiesAtOnce: number;
  };
  destination: ObjectStore;
  leases: LeaseStore;
  slots: Slots;
  clock: Pick<Clock, "now">;
  newId(): string;
  /** Shared by all calls for one destination. Without it every object is read again after its write. */
  kept?: KeptAttributes | undefined;
}

/** A copy whose lease is written: the caller starts it. */
export interface LeasedCopy {
  execution: string;
  /** The destination key. */
  key: string;
  sourceKey: string;
  snapshot: ObjectSnapshot;
}

/** The result, or with `copy-leased` the copy that the caller has to start. */
export type Replicated = ReplicationResult | { result: "copy-leased"; copy: LeasedCopy; reason?: string | undefined };

/** A lease ends after this time if its copy has not begun: an accepted asynchronous start comes sooner or never. */
const START_GRACE_MS = 120_000;

/**
 * @param key the source key
 * @param snapshot undefined stands for absent
 * `slow`: an attempt at this snapshot ran out of time, so it is copied whatever its size.
 * `askedBefore`: an attempt for this look may have been made before, so a copy may be running. See docs/adr/0042.
 * @throws BridgeError; `attempt` makes a result of it
 */
export async function replicate(
  key: string,
  snapshot: ObjectSnapshot | undefined,
  source: BoundSource,
  {
    signal,
    slow = false,
    askedBefore = false,
    timeLeftMs,
    ...deps
  }: ReplicationDeps & Partial<AttemptTime> & Asked & { signal: AbortSignal },
): Promise<Replicated> {
  const { config, destination, clock } = deps;
  const destinationKey = config.destinationPrefix + key;
  assertReplicable(destination, { key, destinationKey, snapshot });
  const mayCopy = slow || (snapshot !== undefined && snapshot.sizeBytes > config.inlineLimitBytes);
  const state: LeasedState =
    mayCopy || askedBefore
      ? await lookUnderLease(deps, destinationKey, signal)
      : { held: undefined, seen: await lookAt(destination, destinationKey, signal) };
  const plan = decide({
    snapshot,
    destination: state.seen,
    lease: state.held?.lease,
    nowMs: clock.now(),
    bridge: config,
    inlineLimitBytes: config.inlineLimitBytes,
    slow,
  });
  const archived = needsBytes(plan) ? archivedResult(snapshot) : undefined;
  if (archived !== undefined) return archived;
  return await carryOut(plan, {
    ...deps,
    ...state,
    copiesAtOnce: config.copiesAtOnce,
    bridge: config,
    key: destinationKey,
    sourceKey: key,
    snapshot,
    pace: timeLeftMs && new Pace({ clock, timeLeftMs, of: "write" }),
    source: locatedSource(source, config.sourceId),
    signal,
  });
}

interface Asked {
  slow?: boolean | undefined;
  askedBefore?: boolean | undefined;
}

/** Whether the step reads the source. A change of tags reads one byte, to see that the object is still the same. */
function needsBytes({ step }: Plan): boolean {
  return step === "write" || step === "copy" || step === "tag";
}

/** The result for an archived object: nothing can be read from it. Undefined where the bytes can be read. */
function archivedResult(snapshot: ObjectSnapshot | undefined): ReplicationResult | undefined {
  if (snapshot?.archive === undefined) return undefined;
  const { storageClass, restore } = snapshot.archive;
  return restore === "ongoing"
    ? { result: "waiting", waitsFor: "restore", place: "source", reason: `archived as ${storageClass}, and being restored` }
    : { result: "rejected", place: "source", reason: `archived as ${storageClass}: ${ARCHIVE_ADVICE}` };
}

type Work = Omit<ReplicationDeps, "config"> &
  WriteContext &
  LeasedState & { sourceKey: string; snapshot: ObjectSnapshot | undefined; copiesAtOnce: number };

async function carryOut(plan: Plan, work: Work): Promise<Replicated> {
  switch (plan.step) {
    case "wait":
      return { result: "in-progress" };
    case "stop-copy":
      if (!work.held?.lease.stop) {
        // A notice that was sent again may be older than the copy.
        if (!(await isStill(work.source, work.snapshot, work.signal))) return SUPERSEDED;
        await changeLease(work, { stop: true });
      }
      return { result: "in-progress", reason: "an older copy of this key is being stopped" };
    case "report": {
      const { result, bytesMoved: _counted, ...rest } = plan.outcome;
      await changeLease(work, { reported: true });
      // Only these results are planned to be reported.
      return { result: result === "continue" ? "retry" : result, ...rest };
    }
    case "copy":
      return await leaseCopy(work, plan);
    case "unchanged":
      await clearLease(work);
      return { result: "unchanged", reason: plan.reason };
    case "tag":
      await clearLease(work);
      return await writeTags(work, plan.snapshot);
    case "write":
      await clearLease(work);
      return await writeObject(work, plan.snapshot);
    case "delete":
      await clearLease(work);
      return await deleteObject(work);
  }
}

/** Marks the lease that was read. When it has changed since, the next attempt sees that. */
async function changeLease({ leases, held, signal }: Work, mark: { stop: true } | { reported: true }): Promise<void> {
  if (held) await leases.write({ ...held.lease, ...mark }, held, signal);
}

/**
 * Takes a slot and writes the lease of a copy before the copy starts. A copy of the same snapshot goes on with the upload of the one before.
 */
async function leaseCopy(work: Work, { snapshot, reason }: Extract<Plan, { step: "copy" }>): Promise<Replicated> {
  const { leases, slots, copiesAtOnce, held, key, sourceKey, signal } = work;
  const id = snapshotId(snapshot);
  const isResumable = held?.lease.snapshotId === id && held.lease.outcome?.result !== "replicated";
  const upload = isResumable ? held.lease.upload : undefined;
  // An old notice must not end the progress of a newer copy, and must start none.
  if (!(await isStill(work.source, snapshot, signal))) return SUPERSEDED;
  const execution = work.newId();
  const leaseUntilMs = work.clock.now() + START_GRACE_MS;
  if (!(await slots.take({ execution, key }, { untilMs: leaseUntilMs, limit: copiesAtOnce }, signal))) {
    const reason = `${copiesAtOnce} copies run, as many as copy.concurrency allows`;
    return { result: "waiting", waitsFor: "room", reason };
  }
  if (upload === undefined) await abandonUpload(work);
  const written = await leases.write(
    {
      version: 1,
      key,
      execution,
      snapshotId: id,
      leaseUntilMs,
      stop: false,
      upload,
      pace: held?.lease.pace,
      reported: false,
    },
    held,
    signal,
  );
  // Another request wrote its lease first. The next attempt sees which copy runs.
  if (written === undefined) {
    await slots.release({ execution, key }, signal);
    return { result: "in-progress" };
  }
  return { result: "copy-leased", copy: { execution, key, sourceKey, snapshot }, reason };
}

/** Ends the lease and frees the slot of a copy that was certainly not started, so that the next attempt can start it at once. */
export async function cancelCopy(
  { key, execution }: LeasedCopy,
  { leases, slots, clock }: Pick<ReplicationDeps, "leases" | "slots" | "clock">,
  signal: AbortSignal,
): Promise<void> {
  const held = await leases.read(key, signal);
  if (held?.lease.execution === execution && held.lease.run === undefined)
    await leases.write({ ...held.lease, leaseUntilMs: clock.now() }, held, signal);
  await slots.release({ execution, key }, signal);
}

/** Removes a lease that has ended. Aborts its upload first. */
async function clearLease(work: Work): Promise<void> {
  const { leases, held, clock, signal } = work;
  if (held === undefined || isLive(held.lease, clock.now())) return;
  await abandonUpload(work);
  await leases.remove(held, signal);
}

/** The fence: a copier that still runs after its lease has ended cannot complete an aborted upload. */
async function abandonUpload({ destination, held, key, signal }: Work): Promise<void> {
  const lease = held?.lease;
  if (lease?.upload === undefined || lease.outcome?.result === "replicated" || lease.outcome?.result === "superseded") return;
  await destination.abortUpload(key, lease.upload.uploadId, { signal });
}

/** @throws BridgeError `Invalid` with what the destination cannot hold. */
export function assertReplicable(
  { capabilities }: Pick<ObjectStore, "capabilities">,
  { key, destinationKey, snapshot }: { key: string; destinationKey: string; snapshot: ObjectSnapshot | undefined },
): void {
  const { maxKeyBytes, maxPartSizeBytes, maxParts } = capabilities;
  const keyBytes = Buffer.byteLength(destinationKey);
  if (inControlPrefix(key) || inControlPrefix(destinationKey))
    throw invalid("the key lies under the bridge's own control prefix");
  if (keyBytes > maxKeyBytes)
    throw invalid(
      `the destination key would have ${keyBytes} bytes, the store allows ${maxKeyBytes}: shorten the destination prefix or the key`,
    );
  if (snapshot !== undefined && snapshot.sizeBytes > maxPartSizeBytes * maxParts)
    throw invalid(`the object has ${snapshot.sizeBytes} bytes, more than the destination can hold`);
}

function invalid(reason: string): BridgeError {
  return new BridgeError("Invalid", "replicate", reason);
}

/** Nothing is started when less than this is left: its answer would come too late. */
const LAST_START_MS = 3_000;
/** Work in flight is given up when this is left. */
const ANSWER_MS = 1_500;

export interface AttemptTime {
  /** Until work in flight is given up. */
  timeLeftMs(): number;
}

export interface AttemptOptions {
  deadline: Deadline;
  clock: Pick<Clock, "after">;
  /** Named in the reasons. */
  role: "receiver" | "pusher";
  /** Called before a failure is returned as its result. */
  onFailure(error: unknown, result: ReplicationResult): void;
}

/** Runs `work` until shortly before the deadline. Never rejects: a failure becomes a result. */
export async function attempt<T>(
  work: (signal: AbortSignal, time: AttemptTime) => Promise<T>,
  { deadline, clock, role, onFailure }: AttemptOptions,
): Promise<T | ReplicationResult> {
  const remainingMs = deadline.remainingMs();
  if (remainingMs < LAST_START_MS)
    return { result: "waiting", waitsFor: "time", reason: `the ${role} ran out of time before this item` };
  const signal = clock.after(remainingMs - ANSWER_MS);
  try {
    return await work(signal, { timeLeftMs: () => deadline.remainingMs() - ANSWER_MS });
  } catch (error) {
    const result = failureResult(error, role, signal.aborted);
    onFailure(error, result);
    return result;
  }
}

/** The result of an attempt that ended with this error. */
export function failureResult(error: unknown, role: AttemptOptions["role"], isOutOfTime: boolean): ReplicationResult {
  if (isOutOfTime)
    return {
      result: "waiting",
      waitsFor: "time",
      slow: true,
      reason: `the ${role} ran out of time on this item`,
      unsettled: true,
    };
  // A body that was given up early has written nothing.
  if (error instanceof TooSlow)
    return { result: "waiting", waitsFor: "time", slow: true, place: "source", reason: error.message };
  const verdict = verdictOn(error, role);
  if (verdict.result === "rejected") return verdict;
  return { ...verdict, unsettled: mayStillLand(error) || undefined };
}
