/** Keeps what was read, so that the next look reads less. */
import type { FunctionLog, LogLine, ReadOptions } from "../operated-bridge";

type ReadLog = (options: ReadOptions & { sinceMs: number }) => Promise<FunctionLog>;

/** A line can arrive in the store of the log this much later than others. */
const LATE_MS = 60_000;

/** Keeps the newest lines of a log: each look reads only what was added since the last one. */
export class LogTail {
  #lines: LogLine[] = [];
  /** Until when everything was read. Undefined before the first look, and after one that was not complete. */
  #readUntilMs: number | undefined;

  /** @param now by the clock of the operator's machine */
  constructor(
    private readonly log: ReadLog,
    private readonly now: () => number,
  ) {}

  /** The lines since then, oldest first. A second call begins only after the first one has ended. */
  async read({ sinceMs, ...options }: Parameters<ReadLog>[0]): Promise<FunctionLog> {
    const beganMs = this.now();
    const fromMs = Math.max(sinceMs, (this.#readUntilMs ?? sinceMs) - LATE_MS);
    const { lines, complete } = await this.log({ ...options, sinceMs: fromMs });
    const merged = new Map<string, LogLine>();
    for (const line of [...this.#lines, ...lines]) if (line.atMs >= sinceMs) merged.set(identityOf(line), line);
    this.#lines = [...merged.values()].sort((a, b) => a.atMs - b.atMs).slice(-options.limit);
    this.#readUntilMs = complete ? beganMs : undefined;
    return { lines: this.#lines, complete };
  }
}

const identityOf = ({ atMs, message, fields }: LogLine): string => JSON.stringify([atMs, message, fields]);

/** Keeps a value for some time. */
export class Remembered<T> {
  #value: { value: T; atMs: number } | undefined;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly now: () => number,
    private readonly everyMs: number,
  ) {}

  async get(): Promise<T> {
    if (this.#value === undefined || this.now() - this.#value.atMs >= this.everyMs)
      this.#value = { value: await this.read(), atMs: this.now() };
    return this.#value.value;
  }

  forget(): void {
    this.#value = undefined;
  }
}
