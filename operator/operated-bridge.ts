/** A deployed bridge as the operator's command works on it: with the operator's own credentials for each side. */
import type { BridgeConfig } from "../components/config";
import type { BridgeOutputs } from "../components/config/settings";
import type { ObjectStore } from "../runtime/stores/object-store";

/** The outputs that the command works with. Which are there depends on the mode. */
export type OperatedOutputs = Omit<BridgeOutputs, "kmsKeyPolicyStatements" | "notices">;

/** Calls one function of a side and hands its answer back. */
export interface FunctionInvoker {
  /** Resolves to what JSON.parse made of the answer. Rejects with a `BridgeError` when the call or the function fails. */
  invoke(functionName: string, payload: unknown, options?: { signal?: AbortSignal }): Promise<unknown>;
  /** Resolves once the platform has stored the event. */
  invokeAsync(functionName: string, payload: string, options?: { signal?: AbortSignal }): Promise<void>;
}

export interface OperatedSide {
  side: "source" | "destination";
  cloud: BridgeConfig["source"]["cloud"];
  region: string;
  bucket: string;
  /** In front of every key of the scope on this side. */
  keyPrefix: string;
  store: ObjectStore;
  functions: FunctionInvoker;
}

/** A dead letter, as far as it can be read. */
export interface ParkedKey {
  key: string;
  reason: string;
  parkedAt: Date | undefined;
}

export interface DeadLetters {
  letters: ParkedKey[];
  /** Whether the queue was seen to hold no others. */
  complete: boolean;
}

export interface OperatedBridge {
  stack: string;
  config: Omit<BridgeConfig, "token">;
  outputs: OperatedOutputs;
  source: OperatedSide;
  destination: OperatedSide;
  /**
   * What the dead-letter queue holds, without taking anything away for good; empty where the mode has no such queue.
   * At most `limit` letters.
   */
  deadLetters(options: { limit: number; signal?: AbortSignal }): Promise<DeadLetters>;
  /** Asks the bridge to look at these keys again, as an event would; in mode native it rejects with `Unsupported`. */
  enqueue(keys: readonly string[], options?: { signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
}
