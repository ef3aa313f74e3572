/** Limits work by its bytes: many small objects at once, or few large ones. */
export class ByteLimit {
  private runningBytes = 0;
  private waitingBytes = 0;
  /** In the order in which they begin. */
  private readonly waiting: { bytes: number; begin: () => void }[] = [];

  constructor(private readonly limitBytes: number) {}

  /** How much more work could begin at once. */
  get freeBytes(): number {
    return Math.max(0, this.limitBytes - this.runningBytes - this.waitingBytes);
  }

  /** Runs the work at once if its bytes fit beside those of the running work, else when they do. Work that is larger than the limit runs alone. */
  async run<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    await new Promise<void>((begin) => {
      this.waiting.push({ bytes, begin });
      this.waitingBytes += bytes;
      this.beginNext();
    });
    try {
      return await work();
    } finally {
      this.runningBytes -= bytes;
      this.beginNext();
    }
  }

  private beginNext(): void {
    for (
      let [next] = this.waiting;
      next !== undefined && (this.runningBytes === 0 || this.runningBytes + next.bytes <= this.limitBytes);
      [next] = this.waiting
    ) {
      this.waiting.shift();
      this.waitingBytes -= next.bytes;
      this.runningBytes += next.bytes;
      next.begin();
    }
  }
}
