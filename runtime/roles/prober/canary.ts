/**
 * The canary: at every slot one object goes from side to side, and the side that waits for it tells how long it took. Neither side asks the
 * other one: both derive the object's name from the time that their schedules were due, however late the events come.
 */

import type { ProberConfig } from "../../protocol/env";
import type { Clock, Deadline, Logger, Metrics } from "../../protocol/ports";
import { readProvenance } from "../../replication/provenance";
import { BridgeError } from "../../stores/errors";
import type { ObjectHead, ObjectStore } from "../../stores/object-store";
import { CANARIES, canaryName, OTHER_SIDE, parseCanaryName, probeKey, probeName } from "./names";
import { type ProbeObjects, postedAt } from "./objects";
import { type CanaryConfig, isLate, oldestKept, slotOf, watchedUntil } from "./schedule";

export interface CanaryDeps {
  config: ProberConfig;
  store: Pick<ObjectStore, "list">;
  objects: ProbeObjects;
  clock: Pick<Clock, "now">;
  logger: Logger;
  metrics: Metrics;
  sleep(ms: number): Promise<void>;
}

/** Between two looks lies this part of the time that was waited already: a lag is told to about so much, at few requests. */
const PRECISION = 0.05;
const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** Longer than any bridge waits for its canaries: what other bridges of the bucket left behind is removed then. */
const ABANDONED_MS = 3 * 86_400_000;
/** Stores tell whole seconds. */
const LAST_MODIFIED_STEP_MS = 1_000;

/**
 * @param scheduledMs when the event was due, as the platform tells it
 * @throws BridgeError when this side could not put its object or could not look for the other one's
 */
export async function runCanary(deps: CanaryDeps, scheduledMs: number, context: Deadline): Promise<void> {
  const { config, objects, clock, logger, metrics, sleep } = deps;
  const { bridgeId, side } = config;
  if (config.canary === undefined)
    throw new BridgeError("ConfigInvalid", "canary", "a schedule woke this prober, but its configuration has no canary");
  const canary: CanaryConfig = config.canary;
  const slotMs = slotOf(canary, scheduledMs);
  const functionEndMs = objects.endMs(context);
  const patientUntilMs = watchedUntil(canary, scheduledMs);

  const work = [cleanUp(deps, canary, functionEndMs)];
  if (clock.now() > patientUntilMs) {
    // Nobody waits for this object any more, or it is gone already: whatever was told of it would be wrong.
    logger.warn("the schedule came too late for its canary", { lateMs: clock.now() - scheduledMs });
  } else {
    if (canary.puts) work.push(put());
    if (canary.watches) work.push(watch());
  }
  const failure = (await Promise.allSettled(work)).find((result) => result.status === "rejected");
  if (failure !== undefined) throw failure.reason;

  async function put(): Promise<void> {
    const name = canaryName({ bridgeId, from: side, slotMs });
    await objects.put(name, canary.sizeBytes, functionEndMs);
    logger.info("the canary is posted", { name });
  }

  async function watch(): Promise<void> {
    const name = canaryName({ bridgeId, from: OTHER_SIDE[side], slotMs });
    const beganMs = clock.now();
    const endMs = Math.min(patientUntilMs, functionEndMs);
    try {
      for (let attempts = 1; ; attempts++) {
        const head = await objects.look(name, functionEndMs);
        if (head !== undefined) return tell(name, head, attempts);
        const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, (clock.now() - beganMs) * PRECISION));
        if (clock.now() + waitMs >= endMs) break;
        await sleep(waitMs);
      }
    } catch (error) {
      metrics.add("ProbeGaveUp", 1);
      throw error;
    }
    const because = endMs < patientUntilMs ? "the function's time ended first" : "it took longer than giveUpAfterSeconds";
    logger.error("the canary did not arrive", { name, waitedMs: clock.now() - beganMs, because });
    metrics.add("ProbeGaveUp", 1);
  }

  function tell(name: string, head: ObjectHead, attempts: number): void {
    metrics.add("ProbeGaveUp", 0);
    const postedAtMs = postedAt(head.metadata);
    const arrivedMs = arrivalOf(head, attempts);
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

  /** Found at the first look, it may have been there for as long as the other schedule was ahead. */
  function arrivalOf(head: ObjectHead, attempts: number): number | undefined {
    const seenAtMs = clock.now();
    if (attempts > 1) return seenAtMs;
    const writtenMs = writtenAt(head, bridgeId);
    if (writtenMs !== undefined) return Math.min(seenAtMs, writtenMs);
    return isLate(scheduledMs, seenAtMs) ? undefined : seenAtMs;
  }
}

/**
 * Removes what nobody waits for. What was watched just now stays, as an event that is delivered twice must find it once more. Never fails:
 * the next slot comes by again.
 */
async function cleanUp(deps: CanaryDeps, canary: CanaryConfig, endMs: number): Promise<void> {
  const { config, store, objects, clock, logger } = deps;
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
 * The end of the second in which a bridge wrote its replica; undefined where Last-Modified tells something else: that of the source object
 * with a store's own replication, the beginning of the upload where the object came in parts.
 */
function writtenAt({ metadata, etag, lastModified }: ObjectHead, bridgeId: string): number | undefined {
  if (readProvenance(metadata)?.bridgeId !== bridgeId || etag.includes("-")) return undefined;
  return lastModified.getTime() + LAST_MODIFIED_STEP_MS - 1;
}
