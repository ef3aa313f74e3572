/**
 * Keeps checksums of the ranges that were read and uploaded. They are of the source's kind, and are kept only if the destination verifies
 * another kind. With them a later run can check parts that it has not read.
 *
 * - CRCs of adjacent ranges are merged, so that the record stays small; in the end one range is the whole object.
 * - SHA has no such rule: the bytes are hashed in the order of the object, and the record has the state of the hash after its last range. A part
 *   waits for its turn with its bytes in memory.
 */

import type { ByteRange } from "../protocol/ports";
import { type CombinableAlgorithm, checksumOf, combineChecksums, isCombinable } from "../stores/checksums";
import { ResumableSha, type ShaAlgorithm } from "../stores/resumable-sha";
import type { CheckedRange } from "./lease";
import { rangeSize } from "./parts";

/** The ranges are stored after this many new parts. After a crash these parts, and those that were in flight, are read again. */
const PARTS_BETWEEN = 16;

export interface CheckedRanges {
  /** A part waits for the parts before it. */
  readonly isOrdered: boolean;
  covers(range: ByteRange): boolean;
  /** Adds a part that is in the upload now. With SHA it resolves when all parts before it were added; aborting the signal rejects it. */
  add(range: ByteRange, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** The checksum of the object. Call it when all parts were added. */
  whole(): string;
  /** Stores the ranges when there are new ones. */
  remember(): Promise<void>;
  /** Stores the ranges when enough parts are new. */
  rememberSometimes(): Promise<void>;
}

export interface CheckedRangesOptions {
  algorithm: CombinableAlgorithm | ShaAlgorithm;
  /** The ranges of earlier runs. */
  known: readonly CheckedRange[];
  /** Resolves once a later run will find them. */
  remember(ranges: CheckedRange[]): Promise<void>;
}

export function createCheckedRanges({ algorithm, known, remember }: CheckedRangesOptions): CheckedRanges {
  const sums = isCombinable(algorithm) ? new MergedSums(algorithm, known) : new OrderedHash(algorithm, known);
  let added = 0;
  const rememberFrom = async (parts: number) => {
    if (added < parts) return;
    const before = added;
    added = 0;
    try {
      await remember([...sums.ranges()]);
    } catch (error) {
      added += before;
      throw error;
    }
  };
  return {
    isOrdered: sums instanceof OrderedHash,
    covers: ({ start, end }) => sums.ranges().some((one) => one.start <= start && end <= one.end),
    async add(range, bytes, signal) {
      await sums.add(range, bytes, signal);
      added++;
    },
    whole: () => sums.whole(),
    remember: () => rememberFrom(1),
    rememberSometimes: () => rememberFrom(PARTS_BETWEEN),
  };
}

interface Sums {
  /** Ascending. */
  ranges(): readonly CheckedRange[];
  add(range: ByteRange, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  whole(): string;
}

class MergedSums implements Sums {
  constructor(
    private readonly algorithm: CombinableAlgorithm,
    private merged: readonly CheckedRange[],
  ) {}

  ranges(): readonly CheckedRange[] {
    return this.merged;
  }

  async add({ start, end }: ByteRange, bytes: Uint8Array): Promise<void> {
    const { value } = checksumOf(this.algorithm, bytes);
    this.merged = mergeAdjacent(this.algorithm, [...this.merged, { start, end, value }]);
  }

  whole(): string {
    return combineChecksums(this.algorithm, this.merged.map(asPiece)).value;
  }
}

class OrderedHash implements Sums {
  private readonly hash: ResumableSha;
  /** The first byte that is not hashed. */
  private next = 0;
  private readonly waiting = new Map<number, () => void>();

  /** Known ranges that do not begin the object are of no use. */
  constructor(
    private readonly algorithm: ShaAlgorithm,
    known: readonly CheckedRange[],
  ) {
    const first = known.find(({ start }) => start === 0);
    this.hash = first === undefined ? new ResumableSha(algorithm) : ResumableSha.resume(algorithm, first.value);
    if (first !== undefined) this.next = first.end + 1;
  }

  ranges(): readonly CheckedRange[] {
    return this.next === 0 ? [] : [{ start: 0, end: this.next - 1, value: this.hash.save() }];
  }

  async add({ start, end }: ByteRange, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    if (start !== this.next) await this.turnOf(start, signal);
    this.hash.update(bytes);
    this.next = end + 1;
    this.waiting.get(this.next)?.();
  }

  whole(): string {
    // The state may be stored after this.
    return ResumableSha.resume(this.algorithm, this.hash.save()).value();
  }

  private turnOf(start: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      this.waiting.set(start, () => {
        signal.removeEventListener("abort", abort);
        this.waiting.delete(start);
        resolve();
      });
    });
  }
}

function mergeAdjacent(algorithm: CombinableAlgorithm, ranges: CheckedRange[]): CheckedRange[] {
  const result: CheckedRange[] = [];
  for (const next of ranges.sort((one, other) => one.start - other.start)) {
    const last = result.at(-1);
    if (last === undefined || last.end + 1 !== next.start) result.push(next);
    else {
      const { value } = combineChecksums(algorithm, [last, next].map(asPiece));
      result[result.length - 1] = { start: last.start, end: next.end, value };
    }
  }
  return result;
}

/** The range as `combineChecksums` takes it. */
function asPiece(range: CheckedRange): { value: string; sizeBytes: number } {
  return { value: range.value, sizeBytes: rangeSize(range) };
}
