/** The clock of the tests. Time passes when a test says so (`advance`), or when everything waits for it (`during`). */
import { setMaxListeners } from "node:events";
import { setImmediate } from "node:timers/promises";

interface Alarm {
  atMs: number;
  ring(): void;
}

/** How long `during` lets work go on that waits for no time; real ms. */
const PATIENCE_MS = 60_000;

export class VirtualTime {
  private signals: Alarm[] = [];
  private sleepers: Alarm[] = [];

  constructor(public nowMs = Date.parse("2026-03-01T00:00:00Z")) {}

  now = (): number => this.nowMs;

  after = (ms: number): AbortSignal => {
    const controller = new AbortController();
    // Every call of an attempt listens to the same signal.
    setMaxListeners(0, controller.signal);
    const ring = () => controller.abort(new DOMException("The time is over", "TimeoutError"));
    this.signals.push({ atMs: this.nowMs + ms, ring });
    return controller.signal;
  };

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const ring = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { atMs: this.nowMs + ms, ring };
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", stop);
    });

  /** When the first sleeper wakes. */
  nextWakeMs(): number | undefined {
    return earliest(this.sleepers);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    const isDue = ({ atMs }: Alarm): boolean => atMs <= this.nowMs;
    const due = [...this.signals.filter(isDue), ...this.sleepers.filter(isDue)];
    this.signals = this.signals.filter((alarm) => !isDue(alarm));
    this.sleepers = this.sleepers.filter((alarm) => !isDue(alarm));
    for (const { ring } of due) ring();
  }

  /** Lets time pass until the work is done. The work may wait for files as well. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const watched = work.finally(() => {
      isDone = true;
    });
    watched.catch(() => undefined);
    let waitedFromMs = Date.now();
    for (;;) {
      for (let turn = 0; turn < 3; turn++) await setImmediate();
      if (isDone) return await watched;
      const nextMs = earliest([...this.sleepers, ...this.signals]);
      if (nextMs !== undefined) {
        this.advance(Math.max(0, nextMs - this.nowMs));
        waitedFromMs = Date.now();
      } else if (Date.now() - waitedFromMs > PATIENCE_MS) {
        throw new Error("the work is not done, and it waits for no time");
      }
    }
  }
}

function earliest(alarms: readonly Alarm[]): number | undefined {
  return alarms.length === 0 ? undefined : Math.min(...alarms.map(({ atMs }) => atMs));
}
