/** The time that bytes need on a link, from what was measured. Work that cannot end in time is not started, or ended early. */
import type { Readable } from "node:stream";
import { BridgeError } from "../stores/errors";
import { WatchedBody, type Watcher } from "./watched-body";

/** A body is judged after this time, or after a tenth of the time that there is. The beginning of a connection is slow. */
const JUDGED_AFTER_MS = { write: 5_000, part: 30_000 } as const;
/** A part takes somewhat longer than the bytes before it tell. */
const MARGIN = 1.25;
/** Parts are planned to take a quarter of a run at most. */
const PARTS_PER_RUN = 4;

/** What a later run knows of the runs before. */
export interface PaceRecord {
  /** Of one connection. */
  bytesPerSecond?: number | undefined;
  /** Parts are no larger than this: larger ones did not get through. */
  partSizeBytes?: number | undefined;
  /** When the last part got through; ms since the epoch. */
  lastPartMs?: number | undefined;
  /** A run has begun. Later runs copy in parts, so that no run repeats a stream that did not arrive. */
  hasBegun?: boolean | undefined;
}

export interface PaceOptions {
  clock: { now(): number };
  /** The time until the bytes must be written. */
  timeLeftMs(): number;
  of: keyof typeof JUDGED_AFTER_MS;
  record?: PaceRecord | undefined;
}

/** A body whose rate shows that it cannot end in time. Nothing of it was written. */
export class TooSlow extends BridgeError {
  constructor(bytesPerSecond: number, of: PaceOptions["of"]) {
    super("Unavailable", "read", `at ${Math.round(bytesPerSecond)} bytes/s this ${of} cannot end in time`);
    this.name = "TooSlow";
  }
}

export class Pace {
  readonly totalMs: number;
  private readonly before: PaceRecord;
  private measured: number | undefined;
  private donePartMs: number | undefined;

  constructor(readonly options: PaceOptions) {
    this.totalMs = options.timeLeftMs();
    this.before = options.record ?? {};
  }

  timeLeftMs(): number {
    return this.options.timeLeftMs();
  }

  /** Of one connection; undefined where nothing was measured, in this run or before. */
  get bytesPerSecond(): number | undefined {
    return this.measured ?? this.before.bytesPerSecond;
  }

  /** Averages over parts, because parts side by side disturb each other. */
  measure(sizeBytes: number, elapsedMs: number): void {
    if (elapsedMs <= 0 || sizeBytes === 0) return;
    const found = (sizeBytes * 1000) / elapsedMs;
    this.measured = this.measured === undefined ? found : (this.measured + found) / 2;
  }

  /** A part has got through. */
  donePart(sizeBytes: number, elapsedMs: number): void {
    this.measure(sizeBytes, elapsedMs);
    this.donePartMs = this.options.clock.now();
  }

  /** Whether a part got through in this run. */
  get hasDoneParts(): boolean {
    return this.donePartMs !== undefined;
  }

  /** A rate of an earlier run is not believed in the first half of a run: the link may be faster by now. */
  hasTimeFor(sizeBytes: number): boolean {
    const leftMs = this.timeLeftMs();
    const rate = this.measured ?? (leftMs < this.totalMs / 2 ? this.before.bytesPerSecond : undefined);
    return leftMs > 0 && (rate === undefined || (sizeBytes * 1000 * MARGIN) / rate <= leftMs);
  }

  /** The size of the parts of a new upload. */
  partSize(configuredBytes: number): number {
    const rate = this.bytesPerSecond;
    const byRate = rate === undefined ? configuredBytes : Math.floor((rate * this.totalMs) / 1000 / PARTS_PER_RUN);
    return Math.max(1, Math.min(configuredBytes, this.before.partSizeBytes ?? configuredBytes, byRate));
  }

  /** When the last part got through, in this run or before. */
  get lastPartMs(): number | undefined {
    return this.donePartMs ?? this.before.lastPartMs;
  }

  /** When a later run copies: an earlier one has begun already. */
  get hasBegunBefore(): boolean {
    return this.before.hasBegun === true;
  }

  /**
   * The same bytes, exactly `sizeBytes`. Fails with `TooSlow` when they cannot end in time. Ending it ends the body.
   * @param watcher sees every piece
   */
  watch(body: Readable, sizeBytes: number, watcher: Watcher = {}): WatchedBody {
    const beganMs = this.options.clock.now();
    let received = 0;
    const watched = body instanceof WatchedBody && body.sizeBytes === sizeBytes ? body : new WatchedBody(body, sizeBytes);
    return watched.watch({
      ...watcher,
      onPiece: (piece) => {
        received += piece.length;
        this.judge(received, sizeBytes, this.options.clock.now() - beganMs);
        watcher.onPiece?.(piece);
      },
      onBroken: () => {
        // The rate of bytes that were lost is the best that the next run can know.
        this.measure(received, this.options.clock.now() - beganMs);
        watcher.onBroken?.();
      },
    });
  }

  /** @throws TooSlow */
  private judge(received: number, sizeBytes: number, elapsedMs: number): void {
    const { of } = this.options;
    if (received >= sizeBytes) return;
    const isJudged = elapsedMs >= Math.min(JUDGED_AFTER_MS[of], this.totalMs / 10);
    if (isJudged && ((sizeBytes - received) * elapsedMs) / received > this.timeLeftMs())
      throw new TooSlow((received * 1000) / elapsedMs, of);
  }
}
