/** The form of a workload: what is copied, between which stores, by which contenders, and what must hold. */
import type { Driver } from "./client/job";
import type { ObjectPlan } from "./objects";
import type { PeerName } from "./peers";
import type { Link } from "./servers/delay-proxy";

export type StoreKind = "s3" | "oss";

/** One way of the product to do the work. */
export interface Own {
  name: string;
  label: string;
  integrity: string;
  driver: Exclude<Driver, "prepare">;
  /** Keys of one request or invocation. @default 1 */
  batchSize?: number | undefined;
  /** Requests or invocations at the same time. @default 1 */
  concurrency?: number | undefined;
  /** @default larger than every object */
  inlineLimitBytes?: number | undefined;
  /** False for a copier that copies in parts only. @default true */
  mayStream?: boolean | undefined;
}

/** The targets of one way of the product. */
export type Target =
  | { own: string; what: "time"; atMost: number; peer: PeerName | "best" }
  | { own: string; what: "rate"; atLeast: number; peer: PeerName | "best" }
  | { own: string; what: "cpuPerGib"; atMost: number }
  | { own: string; what: "rss"; atMostBytes: number };

export interface DataWorkload {
  kind: "data";
  name: string;
  /** Words that select it on the command line, besides its name. */
  groups: readonly string[];
  objects: ObjectPlan;
  source: StoreKind;
  destination: StoreKind;
  transport: "tls" | "plain";
  /** Between the source and the client. @default none: loopback */
  link?: Link | undefined;
  owns: readonly Own[];
  peers: readonly PeerName[];
  /** Why a peer is missing that a reader expects. */
  note?: string | undefined;
  targets: readonly Target[];
}

/** A workload that measures in its own way and reports a table. */
export interface OtherWorkload {
  kind: "other";
  name: string;
  groups: readonly string[];
  title: string;
  measure(options: { quick: boolean; rounds: number; onProgress: (line: string) => void }): Promise<TableReport>;
}

export type Workload = DataWorkload | OtherWorkload;

export interface TableReport {
  head: readonly string[];
  rows: readonly (readonly string[])[];
  notes: readonly string[];
  /** The targets, each with its measured value. */
  targets: readonly { target: string; measured: string; isMet: boolean }[];
}
