/** Runs work by name, each name once at a time. Work that is added while it runs is run again. */
export class WorkQueue {
  private readonly waiting = new Set<string>();
  private readonly running = new Map<string, Promise<void>>();
  private idle: (() => void)[] = [];
  private stopped = false;

  constructor(
    private readonly work: (name: string) => Promise<void>,
    private readonly parallel: number,
  ) {}

  add(name: string): void {
    if (this.stopped) return;
    this.waiting.add(name);
    this.start();
  }

  /** The running work by name. */
  get active(): ReadonlyMap<string, Promise<void>> {
    return this.running;
  }

  get isIdle(): boolean {
    return this.running.size === 0 && this.waiting.size === 0;
  }

  /** Resolves when nothing runs or waits. */
  whenIdle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.idle.push(resolve));
  }

  /** Drops waiting work. Resolves when no work runs. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.waiting.clear();
    await Promise.all(this.running.values());
  }

  private start(): void {
    for (const name of this.waiting) {
      if (this.running.size >= this.parallel) return;
      if (this.running.has(name)) continue;
      this.waiting.delete(name);
      this.running.set(name, this.run(name));
    }
  }

  private async run(name: string): Promise<void> {
    // Begin after the caller has put it into `active`.
    await Promise.resolve();
    try {
      await this.work(name);
    } finally {
      this.running.delete(name);
      this.start();
      if (this.isIdle) for (const resolve of this.idle.splice(0)) resolve();
    }
  }
}
