/** What was opened, to be closed in reverse order, whatever becomes of one of them. */
export interface Closers {
  add(close: () => unknown): void;
  /** Rejects with an `AggregateError` when all are through and some have failed. */
  closeAll(): Promise<void>;
  /** Closes all because of a failure, and rejects with it; with an `AggregateError` that begins with it where others come on top. */
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
      if (failures.length > 0) throw together(failures);
    },
    async closeAfter(failure) {
      const failures = await close();
      throw failures.length > 0 ? together([failure, ...failures]) : failure;
    },
  };
}

function together(failures: readonly unknown[]): AggregateError {
  const texts = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
  return new AggregateError(failures, texts.join("; "));
}

/** All of them, or the first failure once all are over: nothing is started behind the back of the clean-up. */
export async function settled<T extends readonly unknown[]>(...work: { [K in keyof T]: Promise<T[K]> | T[K] }): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}
