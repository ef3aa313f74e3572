/**
 * The canary: in every slot one object is put on one side, and the other side measures how long its replica takes. The sides do not talk to
 * each other: both derive the object's name from the time that their schedules were due, however late the events come.
 */
import type { ProberConfig } from "../../protocol/env";
import type { Clock, Deadline, Logger, Metrics } from "../../protocol/ports";
import { readProvenance } from "../../replication/provenance";
import { BridgeError } from "../../stores/errors";
import type { ObjectHead, ObjectStore } from "../../stores/object-store";
import { CANARIES, canaryName, OTHER_SIDE, type ProbeSide, parseCanaryName, probeKey, probeName } from "./names";
import { type ProbeObjects, postedAt } from "./objects";

export interface CanaryDeps {
  config: ProberConfig;
  store: Pick<ObjectStore, "list">;
  objects: ProbeObjects;
  clock: Pick<Clock, "now">;
  logger: Logger;
  metrics: Metrics;
  sleep(ms: number): Promise<void>;
}

export type CanaryConfig = NonNullable<ProberConfig["canary"]>;

/** Poll interval as a fraction of the elapsed time: bounds the error of the lag. */
const PRECISION = 0.05;
const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** Longer than any bridge watches for its canaries: the canaries of other bridges in the bucket are removed when they are older. */
const ABANDONED_MS = 3 * 86_400_000;
/** Stores report Last-Modified in whole seconds. */
const LAST_MODIFIED_STEP_MS = 1_000;
/** A schedule runs within its minute, not at its start. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html */
const SCHEDULE_MS = 60_000;
/** A schedule may also report a time just before its minute. */
const EARLY_MS = 5_000;

/** The start of the slot that an event scheduled for `scheduledMs` belongs to. */
export function slotOf({ everyMinutes }: CanaryConfig, scheduledMs: number): number {
  const lengthMs = everyMinutes * 60_000;
  return Math.floor((scheduledMs + EARLY_MS) / lengthMs) * lengthMs;
}

/** Whether the event came later than a schedule sends it, for example because it was delivered again. */
export function isLate(scheduledMs: number, nowMs: number): boolean {
  return nowMs > scheduledMs + SCHEDULE_MS;
}

/** The time until which a canary is watched for. The other side's schedule may be the later of the two. */
export function watchedUntil({ giveUpAfterSeconds }: CanaryConfig, scheduledMs: number): number {
  return scheduledMs + SCHEDULE_MS + giveUpAfterSeconds * 1000;
}

/** Canaries of older slots than this one are removed. The slot before the present one stays, and so does every slot that may still be watched. */
export function oldestKept(config: CanaryConfig, nowMs: number): number {
  const lengthMs = config.everyMinutes * 60_000;
  const watchedMs = watchedUntil(config, 0);
  return Math.floor((nowMs - watchedMs) / lengthMs) * lengthMs - lengthMs;
}

/**
 * @param scheduledMs when the event was due, by the platform
 * @throws BridgeError when this side could not put its object, or could not look for the other side's
 */
export async function runCanary(deps: CanaryDeps, scheduledMs: number, deadline: Deadline): Promise<void> {
  const { canary } = deps.config;
  if (canary === undefined)
    throw new BridgeError("ConfigInvalid", "canary", "a schedule woke this prober, but its configuration has no canary");
  const watchedUntilMs = watchedUntil(canary, scheduledMs);
  const run: CanaryRun = { ...deps, canary, scheduledMs, watchedUntilMs, endMs: deps.objects.endMs(deadline) };
  const { clock, logger } = run;
  const work = [cleanUp(run)];
  if (clock.now() > watchedUntilMs) {
    // The object is not watched any more, or was removed: any result would be wrong.
    logger.warn("the schedule came too late for its canary", { lateMs: clock.now() - scheduledMs });
  } else {
    if (canary.puts) work.push(put(run));
    if (canary.watches) work.push(watch(run));
  }
  const failure = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;
}

/** One event of the schedule. */
interface CanaryRun extends CanaryDeps {
  canary: CanaryConfig;
  scheduledMs: number;
  watchedUntilMs: number;
  /** When the function's work has to end. */
  endMs: number;
}

function nameOf({ config, canary, scheduledMs }: CanaryRun, from: ProbeSide): string {
  return canaryName({ bridgeId: config.bridgeId, from, slotMs: slotOf(canary, scheduledMs) });
}

async function put(run: CanaryRun): Promise<void> {
  const name = nameOf(run, run.config.side);
  await run.objects.put(name, run.canary.sizeBytes, run.endMs);
  run.logger.info("the canary is posted", { name });
}

async function watch(run: CanaryRun): Promise<void> {
  const { clock, logger, metrics, watchedUntilMs, endMs } = run;
  const name = nameOf(run, OTHER_SIDE[run.config.side]);
  const beganMs = clock.now();
  const untilMs = Math.min(watchedUntilMs, endMs);
  try {
    for (let attempts = 1; ; attempts++) {
      const head = await run.objects.look(name, endMs);
      if (head !== undefined) return recordArrival(run, name, head, attempts);
      const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, (clock.now() - beganMs) * PRECISION));
      if (clock.now() + waitMs >= untilMs) break;
      await run.sleep(waitMs);
    }
  } catch (error) {
    metrics.add("ProbeGaveUp", 1);
    throw error;
  }
  const because = untilMs < watchedUntilMs ? "the function's time ended first" : "it took longer than giveUpAfterSeconds";
  logger.error("the canary did not arrive", { name, waitedMs: clock.now() - beganMs, because });
  metrics.add("ProbeGaveUp", 1);
}

/** @param attempts how many looks it took */
function recordArrival(run: CanaryRun, name: string, head: ObjectHead, attempts: number): void {
  const { logger, metrics } = run;
  metrics.add("ProbeGaveUp", 0);
  const postedAtMs = postedAt(head.metadata);
  const arrivedMs = arrivedAt(run, head, attempts);
  if (postedAtMs === undefined || arrivedMs === undefined) {
    const because = postedAtMs === undefined ? "it does not say when it was posted" : "this side came too late to tell";
    logger.warn("the canary arrived, and its lag is unknown", { name, because });
    return;
  }
  const lagMs = arrivedMs - postedAtMs;
  if (lagMs < 0) logger.warn("the canary arrived before it was posted: the clocks of the two sides differ", { name, lagMs });
  metrics.add("ProbeLagMs", Math.max(0, lagMs));
  logger.info("the canary arrived", { name, lagMs, postedAtMs, arrivedMs, attempts });
}

/**
 * When the replica arrived; undefined if the time is not known. A replica that the first look finds may have been there for some time, so the
 * time of its write counts.
 */
function arrivedAt({ clock, config, scheduledMs }: CanaryRun, head: ObjectHead, attempts: number): number | undefined {
  const seenAtMs = clock.now();
  if (attempts > 1) return seenAtMs;
  const writtenMs = writtenAt(head, config.bridgeId);
  if (writtenMs !== undefined) return Math.min(seenAtMs, writtenMs);
  return isLate(scheduledMs, seenAtMs) ? undefined : seenAtMs;
}

/** Removes old canaries. The object of an event that may be delivered again stays. Never fails: the next slot removes the rest. */
async function cleanUp({ config, store, objects, clock, logger, canary, endMs }: CanaryRun): Promise<void> {
  const keptFromMs = oldestKept(canary, clock.now());
  const abandonedMs = clock.now() - ABANDONED_MS;
  try {
    for await (const { key } of store.list(probeKey({ ...config, suffix: "" }, CANARIES))) {
      const name = probeName(config, key);
      const found = name === undefined ? undefined : parseCanaryName(name);
      if (name === undefined || found === undefined) continue;
      if (clock.now() >= endMs) return;
      if (found.slotMs < (found.bridgeId === config.bridgeId ? keptFromMs : abandonedMs)) await objects.remove(name, endMs);
    }
  } catch (error) {
    logger.warn("old canaries are left behind", { error });
  }
}

/**
 * The end of the second in which a bridge wrote its replica. Undefined where Last-Modified means another time: the source object's with a
 * store's own replication, the beginning of the upload for an object that came in parts.
 */
function writtenAt({ metadata, etag, lastModified }: ObjectHead, bridgeId: string): number | undefined {
  if (readProvenance(metadata)?.bridgeId !== bridgeId || etag.includes("-")) return undefined;
  return lastModified.getTime() + LAST_MODIFIED_STEP_MS - 1;
}
