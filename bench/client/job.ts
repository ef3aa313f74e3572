/** The input and the answer of the process that runs the product's code. */
import type { Notice } from "../../runtime/protocol/messages";
import type { BucketAccess } from "../servers/store-server";

/**
 * - `prepare`: takes snapshots, signs URLs and writes the notices, before the measurement.
 * - `receiver`: the receiver gets requests with a batch of notices each.
 * - `sender`: the sender gets messages, and its requests go to the receiver in the same process.
 * - `read-and-write`: the write of each notice alone, without a look at the destination before.
 * - `copier`: the receiver starts the copier for each notice, in the same process.
 * - `pusher`: the steps of one workflow execution for each key.
 */
export const DRIVERS = ["prepare", "receiver", "sender", "read-and-write", "copier", "pusher"] as const;
export type Driver = (typeof DRIVERS)[number];

export interface ClientJob {
  driver: Driver;
  /** As the product reaches it: over the long link, where there is one. */
  source: BucketAccess;
  destination: BucketAccess;
  /** Holds leases, where the destination has no conditional write. */
  controlBucket?: BucketAccess | undefined;
  keys: readonly string[];
  /** Written by `prepare`, read by the others. */
  noticesPath: string;
  outcomePath: string;
  /** Keys of one request or invocation. */
  batchSize: number;
  /** Requests or invocations at the same time. */
  concurrency: number;
  /** The copier copies larger objects. */
  inlineLimitBytes: number;
  partSizeBytes: number;
  partsAtOnce: number;
  /** The hard end of a copier. */
  copierSeconds: number;
  /** Whether the copier may copy an object as one stream. */
  mayStream: boolean;
}

export interface ClientOutcome {
  /** From the first call of the handler to the last answer: without the start of the process. */
  workSeconds: number;
  /** How many keys ended with each result. */
  results: Record<string, number>;
  /** Some reasons of keys that were not replicated. */
  reasons: string[];
}

export type Notices = Notice[];
