/** Tells the operator from time to time how far a long command is. */
import { durationText, grouped } from "./text";

const EVERY_MS = 5_000;

export interface ProgressOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  note(text: string): void;
  /** How much there is to do, where that is known. */
  total?: number | undefined;
}

export class Progress {
  private readonly beganMs: number;
  private notedMs: number;

  constructor(private readonly options: ProgressOptions) {
    this.beganMs = this.notedMs = options.now();
  }

  /** @param done in this run, in the unit of `total` */
  report(done: number, text: () => string): void {
    const nowMs = this.options.now();
    if (nowMs - this.notedMs < EVERY_MS) return;
    this.notedMs = nowMs;
    const perSecond = done / ((nowMs - this.beganMs) / 1000);
    const rate = `${grouped(perSecond < 10 ? Number(perSecond.toPrecision(2)) : Math.round(perSecond))}/s`;
    this.options.note([text(), rate, ...this.rest(done, perSecond)].join(", "));
  }

  private rest(done: number, perSecond: number): string[] {
    const { total } = this.options;
    if (total === undefined || perSecond === 0) return [];
    return [`about ${durationText((Math.max(0, total - done) / perSecond) * 1000)} left`];
  }
}
