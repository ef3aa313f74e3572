/** Configuration of the roles in a world. */
import type { CopierConfig, DispatcherConfig, PusherConfig, ReceiverConfig, SenderConfig } from "../../../runtime/protocol/env";

export const LIMITS = {
  senderMs: 60_000,
  receiverMs: 29_000,
  copierMs: 120_000,
  dispatcherMs: 60_000,
  pusherMs: 120_000,
  visibilityMs: 100_000,
  /** Hard end of a pusher's write of a small object. */
  inlineMs: 20_000,
  /** Wait before the workflow repeats a step. It is longer than `inlineMs` plus `NETWORK_MS`. */
  repeatMs: 30_000,
  /** How often the workflow tries one step before it parks the key. */
  stepTries: 6,
  inlineBytes: 8,
  partBytes: 4,
} as const;

/** Settings that a test may change between two runs of a function. */
export interface Settings {
  source: string;
  destination: string;
  deletes: "ignore" | "replicate";
  statusTags: boolean;
  maxAttempts: number;
  giveUpAfterSeconds: number;
  urlExpiresInSeconds: number;
  partBytes: number;
  /** @default 10 */
  copiesAtOnce?: number;
  /** Hard end of a copier. @default LIMITS.copierMs */
  copierMs?: number;
}

const identity = ({ source, destination }: Settings) => ({
  bridgeId: bridgeIdOf({ source, destination }),
  sourceId: `memory:${source}`,
  destinationId: `memory:${destination}`,
  logLevel: "error" as const,
});

export const bridgeIdOf = ({ source, destination }: Pick<Settings, "source" | "destination">): string =>
  `${source}-to-${destination}`;

/** The unique id of the sender's role. */
const ownPrincipalOf = (settings: Settings): string => `AROA-${bridgeIdOf(settings)}`;

/** The sender as S3 names it in an event. */
export const principalOf = (settings: Settings): string =>
  `AWS:${ownPrincipalOf(settings)}:crossborderbridge-${bridgeIdOf(settings)}-sender`;

const everything = { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 };

export const senderConfig = (settings: Settings): SenderConfig => ({
  ...identity(settings),
  source: { kind: "s3", bucket: settings.source, region: "memory" },
  scope: everything,
  deletes: settings.deletes,
  statusTags: settings.statusTags,
  ownPrincipal: ownPrincipalOf(settings),
  queueUrl: "memory:queue",
  outageQueueUrl: "memory:outage",
  deadLetterUrl: "memory:dead-letters",
  receiverUrl: "https://receiver.invalid/",
  auth: { kind: "token", parameter: "token" },
  urlExpiresInSeconds: settings.urlExpiresInSeconds,
  receiverTimeoutSeconds: LIMITS.receiverMs / 1000,
  maxAttempts: settings.maxAttempts,
  inlineLimitBytes: LIMITS.inlineBytes,
  giveUpAfterSeconds: settings.giveUpAfterSeconds,
});

const destinationSide = (settings: Settings) => ({
  ...identity(settings),
  destination: { kind: "s3" as const, bucket: settings.destination, region: "memory" },
  destinationPrefix: "",
  allowedSources: [{ origin: "https://source.invalid", pathPrefix: "/" }],
});

export const receiverConfig = (settings: Settings): ReceiverConfig => ({
  ...destinationSide(settings),
  auth: { kind: "token", parameter: "token" },
  inlineLimitBytes: LIMITS.inlineBytes,
  timeoutSeconds: LIMITS.receiverMs / 1000,
  copier: { functionName: "copier", timeoutSeconds: (settings.copierMs ?? LIMITS.copierMs) / 1000 },
  copiesAtOnce: settings.copiesAtOnce ?? 10,
  allowedCidrs: [],
});

export const copierConfig = (settings: Settings): CopierConfig => ({
  ...destinationSide(settings),
  timeoutSeconds: (settings.copierMs ?? LIMITS.copierMs) / 1000,
  partSizeBytes: settings.partBytes,
  partsAtOnce: 2,
});

const pushSide = (settings: Settings) => ({
  ...identity(settings),
  source: { kind: "oss" as const, bucket: settings.source, region: "memory", versioned: true, network: "internal" as const },
  scope: everything,
  queueUrl: "memory:queue",
  deadLetterUrl: "memory:dead-letters",
  deletes: settings.deletes,
  giveUpAfterSeconds: settings.giveUpAfterSeconds,
});

export const dispatcherConfig = (settings: Settings): DispatcherConfig => ({ ...pushSide(settings), flowName: "flow" });

export const pusherConfig = (settings: Settings): PusherConfig => ({
  ...pushSide(settings),
  statusTags: settings.statusTags,
  copiesAtOnce: settings.copiesAtOnce ?? 10,
  maxAttempts: settings.maxAttempts,
  outageQueueUrl: "memory:outage",
  dispatcherFunctionName: "dispatcher",
  destination: { kind: "oss", bucket: settings.destination, region: "memory", versioned: true, network: "accelerate" },
  destinationPrefix: "",
  controlBucket: "control",
  inlineLimitBytes: LIMITS.inlineBytes,
  inlineTimeoutSeconds: LIMITS.inlineMs / 1000,
  timeoutSeconds: LIMITS.pusherMs / 1000,
  partSizeBytes: settings.partBytes,
  partsAtOnce: 2,
});
