/** The roles' configuration in a simulated world of push mode. */
import type { DispatcherConfig, PusherConfig } from "../../../runtime/protocol/env";

export const LIMITS = {
  dispatcherMs: 60_000,
  pusherMs: 120_000,
  /** Hard end of one write of a small object. */
  inlineMs: 20_000,
  /** How long a request that nobody waits for any more may still land. */
  networkMs: 3_000,
  /** How long the workflow waits before it repeats a step: beyond both of the above. */
  repeatMs: 30_000,
  /** How often the workflow tries one step before it parks the key. */
  stepTries: 6,
  inlineBytes: 8,
  partBytes: 4,
} as const;

export interface Settings {
  deletes: "ignore" | "replicate";
  statusTags: boolean;
  maxAttempts: number;
}

const identity = {
  bridgeId: "bridge",
  sourceId: "memory:source",
  destinationId: "memory:destination",
  logLevel: "error" as const,
  source: { kind: "oss" as const, bucket: "source", region: "memory", versioned: true, network: "internal" as const },
  scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
  deadLetterUrl: "memory:dead-letters",
};

export function dispatcherConfig({ deletes }: Settings): DispatcherConfig {
  return { ...identity, deletes, flowName: "flow" };
}

export function pusherConfig({ deletes, statusTags, maxAttempts }: Settings): PusherConfig {
  return {
    ...identity,
    deletes,
    statusTags,
    maxAttempts,
    destination: { kind: "oss", bucket: "destination", region: "memory", versioned: true, network: "accelerate" },
    destinationPrefix: "",
    controlBucket: "control",
    inlineLimitBytes: LIMITS.inlineBytes,
    inlineTimeoutSeconds: LIMITS.inlineMs / 1000,
    timeoutSeconds: LIMITS.pusherMs / 1000,
    partSizeBytes: LIMITS.partBytes,
    concurrency: 2,
  };
}
