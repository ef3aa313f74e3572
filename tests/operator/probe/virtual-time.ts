import { setImmediate } from "node:timers/promises";
import type { Time } from "../../../operator/probe/time";

interface Sleeper {
  at: number;
  wake(): void;
}

/** Time that passes only when everybody sleeps. */
export class VirtualTime implements Time {
  private ms = Date.parse("2026-03-01T10:00:00Z");
  private sleepers: Sleeper[] = [];

  now = (): number => this.ms;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const sleeper = {
        at: this.ms + ms,
        wake: () => {
          signal?.removeEventListener("abort", stop);
          resolve();
        },
      };
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", stop);
    });

  /** Lets time pass until the work is done, which may wait for files as well. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const watched = work.finally(() => {
      isDone = true;
    });
    watched.catch(() => undefined);
    for (;;) {
      for (let turn = 0; turn < 3; turn++) await setImmediate();
      if (isDone) return await watched;
      const [first] = this.sleepers.sort((a, b) => a.at - b.at);
      if (first === undefined) continue;
      this.sleepers.shift();
      this.ms = first.at;
      first.wake();
    }
  }
}
