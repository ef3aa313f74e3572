/** Closes what was opened, in reverse order. A failure does not keep the others open. */
export interface Closers {
  add(close: () => unknown): void;
  /** Closes all, then rejects with an `AggregateError` when some failed. */
  closeAll(): Promise<void>;
  /** Closes all, then rejects with `failure`, or with an `AggregateError` of it and the failures of the closing. */
  closeAfter(failure: unknown): Promise<never>;
}

export function createClosers(): Closers {
  const open: (() => unknown)[] = [];
  const close = async (): Promise<unknown[]> => {
    const failures: unknown[] = [];
    for (const one of open.splice(0).reverse()) {
      try {
        await one();
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  };
  return {
    add: (one) => void open.push(one),
    async closeAll() {
      const failures = await close();
      if (failures.length > 0) throw aggregate(failures);
    },
    async closeAfter(failure) {
      const failures = await close();
      throw failures.length > 0 ? aggregate([failure, ...failures]) : failure;
    },
  };
}

function aggregate(failures: readonly unknown[]): AggregateError {
  const texts = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
  return new AggregateError(failures, texts.join("; "));
}

/** Like `Promise.all`, but rejects only after all have settled, so that a clean-up sees everything that was started. */
export async function settled<T extends readonly unknown[]>(...work: { [K in keyof T]: Promise<T[K]> | T[K] }): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}
