/** The clock of the tests. Time passes when a test calls `advance`, or in `during` when all work waits for time. */
import { setMaxListeners } from "node:events";
import { setImmediate } from "node:timers/promises";

interface Alarm {
  atMs: number;
  isSleeper: boolean;
  ring(): void;
}

/** How long `during` waits for work that does not wait for time; real ms. */
const MAX_IDLE_MS = 60_000;

export class VirtualTime {
  private alarms: Alarm[] = [];

  constructor(public nowMs = Date.parse("2026-03-01T00:00:00Z")) {}

  now = (): number => this.nowMs;

  after = (ms: number): AbortSignal => {
    const controller = new AbortController();
    // All calls of an attempt listen to this signal.
    setMaxListeners(0, controller.signal);
    const ring = () => controller.abort(new DOMException("The time is over", "TimeoutError"));
    this.alarms.push({ atMs: this.nowMs + ms, isSleeper: false, ring });
    return controller.signal;
  };

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.alarms = this.alarms.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const ring = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { atMs: this.nowMs + ms, isSleeper: true, ring };
      this.alarms.push(sleeper);
      signal?.addEventListener("abort", stop);
    });

  /** Time at which the next sleeper wakes. */
  nextWakeMs(): number | undefined {
    const times = this.alarms.filter(({ isSleeper }) => isSleeper).map(({ atMs }) => atMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    const due = this.alarms.filter(({ atMs }) => atMs <= this.nowMs);
    this.alarms = this.alarms.filter(({ atMs }) => atMs > this.nowMs);
    for (const { ring } of due) ring();
  }

  /** Advances time until the work is done. The work may also wait for files. */
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
      // Ring the earliest alarm alone, so that its work runs before the next alarm rings.
      const [first] = this.alarms.sort((one, other) => one.atMs - other.atMs);
      if (first !== undefined) {
        this.alarms.shift();
        this.nowMs = Math.max(this.nowMs, first.atMs);
        first.ring();
        waitedFromMs = Date.now();
      } else if (Date.now() - waitedFromMs > MAX_IDLE_MS) {
        throw new Error("the work is not done, and it waits for no time");
      }
    }
  }
}
