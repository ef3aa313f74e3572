/** Whoever decides what happens next. fast-check's scheduler is one; `Director` another. */
export interface Steps {
  /** Resolves when it is its turn. */
  schedule<T>(task: Promise<T>, label?: string): Promise<T>;
  /** How many wait for their turn. */
  count(): number;
  waitNext(count: number): Promise<void>;
}
