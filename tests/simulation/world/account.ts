/** The instances that the functions of one account may use at once. */
import type { SourceReader } from "../../../runtime/replication/source";
import type { WorldTime } from "./time";

/** The platform drops an asynchronous start when no instance is free for this long. */
const START_WAITS_MS = 60_000;

export class Account {
  /** Starts that the platform dropped. */
  dropped = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private free: number,
    private readonly time: WorldTime,
  ) {}

  /** For a synchronous invocation: false means that it is throttled. */
  take(): boolean {
    if (this.free === 0) return false;
    this.free--;
    return true;
  }

  /** For an asynchronous start: false means that it was dropped. */
  async wait(): Promise<boolean> {
    const endMs = this.time.now() + START_WAITS_MS;
    for (;;) {
      if (this.take()) return true;
      if (this.time.now() >= endMs) break;
      await Promise.race([this.time.sleep(endMs - this.time.now()), new Promise<void>((resolve) => this.waiting.push(resolve))]);
    }
    this.dropped++;
    return false;
  }

  give(): void {
    this.free++;
    for (const wake of this.waiting.splice(0)) wake();
  }
}

/** A reader whose every read of bytes takes this long. */
export function slowReader(reader: SourceReader, time: WorldTime, readMs: number): SourceReader {
  return {
    bind: (...of) => {
      const bound = reader.bind(...of);
      return {
        ...bound,
        async open(options) {
          await time.sleep(readMs, options.signal);
          return await bound.open(options);
        },
      };
    },
  };
}
