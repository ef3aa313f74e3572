/**
 * The prober's role: puts objects on one side of a bridge, or watches for them on the other one, so that what a replication really takes can
 * be told from outside of it, whatever the mode.
 */
import pLimit from "p-limit";
import type { ProberConfig } from "../../protocol/env";
import type { Clock, Deadline, Logger, Metrics } from "../../protocol/ports";
import type {
  ProbeClean,
  ProbeCleanAnswer,
  ProbePut,
  ProbePutAnswer,
  ProbeRequest,
  ProbeWatchAnswer,
} from "../../protocol/probe";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { runCanary } from "./canary";
import { createProbeObjects } from "./objects";
import { watch } from "./watch";

export interface ProberDeps {
  config: ProberConfig;
  /** The side's own. */
  store: ObjectStore;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Of node:crypto: what nothing on the way can compress. */
  randomBytes(sizeBytes: number): Uint8Array;
  sleep?(ms: number): Promise<void>;
}

export type ProbeAnswer = ProbePutAnswer | ProbeWatchAnswer | ProbeCleanAnswer;

export interface Prober {
  /** @throws BridgeError that names the object and what to do */
  handle(request: ProbeRequest, context: Deadline): Promise<ProbeAnswer>;
  /**
   * What a schedule asks for.
   * @param scheduledMs when the event was due, as the platform tells it
   */
  canary(scheduledMs: number, context: Deadline): Promise<void>;
}

const SIDE_BY_SIDE = 16;

export function createProber(deps: ProberDeps): Prober {
  const { clock } = deps;
  const objects = createProbeObjects(deps);
  const sleep = deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));

  return {
    async handle(request, context) {
      const endMs = objects.endMs(context);
      switch (request.action) {
        case "put":
          return await put(request, endMs);
        case "watch":
          return await watch(request, { objects, clock, sleep }, endMs);
        case "clean":
          return await clean(request, endMs);
      }
    },
    canary: (scheduledMs, context) => runCanary({ ...deps, objects, sleep }, scheduledMs, context),
  };

  /** One after the other, so that no object waits for the bytes of another one after its clock has started. */
  async function put(request: ProbePut, endMs: number): Promise<ProbePutAnswer> {
    const answer: ProbePutAnswer = { put: [] };
    for (const { name, sizeBytes } of request.objects) {
      try {
        answer.put.push({ name, sizeBytes, postedAtMs: await objects.put(name, sizeBytes, endMs) });
      } catch (error) {
        throw summed(`after ${answer.put.length} of ${request.objects.length} objects`, error);
      }
    }
    return answer;
  }

  /** Every object is tried, whatever becomes of the others. */
  async function clean({ names }: ProbeClean, endMs: number): Promise<ProbeCleanAnswer> {
    const limit = pLimit(SIDE_BY_SIDE);
    const results = await Promise.allSettled(names.map((name) => limit(() => objects.remove(name, endMs))));
    const failures = results.filter((result) => result.status === "rejected");
    if (failures[0] !== undefined) throw summed(`${failures.length} of ${names.length} objects are left`, failures[0].reason);
    return { cleaned: results.filter((result) => result.status === "fulfilled" && result.value).length };
  }
}

function summed(text: string, error: unknown): unknown {
  return error instanceof BridgeError
    ? new BridgeError(error.kind, error.op, `${text}: ${error.message}`, { cause: error })
    : error;
}
