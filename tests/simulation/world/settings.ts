/** The roles' configuration in a simulated world. */
import type { CopierConfig, ReceiverConfig, SenderConfig } from "../../../runtime/protocol/env";

export const LIMITS = {
  senderMs: 60_000,
  receiverMs: 29_000,
  copierMs: 120_000,
  /** How long a request that its sender no longer waits for may still land. */
  networkMs: 3_000,
  visibilityMs: 100_000,
  inlineBytes: 8,
  partBytes: 4,
} as const;

export interface Settings {
  bridgeId: string;
  source: string;
  destination: string;
  deletes: "ignore" | "replicate";
  statusTags: boolean;
  /** False with `buffer: none`. */
  queue: boolean;
  maxAttempts: number;
  urlExpiresInSeconds: number;
  partBytes: number;
}

function identity({ bridgeId, source, destination }: Settings) {
  return {
    bridgeId,
    sourceId: `memory:${source}`,
    destinationId: `memory:${destination}`,
    logLevel: "error" as const,
  };
}

export function senderConfig(settings: Settings): SenderConfig {
  return {
    ...identity(settings),
    source: { kind: "s3", bucket: settings.source, region: "memory" },
    scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
    deletes: settings.deletes,
    statusTags: settings.statusTags,
    ...(settings.queue ? { queueUrl: "memory:queue" } : {}),
    deadLetterUrl: "memory:dead-letters",
    receiverUrl: "https://receiver.invalid/",
    auth: { kind: "token", parameter: "token" },
    urlExpiresInSeconds: settings.urlExpiresInSeconds,
    receiverTimeoutSeconds: LIMITS.receiverMs / 1000,
    maxAttempts: settings.maxAttempts,
  };
}

function destinationSide(settings: Settings) {
  return {
    ...identity(settings),
    destination: { kind: "s3" as const, bucket: settings.destination, region: "memory" },
    destinationPrefix: "",
    allowedSources: [{ origin: "https://source.invalid", pathPrefix: "/" }],
  };
}

export function receiverConfig(settings: Settings): ReceiverConfig {
  return {
    ...destinationSide(settings),
    auth: { kind: "token", parameter: "token" },
    inlineLimitBytes: LIMITS.inlineBytes,
    timeoutSeconds: LIMITS.receiverMs / 1000,
    copier: { functionName: "copier", timeoutSeconds: LIMITS.copierMs / 1000 },
    allowedCidrs: [],
  };
}

export function copierConfig(settings: Settings): CopierConfig {
  return {
    ...destinationSide(settings),
    timeoutSeconds: LIMITS.copierMs / 1000,
    partSizeBytes: settings.partBytes,
    concurrency: 2,
  };
}
