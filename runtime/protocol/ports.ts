/** The interfaces that a role receives, so that a test or a simulation can replace them. */
import type { ReplicationRequest, ReplicationResponse } from "./messages";
import type { PushState } from "./push";
import type { ObjectSnapshot } from "./snapshot";

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Aborts once that much time has passed; keeps no process alive. */
  after(ms: number): AbortSignal;
}

/** When the platform ends the running invocation. */
export interface Deadline {
  /** Milliseconds that are left. */
  remainingMs(): number;
}

export const systemClock: Clock = {
  now: Date.now,
  after: (ms) => AbortSignal.timeout(Math.max(0, ms)),
};

/** Returns a number in [0, 1). */
export type Random = () => number;

export const systemRandom: Random = Math.random;

/** One structured line per call. Values must be safe to keep: no URL, no credential, no object data. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

export type MetricName =
  | "Replicated"
  | "Unchanged"
  | "Deleted"
  | "Parked"
  | "Retried"
  | "Skipped"
  | "BytesMoved"
  | "LagMs"
  /** From the canary's put until it is seen at the other side. */
  | "ProbeLagMs"
  /** 1 for a canary that did not arrive in time, 0 for one that did. */
  | "ProbeGaveUp";

export interface Metrics {
  add(name: MetricName, value: number): void;
}

export interface ByteRange {
  /** First byte, from 0. */
  start: number;
  /** Last byte, inclusive. */
  end: number;
}

/** How a POST to the receiver can fail. */
export class ReceiverUnreachable extends Error {
  /**
   * True when the request may have reached the receiver: an attempt may run until its hard end.
   * False when the request was certainly refused before an attempt began (throttled, denied, name not resolved).
   */
  readonly attemptMayRun: boolean;
  /** False when asking again cannot help until an operator acts (401, 403, 400). */
  readonly retryable: boolean;
  constructor(message: string, options: { attemptMayRun: boolean; retryable: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ReceiverUnreachable";
    this.attemptMayRun = options.attemptMayRun;
    this.retryable = options.retryable;
  }
}

/** Signs and posts. Rejects with `ReceiverUnreachable`. The response has one receipt per notice, in order. */
export interface ReceiverClient {
  post(request: ReplicationRequest, options?: { signal?: AbortSignal }): Promise<ReplicationResponse>;
}

/** A queue message: "look at this key". It is the same for every kind of event. */
export interface Look {
  key: string;
  /** 0 for a fresh event; one more each time a temporary failure puts it back. */
  attempt: number;
  /** When the first event for it was decoded; ms since the epoch, the sender's clock. */
  firstSeenMs: number;
}

export interface WorkQueue {
  /** Resolves once the message is stored. `delaySeconds` 0 to 900. */
  enqueue(look: Look, delaySeconds: number): Promise<void>;
}

export interface DeadLetterQueue {
  /**
   * Resolves once the message is stored with its reason. A redrive processes the look (or the original) again.
   * @param original the unchanged message, where no look could be read from it
   */
  park(look: Look, reason: string, original?: string): Promise<void>;
}

/** Starts long copies. Resolves once the start is stored; starting the same execution twice is harmless. */
export interface CopyLauncher {
  start(job: CopyJob): Promise<void>;
}

/** The copier's input. The lease record holds the same execution and snapshot. */
export interface CopyJob {
  execution: string;
  key: string;
  /** Presigned, pinned by the snapshot's etag when read. */
  url: string;
  snapshot: ObjectSnapshot;
}

/** Starts executions of the workflow of push mode. Rejects with a `BridgeError`. */
export interface FlowStarter {
  /**
   * The execution's name is the idempotency key.
   * - `started`: the execution of this name runs with this input, started by this call or by an earlier one.
   * - `running`: it runs with another input.
   * - `finished`: it has ended, with success or failure.
   */
  start(execution: string, input: PushState): Promise<"started" | "running" | "finished">;
  /** `status` as CloudFlow names it, `input` as JSON. Undefined where the service no longer keeps the execution. */
  describe(execution: string): Promise<{ status: string; input: string } | undefined>;
}
