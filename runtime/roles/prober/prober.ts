/**
 * The prober's role: puts objects on one side of a bridge and watches for them on the other side. So the time of a replication is measured
 * from outside, in every mode.
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
import { type CanaryDeps, runCanary } from "./canary";
import { createProbeObjects } from "./objects";
import { watch } from "./watch";

export interface ProberDeps {
  config: ProberConfig;
  /** The store of its side. */
  store: ObjectStore;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** `randomBytes` of node:crypto: no compression on the way can shrink them. */
  randomBytes(sizeBytes: number): Uint8Array;
  sleep?: ((ms: number) => Promise<void>) | undefined;
}

export type ProbeAnswer = ProbePutAnswer | ProbeWatchAnswer | ProbeCleanAnswer;

const OBJECTS_AT_ONCE = 16;

export class Prober {
  private readonly deps: CanaryDeps;

  constructor(deps: ProberDeps) {
    const sleep = deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms)));
    this.deps = { ...deps, objects: createProbeObjects(deps), sleep };
  }

  /** @throws BridgeError that names the object and what to do */
  async handle(request: ProbeRequest, deadline: Deadline): Promise<ProbeAnswer> {
    const endMs = this.deps.objects.endMs(deadline);
    switch (request.action) {
      case "put":
        return await this.put(request, endMs);
      case "watch":
        return await watch(request, this.deps, endMs);
      case "clean":
        return await this.clean(request, endMs);
    }
  }

  /**
   * Carries out one event of a schedule.
   * @param scheduledMs when the event was due, by the platform
   */
  async canary(scheduledMs: number, deadline: Deadline): Promise<void> {
    await runCanary(this.deps, scheduledMs, deadline);
  }

  /** Puts one object after the other. Side by side, an object would wait for the bytes of another one after its time of posting. */
  private async put(request: ProbePut, endMs: number): Promise<ProbePutAnswer> {
    const answer: ProbePutAnswer = { put: [] };
    for (const { name, sizeBytes } of request.objects) {
      try {
        answer.put.push({ name, sizeBytes, postedAtMs: await this.deps.objects.put(name, sizeBytes, endMs) });
      } catch (error) {
        throw withProgress(`after ${answer.put.length} of ${request.objects.length} objects`, error);
      }
    }
    return answer;
  }

  /** Tries every object, also after one has failed. */
  private async clean({ names }: ProbeClean, endMs: number): Promise<ProbeCleanAnswer> {
    const limit = pLimit(OBJECTS_AT_ONCE);
    const results = await Promise.allSettled(names.map((name) => limit(() => this.deps.objects.remove(name, endMs))));
    const failures = results.filter((result) => result.status === "rejected");
    if (failures[0] !== undefined)
      throw withProgress(`${failures.length} of ${names.length} objects are left`, failures[0].reason);
    return { cleaned: results.filter((result) => result.status === "fulfilled" && result.value).length };
  }
}

function withProgress(text: string, error: unknown): unknown {
  return error instanceof BridgeError
    ? new BridgeError(error.kind, error.op, `${text}: ${error.message}`, { cause: error })
    : error;
}
