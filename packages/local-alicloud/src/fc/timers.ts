/** Calls `wake` once after a delay. The returned function cancels it. */
export type Later = (wake: () => void, delayMs: number) => () => void;

/** A timer that does not keep the process alive. */
export const byTimer: Later = (wake, delayMs) => {
  const timer = setTimeout(wake, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};

/** The longest delay of Node.js's timers. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export interface TimerOptions {
  /** The next due time, strictly after the given time. */
  next: (afterMs: number) => number;
  now: () => number;
  later: Later;
  /** Must not throw. */
  fire: (dueMs: number) => void;
}

/** Fires at the times of a schedule. The returned function stops it. */
export function startTimer({ next, now, later, fire }: TimerOptions): () => void {
  let cancel: () => void;
  const wait = (dueMs: number): void => {
    cancel = later(() => wake(dueMs), Math.min(LONGEST_DELAY_MS, Math.max(0, dueMs - now())));
  };
  const wake = (dueMs: number): void => {
    if (now() < dueMs) {
      wait(dueMs);
      return;
    }
    // Schedule first, so that `fire` can stop the timer. Times missed while the machine slept are skipped.
    wait(next(Math.max(dueMs, now())));
    fire(dueMs);
  };
  wait(next(now()));
  return () => cancel();
}
