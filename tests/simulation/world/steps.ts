/** Decides which step of a world happens next. fast-check's scheduler is one, `Director` is another. */
export interface Steps {
  /** Resolves when it is its turn. */
  schedule<T>(task: Promise<T>, label?: string): Promise<T>;
  /** How many wait for their turn. */
  count(): number;
  waitNext(count: number): Promise<void>;
}

interface Step {
  label: string;
  go(): void;
}

/** Steps in the order in which they came, except those that a scenario holds back. */
export class Director implements Steps {
  private readonly waiting: Step[] = [];
  private readonly holds = new Map<string, RegExp>();

  schedule<T>(task: Promise<T>, label = ""): Promise<T> {
    return new Promise((resolve, reject) => this.waiting.push({ label, go: () => void task.then(resolve, reject) }));
  }

  count(): number {
    return this.waiting.filter((step) => !this.isHeld(step)).length;
  }

  async waitNext(count: number): Promise<void> {
    for (let step = 0; step < count; step++) {
      const index = this.waiting.findIndex((one) => !this.isHeld(one));
      if (index < 0) return;
      this.waiting.splice(index, 1)[0]?.go();
      await Promise.resolve();
    }
  }

  /** Steps with such a label wait until the hold is released. Holding twice is holding once. */
  hold(label: RegExp): void {
    this.holds.set(label.source, label);
  }

  release(label: RegExp): void {
    if (!this.holds.delete(label.source)) throw new Error(`nothing holds ${label}`);
  }

  /** Labels of the steps that are held back. */
  get held(): string[] {
    return this.waiting.filter((step) => this.isHeld(step)).map(({ label }) => label);
  }

  private isHeld({ label }: Step): boolean {
    return [...this.holds.values()].some((hold) => hold.test(label));
  }
}
