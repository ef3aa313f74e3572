/**
 * What the model assumes about time and size. From these figures the simulation in `tests/cost` derives how long the functions run; nothing here was
 * measured in a cloud account of ours.
 */
import { COUNTED } from "./counted";
import type { Cloud } from "./prices";

export const ASSUMED = {
  /**
   * A request of less than 512 KB to a store in the same region, until its first byte: "in the tens of milliseconds".
   * https://docs.aws.amazon.com/whitepapers/latest/s3-optimizing-performance-best-practices/timeouts-and-retries-for-latency-sensitive-applications.html
   */
  storeMs: 30,
  /** There and back across the border, on an open connection. */
  borderMs: 150,
  /** API Gateway or the HTTP trigger, until a warm function runs. */
  endpointMs: 20,
  /** Call of a queue, a workflow or a function in the same region. */
  controlMs: 20,
  /** Work of one vCPU for a request: sign, send, parse. `npm run bench` measures it. */
  cpuMsPerRequest: 1,
  /** What one instance of 1 GB moves, in all its connections. Users of Lambda have measured 50 to 85 MB/s. */
  instanceBytesPerSecond: 50 * 1024 ** 2,
  /** What one connection across the border moves: a window of 4 MiB for each time there and back. */
  connectionBytesPerSecond: Math.round((4 * 1024 ** 2) / 0.15),
  /** The lines START, END and REPORT that Lambda writes for an invocation, and the line with the metrics. */
  platformLogBytes: 1_200,
} as const;

export type FunctionRole = "sender" | "receiver" | "copier" | "dispatcher" | "pusher";

/** The size of a function. Tests compare it with the recorded plans. */
export interface FunctionSize {
  memoryMb: number;
  vcpus: number;
}

export const MEMORY_MB: Readonly<Record<FunctionRole, number>> = {
  sender: 512,
  receiver: 1024,
  copier: 1024,
  dispatcher: 512,
  pusher: 1024,
};

/** A function of 1,769 MB has one vCPU. https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const LAMBDA_MB_PER_VCPU = 1_769;

export function functionSize(cloud: Cloud, role: FunctionRole): FunctionSize {
  const memoryMb = MEMORY_MB[role];
  if (cloud !== "alicloud") return { memoryMb, vcpus: memoryMb / LAMBDA_MB_PER_VCPU };
  return { memoryMb, vcpus: memoryMb / 2048 };
}

/** How long invocations run: for one event, for ten at once, and for one that is pushed. `large` is without the time for the bytes. */
export const BUSY_MS: {
  readonly single: Record<"new" | "unchanged", { sender: number; receiver: number }>;
  readonly batch: Record<"new" | "unchanged", { sender: number; receiver: number }>;
  /** A batch of a queue with `batchSeconds`. */
  readonly window: Record<"new" | "unchanged", { sender: number; receiver: number }>;
  /** All events that one instance of the sender at an OSS source takes at the same time. */
  readonly ossEvents: Record<"new" | "unchanged", { sender: number; receiver: number }>;
  readonly push: Record<"new" | "unchanged", { dispatcher: number; pusher: number }>;
  /** All invocations for one object together. */
  readonly large: Record<FunctionRole, number>;
} = COUNTED.busyMs;

/** Bytes that the functions write to the log for one object, without the lines of each invocation. */
export const LOG_BYTES: {
  readonly pull: { sender: number; receiver: number };
  readonly push: { dispatcher: number; pusher: number };
} = COUNTED.logBytes;
