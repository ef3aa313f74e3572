/** A deployed bridge as the commands see it, with the operator's own credentials for each side. */

import type { S3ClientConfig } from "@aws-sdk/client-s3";
import type { BridgeConfig } from "../components/config";
import type { BridgeOutputs } from "../components/config/settings";
import type { OriginOf } from "../runtime/platforms/alicloud-fc/endpoints";
import type { StoredLook } from "../runtime/protocol/queue-messages";
import type { ObjectStore } from "../runtime/stores/object-store";
import type { OssCredentialsProvider } from "../runtime/stores/oss/credentials";

/** The outputs that the commands read. The mode decides which of them exist. */
export type OperatedOutputs = Omit<BridgeOutputs, "kmsKeyPolicyStatements" | "notices" | "estimatedCost"> &
  Partial<Pick<BridgeOutputs, "kmsKeyPolicyStatements">>;

/** Calls functions of one side. */
export interface FunctionInvoker {
  /** Resolves to the answer, parsed from JSON. Rejects with a `BridgeError` when the call or the function fails. */
  invoke(functionName: string, payload: unknown, options?: { signal?: AbortSignal | undefined }): Promise<unknown>;
  /** Resolves once the platform has stored the event. */
  invokeAsync(functionName: string, payload: string, options?: { signal?: AbortSignal | undefined }): Promise<void>;
}

export interface OperatedSide {
  side: "source" | "destination";
  cloud: BridgeConfig["source"]["cloud"];
  region: string;
  bucket: string;
  /** Prefix of every key of the scope on this side. */
  keyPrefix: string;
  store: ObjectStore;
  functions: FunctionInvoker;
}

/** A dead letter of one key. */
export interface ParkedKey {
  key: string;
  reason: string;
  parkedAt: Date | undefined;
}

export interface DeadLetters {
  letters: ParkedKey[];
  /** Whether these are all dead letters of the queue. */
  complete: boolean;
}

export interface RedriveOptions {
  /** Whether to hand over a letter with these keys. The others stay in the queue. */
  select(letters: readonly ParkedKey[]): boolean;
  /** Hand over at most so many messages. */
  limit: number;
  /** Called after each batch. */
  onProgress(redriven: Redriven): void;
  signal?: AbortSignal | undefined;
}

export interface Redriven {
  /** Letters that were handed over and removed. */
  handed: number;
  /** Letters that were read and not handed over. */
  left: number;
  /** Those of them whose keys the bridge gave up again during this redrive. Absent if there are none. */
  again?: number | undefined;
  /** Whether every letter of the queue was read. */
  complete: boolean;
}

/** A way by which events reach the bridge's functions. */
export interface EventWay {
  /** For a person: `the work queue`. */
  name: string;
  isOpen: boolean;
}

/** The ways of one bridge. */
export interface EventWays {
  read(options?: { signal?: AbortSignal | undefined }): Promise<EventWay[]>;
  /** Opens or closes every way. Repeating it does no harm. */
  set(isOpen: boolean, options?: { signal?: AbortSignal | undefined }): Promise<void>;
}

/** Keys of the outage queue. */
export interface HeldLooks {
  looks: StoredLook[];
  /** Whether these are all keys of the queue. */
  complete: boolean;
}

/** A structured line that a function wrote. */
export interface LogLine {
  atMs: number;
  level: string;
  message: string;
  fields: Readonly<Record<string, unknown>>;
}

export interface FunctionLog {
  /** Oldest first. */
  lines: LogLine[];
  /** Whether these are all lines of the time. */
  complete: boolean;
}

export interface KeyLine extends LogLine {
  side: "source" | "destination";
  functionName: string;
}

export interface KeyLog {
  /** Oldest first, by the clock of each side. */
  lines: KeyLine[];
  complete: boolean;
  /** What could not be read. */
  notes: string[];
}

/** A workflow execution that has not ended. */
export interface RunningExecution {
  key: string;
  startedMs: number;
}

export interface RunningExecutions {
  executions: RunningExecution[];
  complete: boolean;
}

export interface ReadOptions {
  limit: number;
  signal?: AbortSignal | undefined;
}

export interface OperatedBridge {
  stack: string;
  config: Omit<BridgeConfig, "token">;
  outputs: OperatedOutputs;
  source: OperatedSide;
  destination: OperatedSide;
  /** Reads at most `limit` dead letters and leaves them in the queue. Empty if the mode has no dead-letter queue. */
  deadLetters(options: ReadOptions): Promise<DeadLetters>;
  /**
   * Hands dead letters to the bridge again, and removes each after it was handed over. After a crash in between a letter is handed over twice,
   * which does no harm. Rejects with `Unsupported` if the mode has no dead-letter queue.
   */
  redrive(options: RedriveOptions): Promise<Redriven>;
  /** Reads at most `limit` keys of the outage queue and leaves them in it. Empty if the bridge has no outage queue. */
  held(options: ReadOptions): Promise<HeldLooks>;
  /** The messages of the work queue: ready, delayed or in work. Undefined if the bridge has no work queue. */
  queued(options?: { signal?: AbortSignal | undefined }): Promise<number | undefined>;
  /** How events reach the bridge. Undefined in mode native, which cannot hold them back without losing any. */
  ways: EventWays | undefined;
  /** Every line about this key that the functions of both sides logged since then. */
  keyLog(key: string, options: ReadOptions & { sinceMs: number }): Promise<KeyLog>;
  /** Log lines of the source's functions about keys, and their errors, since then. Empty in mode native. */
  log(options: ReadOptions & { sinceMs: number }): Promise<FunctionLog>;
  /**
   * Log lines of one side's functions about keys and copies that they worked on, and their metrics, since then. Empty in mode native, and where
   * the log's name is not known.
   */
  activity(side: OperatedSide["side"], options: ReadOptions & { sinceMs: number }): Promise<FunctionLog>;
  /** Executions that have not ended. Empty outside mode push. */
  executions(options: ReadOptions): Promise<RunningExecutions>;
  /** Hands these keys to the bridge, as events would. Rejects with `Unsupported` in mode native. */
  enqueue(keys: readonly string[], options?: { signal?: AbortSignal | undefined }): Promise<void>;
  close(): Promise<void>;
}

/** How clients of the operator reach one side of a bridge. */
interface Access {
  region: string;
  /** PEM of the only certificate to trust. @default the bundle of Node.js */
  ca?: string | undefined;
}

export interface AwsAccess extends Access {
  cloud: "aws" | "aws-cn";
  credentials: NonNullable<S3ClientConfig["credentials"]>;
  /** @default the vendor's endpoint */
  endpoint?: string | undefined;
}

export interface AlicloudAccess extends Access {
  cloud: "alicloud";
  credentials: OssCredentialsProvider;
  /** Maps each of the vendor's hosts to an origin. */
  originOf: OriginOf;
}

export type SideAccess = AwsAccess | AlicloudAccess;

/** The settings and outputs of a stack, and the access to its sides, before its bridge is opened. */
export interface StackToOperate {
  stack: string;
  config: Omit<BridgeConfig, "token">;
  outputs: OperatedOutputs;
  access: { source: SideAccess; destination: SideAccess };
}

/** A stack with its settings, which may not be deployed yet. */
export interface ConfiguredStack extends Omit<StackToOperate, "outputs"> {
  /** Undefined before the first deployment. */
  outputs: OperatedOutputs | undefined;
}
