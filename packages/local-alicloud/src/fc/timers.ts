/** Wakes once, after a while; what it returns takes that back. */
export type Later = (wake: () => void, delayMs: number) => () => void;

/** Keeps no process alive. */
export const byTimer: Later = (wake, delayMs) => {
  const timer = setTimeout(wake, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};

/** The longest that Node's timers wait. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export interface TimerOptions {
  /** When it is due next, strictly later than the given time. */
  next: (afterMs: number) => number;
  now: () => number;
  later: Later;
  /** Must not throw. */
  fire: (dueMs: number) => void;
}

/** Fires at the times of a schedule, until what it returns is called. */
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
    // First, so that it can be stopped by whom it wakes. What was due while this machine slept is not made up for.
    wait(next(Math.max(dueMs, now())));
    fire(dueMs);
  };
  wait(next(now()));
  return () => cancel();
}
