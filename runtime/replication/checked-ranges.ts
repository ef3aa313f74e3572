/**
 * Keeps checksums of the ranges that were read and uploaded. They are of the source's kind, and are kept only if the destination verifies
 * another kind. With them a later run can check parts that it has not read. Adjacent ranges are merged, so that the record stays small; in the
 * end one range is the whole object.
 */

import type { ByteRange } from "../protocol/ports";
import { type CombinableAlgorithm, checksumOf, combineChecksums } from "../stores/checksums";
import type { CheckedRange } from "./lease";
import { rangeSize } from "./parts";

/** The ranges are stored after this many new parts. After a crash these parts, and those that were in flight, are read again. */
const PARTS_BETWEEN = 16;

export interface CheckedRanges {
  covers(range: ByteRange): boolean;
  /** Adds a part that is in the upload now. */
  add(range: ByteRange, bytes: Uint8Array): void;
  /** Ascending. */
  all(): readonly CheckedRange[];
  /** Stores the ranges when there are new ones. */
  remember(): Promise<void>;
  /** Stores the ranges when enough parts are new. */
  rememberSometimes(): Promise<void>;
}

export interface CheckedRangesOptions {
  algorithm: CombinableAlgorithm;
  /** The ranges of earlier runs. */
  known: readonly CheckedRange[];
  /** Resolves once a later run will find them. */
  remember(ranges: CheckedRange[]): Promise<void>;
}

export function createCheckedRanges({ algorithm, known, remember }: CheckedRangesOptions): CheckedRanges {
  let ranges: readonly CheckedRange[] = known;
  let added = 0;
  const rememberFrom = async (parts: number) => {
    if (added < parts) return;
    const before = added;
    added = 0;
    try {
      await remember([...ranges]);
    } catch (error) {
      added += before;
      throw error;
    }
  };
  return {
    covers: ({ start, end }) => ranges.some((one) => one.start <= start && end <= one.end),
    add({ start, end }, bytes) {
      ranges = mergeAdjacent(algorithm, [...ranges, { start, end, value: checksumOf(algorithm, bytes).value }]);
      added++;
    },
    all: () => ranges,
    remember: () => rememberFrom(1),
    rememberSometimes: () => rememberFrom(PARTS_BETWEEN),
  };
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
export function asPiece(range: CheckedRange): { value: string; sizeBytes: number } {
  return { value: range.value, sizeBytes: rangeSize(range) };
}
