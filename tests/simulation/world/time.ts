import { VirtualTime } from "../../support/virtual-time";

/** A running function. */
export class Attempt {
  dead = false;
  private readonly onDeath: (() => void)[] = [];

  constructor(
    readonly name: string,
    readonly deadlineMs: number,
    private readonly time: VirtualTime,
  ) {}

  remainingMs = (): number => this.deadlineMs - this.time.now();

  die(): void {
    if (this.dead) return;
    this.dead = true;
    for (const notify of this.onDeath) notify();
  }

  whenDead(notify: () => void): void {
    this.onDeath.push(notify);
  }
}

/** The clock of a world. It ends functions at their hard end, and releases stalled requests when time advances. */
export class WorldTime extends VirtualTime {
  readonly attempts = new Set<Attempt>();
  private readonly stalled: (() => void)[] = [];

  begin(name: string, limitMs: number): Attempt {
    const attempt = new Attempt(name, this.now() + limitMs, this);
    this.attempts.add(attempt);
    attempt.whenDead(() => this.attempts.delete(attempt));
    return attempt;
  }

  /** Whether a request waits for time to advance. */
  get holdsBack(): boolean {
    return this.stalled.length > 0;
  }

  /** Resolves when time advances. */
  passes(): Promise<void> {
    return new Promise((resolve) => this.stalled.push(resolve));
  }

  override advance(ms: number): void {
    super.advance(ms);
    for (const attempt of this.attempts) if (attempt.deadlineMs <= this.now()) attempt.die();
    for (const release of this.stalled.splice(0)) release();
  }
}
