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
  // Node takes whole milliseconds only.
  after: (ms) => AbortSignal.timeout(Math.max(0, Math.floor(ms))),
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
  /** A key was put back after a failure. */
  | "Retried"
  /** A key was put back, or held, without a failure. */
  | "Waited"
  /** A large object waits until fewer copies run. */
  | "WaitingForRoom"
  /** Time since the first event of a key that is put back or held. */
  | "OldestUnprovenAgeMs"
  /** 1 while the outage queue holds keys, else 0; once a minute. */
  | "BreakerOpen"
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
  /** False when the request itself is wrong (400, 413): asking again cannot help. */
  readonly retryable: boolean;
  /** The receiver works and asks for fewer requests. */
  readonly throttled: boolean;
  /** From `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  constructor(
    message: string,
    options: {
      attemptMayRun: boolean;
      retryable: boolean;
      throttled?: boolean | undefined;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ReceiverUnreachable";
    this.attemptMayRun = options.attemptMayRun;
    this.retryable = options.retryable;
    this.throttled = options.throttled ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Signs and posts. Rejects with `ReceiverUnreachable`. The response has one receipt per notice, in order. */
export interface ReceiverClient {
  post(request: ReplicationRequest, options?: { signal?: AbortSignal }): Promise<ReplicationResponse>;
  /** Opens the connection that the next `post` needs, where none is free. Sends nothing, and does not wait. */
  warm?(): void;
}

/** Where a reason comes from. `border`: between the sender and the receiver. */
export const PLACES = ["source", "border", "destination"] as const;
export type Place = (typeof PLACES)[number];

/** Why a key was put back the last time. */
export interface LastReason {
  reason: string;
  place: Place;
  /** The store that the reason concerns, `<cloud>:<bucket>`. Absent where it concerns none. */
  store?: string | undefined;
  /** ms since the epoch. */
  atMs: number;
}

/**
 * A queue message: "look at this key", with what is known of the tries so far. It is the same for every kind of event.
 *
 * A *failure* is an attempt that was made at one state of the source and ended with a cause. `maxAttempts` of them park the key. A *wait* is
 * everything else that puts a key back: nothing was tried, or it is not over. Waits end by the age of the key alone.
 */
export interface Look {
  key: string;
  /** When the first event for it was decoded; ms since the epoch, the sender's clock. */
  firstSeenMs: number;
  /** Failures at `state`; 0 for a fresh event. */
  failures: number;
  /** How often it was put back without a failure, in a row. The delays grow with it. */
  waits?: number | undefined;
  /** The source state that `failures`, `slow` and `difference` belong to: the beginning of its snapshot's id. */
  state?: string | undefined;
  /** An attempt at `state` ran out of time: the copier takes it up. */
  slow?: true | undefined;
  /** What differed after the last undisturbed write of `state`. The same difference twice is permanent. */
  difference?: string | undefined;
  last?: LastReason | undefined;
  /** The tick took it from the outage queue after it had reached the other side: it is sent although that queue is not empty yet. */
  released?: true | undefined;
  /** When it is tried again; ms since the epoch. For people: the queue decides. */
  nextTryMs?: number | undefined;
}

export interface WorkQueue {
  /** Resolves once the message is stored. `delaySeconds` 0 to 900. */
  enqueue(look: Look, delaySeconds: number): Promise<void>;
  /** Resolves once all of them are stored, without a delay. */
  enqueueAll(looks: readonly Look[]): Promise<void>;
}

/** A message of the outage queue, hidden from other readers for 45 s: longer than a probe, shorter than the time between two ticks. */
export interface HeldMessage {
  look: Look;
  /** Removes exactly this delivery. */
  handle: string;
}

/**
 * Holds keys while the other side is down. Nothing consumes it but the tick. While it is not empty the breaker is open: no other state is kept.
 */
export interface OutageQueue {
  /** The answer may be a minute old. */
  isEmpty(): Promise<boolean>;
  /** Resolves once all of them are stored. */
  add(looks: readonly Look[]): Promise<void>;
  /** At most 10 messages, the oldest first where the queue can. Empty where none is visible. */
  receive(): Promise<HeldMessage[]>;
  remove(messages: readonly HeldMessage[]): Promise<void>;
}

/** Starts the function that takes looks, on a platform whose queue starts none. */
export interface LookStarter {
  /** @param messages the text of look messages, as a queue stores them. Resolves once the platform has stored the start. */
  start(messages: readonly string[]): Promise<void>;
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
  /** The destination key. */
  key: string;
  /** The key that the URL names. */
  sourceKey: string;
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
