/**
 * Keeps checksums of the ranges that were read and uploaded, computed while the bytes pass. With them a later run can check parts that it has not
 * read. They are kept only for kinds that the destination does not compute itself.
 *
 * - CRCs of adjacent ranges are merged, so that the record stays small; in the end one range is the whole object.
 * - SHA has no such rule: the bytes are hashed in the order of the object, and the record has the state of the hash after its last range. A part
 *   waits for its turn with its bytes in memory.
 */

import type { ByteRange } from "../protocol/ports";
import { type CombinableAlgorithm, combineChecksums, createHasher, isCombinable } from "../stores/checksums";
import { ResumableSha, type ShaAlgorithm } from "../stores/resumable-sha";
import type { CheckedRange } from "./lease";
import { rangeSize } from "./parts";

/** The ranges are stored after this many new parts. After a crash these parts, and those that were in flight, are read again. */
const PARTS_BETWEEN = 16;

/** The checksums of one part while its bytes pass. */
export interface CheckedPart {
  update(piece: Uint8Array): void;
  /** Adds the part, which is in the upload now. With SHA it resolves when all parts before it were added; aborting the signal rejects it. */
  add(signal: AbortSignal): Promise<void>;
}

export interface CheckedRanges {
  /** A part waits for the parts before it. */
  readonly isOrdered: boolean;
  covers(range: ByteRange): boolean;
  part(range: ByteRange): CheckedPart;
  /** The checksum of the object. Call it when all parts were added. */
  whole(): string;
  /** The checksum of the object of the kind `sent`. Call it when all parts were added. */
  wholeSent(): string | undefined;
  /** Stores the ranges when there are new ones. */
  remember(): Promise<void>;
  /** Stores the ranges when enough parts are new. */
  rememberSometimes(): Promise<void>;
}

export interface CheckedKinds {
  algorithm: CombinableAlgorithm | ShaAlgorithm;
  /** A second kind, which the destination compares at the completion. */
  sent?: CombinableAlgorithm | undefined;
}

export interface CheckedRangesOptions extends CheckedKinds {
  /** The ranges of earlier runs. */
  known: readonly CheckedRange[];
  /** Resolves once a later run will find them. */
  remember(ranges: CheckedRange[]): Promise<void>;
}

export function createCheckedRanges({ algorithm, sent, known, remember }: CheckedRangesOptions): CheckedRanges {
  const sums = isCombinable(algorithm) ? new MergedSums(algorithm, sent, known) : new OrderedHash(algorithm, sent, known);
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
    part(range) {
      const part = sums.part(range);
      const hasher = sent && createHasher(sent);
      return {
        update: (piece) => {
          part.update(piece);
          hasher?.update(piece);
        },
        add: async (signal) => {
          await part.add(hasher?.value(), signal);
          added++;
        },
      };
    },
    whole: () => sums.whole(),
    wholeSent: () => sums.wholeSent(),
    remember: () => rememberFrom(1),
    rememberSometimes: () => rememberFrom(PARTS_BETWEEN),
  };
}

interface SumsPart {
  update(piece: Uint8Array): void;
  add(sent: string | undefined, signal: AbortSignal): Promise<void>;
}

interface Sums {
  /** Ascending. */
  ranges(): readonly CheckedRange[];
  part(range: ByteRange): SumsPart;
  whole(): string;
  wholeSent(): string | undefined;
}

class MergedSums implements Sums {
  constructor(
    private readonly algorithm: CombinableAlgorithm,
    private readonly sent: CombinableAlgorithm | undefined,
    private merged: readonly CheckedRange[],
  ) {}

  ranges(): readonly CheckedRange[] {
    return this.merged;
  }

  part({ start, end }: ByteRange): SumsPart {
    const hasher = createHasher(this.algorithm);
    return {
      update: (piece) => hasher.update(piece),
      add: async (sent) => {
        const added = { start, end, value: hasher.value(), ...(sent !== undefined && { sent }) };
        this.merged = mergeAdjacent([...this.merged, added], this.algorithm, this.sent);
      },
    };
  }

  whole(): string {
    return combine(this.algorithm, this.merged, ({ value }) => value);
  }

  wholeSent(): string | undefined {
    return this.sent && combine(this.sent, this.merged, ({ sent = "" }) => sent);
  }
}

class OrderedHash implements Sums {
  private readonly hash: ResumableSha;
  /** What is hashed. */
  private done: CheckedRange | undefined;
  private readonly waiting = new Map<number, () => void>();

  /** Known ranges that do not begin the object are of no use. */
  constructor(
    private readonly algorithm: ShaAlgorithm,
    private readonly sent: CombinableAlgorithm | undefined,
    known: readonly CheckedRange[],
  ) {
    this.done = known.find(({ start }) => start === 0);
    this.hash = this.done === undefined ? new ResumableSha(algorithm) : ResumableSha.resume(algorithm, this.done.value);
  }

  private get next(): number {
    return this.done === undefined ? 0 : this.done.end + 1;
  }

  ranges(): readonly CheckedRange[] {
    return this.done === undefined ? [] : [{ ...this.done, value: this.hash.save() }];
  }

  part({ start, end }: ByteRange): SumsPart {
    const held: Uint8Array[] = [];
    return {
      update: (piece) => void held.push(piece),
      add: async (sent, signal) => {
        if (start !== this.next) await this.turnOf(start, signal);
        for (const piece of held.splice(0)) this.hash.update(piece);
        const added = { start, end, value: "", ...(sent !== undefined && { sent }) };
        const both = this.done === undefined ? [added] : [this.done, added];
        const wholeSent = this.sent && { sent: combine(this.sent, both, (range) => range.sent ?? "") };
        this.done = { start: 0, end, value: "", ...wholeSent };
        this.waiting.get(this.next)?.();
      },
    };
  }

  whole(): string {
    // The state may be stored after this.
    return ResumableSha.resume(this.algorithm, this.hash.save()).value();
  }

  wholeSent(): string | undefined {
    return this.done?.sent;
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

function mergeAdjacent(
  ranges: CheckedRange[],
  algorithm: CombinableAlgorithm,
  sent: CombinableAlgorithm | undefined,
): CheckedRange[] {
  const result: CheckedRange[] = [];
  for (const next of ranges.sort((one, other) => one.start - other.start)) {
    const last = result.at(-1);
    if (last === undefined || last.end + 1 !== next.start) result.push(next);
    else {
      const value = combine(algorithm, [last, next], (range) => range.value);
      const bothSent = sent && { sent: combine(sent, [last, next], (range) => range.sent ?? "") };
      result[result.length - 1] = { start: last.start, end: next.end, value, ...bothSent };
    }
  }
  return result;
}

function combine(algorithm: CombinableAlgorithm, ranges: readonly CheckedRange[], pick: (range: CheckedRange) => string): string {
  return combineChecksums(
    algorithm,
    ranges.map((range) => ({ value: pick(range), sizeBytes: rangeSize(range) })),
  ).value;
}
