/** Decides which step of a world runs next. fast-check's scheduler and `Director` implement it. */
export interface Steps {
  /** Resolves when the task is chosen and done. */
  schedule<T>(task: Promise<T>, label?: string): Promise<T>;
  /** Number of steps that can run. */
  count(): number;
  waitNext(count: number): Promise<void>;
}

interface Step {
  label: string;
  go(): void;
}

/** Runs steps in their order of arrival, except those that a scenario holds. */
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

  /** Holds steps whose label matches until `release`. A second hold of the same label has no effect. */
  hold(label: RegExp): void {
    this.holds.set(label.source, label);
  }

  release(label: RegExp): void {
    if (!this.holds.delete(label.source)) throw new Error(`nothing holds ${label}`);
  }

  /** Labels of the held steps. */
  get held(): string[] {
    return this.waiting.filter((step) => this.isHeld(step)).map(({ label }) => label);
  }

  private isHeld({ label }: Step): boolean {
    return [...this.holds.values()].some((hold) => hold.test(label));
  }
}
