import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../../src/cloudflow/clock";

interface Sleeper {
  at: number;
  wake(): void;
}

/** Time that passes only when everybody sleeps. */
export class VirtualClock implements Clock {
  private time = Date.parse("2026-01-01T00:00:00Z");
  private sleepers: Sleeper[] = [];

  now = (): number => this.time;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { at: this.time + ms, wake };
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", stop);
    });

  /** Lets whoever is awake go on until all of them sleep. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await this.settle();
      const [first] = this.sleepers.sort((a, b) => a.at - b.at);
      if (first === undefined || first.at > end) break;
      this.sleepers.shift();
      this.time = first.at;
      first.wake();
    }
    this.time = end;
  }

  /** Time passes until the work is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const watched = work.finally(() => {
      ended = true;
    });
    watched.catch(() => {});
    for (;;) {
      await this.settle();
      if (ended) return watched;
      const [first] = this.sleepers.sort((a, b) => a.at - b.at);
      if (first === undefined) throw new Error("nobody sleeps and the work is not done");
      this.sleepers.shift();
      this.time = first.at;
      first.wake();
    }
  }
}
