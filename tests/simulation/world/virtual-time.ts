/** Time that passes only when it is told to, and the functions whose hard end it brings. */
import { setMaxListeners } from "node:events";
import type { Clock } from "../../../runtime/protocol/ports";

/** A running function. */
export class Attempt {
  dead = false;
  private readonly onDeath: (() => void)[] = [];
  constructor(
    readonly name: string,
    readonly deadlineMs: number,
  ) {}
  die(): void {
    if (this.dead) return;
    this.dead = true;
    for (const notify of this.onDeath) notify();
  }
  whenDead(notify: () => void): void {
    this.onDeath.push(notify);
  }
}

export class VirtualTime implements Clock {
  private nowMs = Date.parse("2026-01-01T00:00:00Z");
  private readonly stalled: (() => void)[] = [];
  private readonly alarms: { atMs: number; controller: AbortController }[] = [];
  private readonly sleepers: { atMs: number; wake: () => void }[] = [];
  readonly attempts = new Set<Attempt>();

  now(): number {
    return this.nowMs;
  }

  after(ms: number): AbortSignal {
    const controller = new AbortController();
    // Every call of an attempt listens to the same signal.
    setMaxListeners(0, controller.signal);
    this.alarms.push({ atMs: this.nowMs + ms, controller });
    return controller.signal;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((wake) => this.sleepers.push({ atMs: this.nowMs + ms, wake }));
  }

  /** When the next sleeper wants to wake. */
  nextWakeMs(): number | undefined {
    return this.sleepers.length === 0 ? undefined : Math.min(...this.sleepers.map(({ atMs }) => atMs));
  }

  /** Whether something is held back until time passes. */
  get holdsBack(): boolean {
    return this.stalled.length > 0;
  }

  /** Resolves when time has passed. */
  passes(): Promise<void> {
    return new Promise((resolve) => this.stalled.push(resolve));
  }

  begin(name: string, limitMs: number): Attempt {
    const attempt = new Attempt(name, this.nowMs + limitMs);
    this.attempts.add(attempt);
    attempt.whenDead(() => this.attempts.delete(attempt));
    return attempt;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (const alarm of this.alarms.splice(0)) {
      if (alarm.atMs <= this.nowMs) alarm.controller.abort();
      else this.alarms.push(alarm);
    }
    for (const attempt of this.attempts) if (attempt.deadlineMs <= this.nowMs) attempt.die();
    for (const sleeper of this.sleepers.splice(0)) {
      if (sleeper.atMs <= this.nowMs) sleeper.wake();
      else this.sleepers.push(sleeper);
    }
    for (const release of this.stalled.splice(0)) release();
  }
}
