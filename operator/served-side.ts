import type { DeadLetters, FunctionInvoker, OperatedSide } from "./operated-bridge";

/** One side with what its cloud alone knows how to do. */
export interface ServedSide {
  store: OperatedSide["store"];
  functions: FunctionInvoker;
  /** Leaves the queue as it was. */
  deadLetters(queueUrl: string, options: { limit: number; signal?: AbortSignal | undefined }): Promise<DeadLetters>;
  /** Resolves once a fresh look at each key is stored in the work queue; absent where no bridge has one. */
  enqueue?(
    queueUrl: string,
    keys: readonly string[],
    options: { nowMs: number; signal?: AbortSignal | undefined },
  ): Promise<void>;
  close(): Promise<void>;
}

/** What a store has to be opened with. */
export interface StoreOfSide {
  bucket: string;
  versioning?: boolean | undefined;
  storageClass?: string | undefined;
  kmsKeyArn?: string | undefined;
  kmsKeyId?: string | undefined;
}
