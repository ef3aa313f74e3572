/** Copying an object inside its store part by part. */
import pLimit from "p-limit";
import type { ByteRange, UploadedPart } from "./object-store";

export interface CopyLimits {
  /** The largest object that is copied by one call. */
  maxCopyBytes: number;
  /** Of the parts of a larger one, unless it would then have too many. */
  partSizeBytes: number;
}

export interface CopyRange extends ByteRange {
  partNumber: number;
}

/** No bytes pass through here, so this bounds what the store does at once for one object. */
const PARTS_AT_ONCE = 8;

/** Covers `[0, sizeBytes)` exactly, in at most `maxParts` ranges. */
export function copyRanges(sizeBytes: number, partSizeBytes: number, maxParts: number): CopyRange[] {
  const length = Math.max(partSizeBytes, Math.ceil(sizeBytes / maxParts));
  return Array.from({ length: Math.ceil(sizeBytes / length) }, (_, index) => ({
    partNumber: index + 1,
    start: index * length,
    end: Math.min((index + 1) * length, sizeBytes) - 1,
  }));
}

/**
 * After a failure no other copy begins, and those on the way end before this rejects: a part that lands after its upload was aborted
 * would be stored, and paid for, unseen.
 */
export async function copyAll(
  ranges: readonly CopyRange[],
  copy: (range: CopyRange) => Promise<UploadedPart>,
): Promise<UploadedPart[]> {
  const limit = pLimit(PARTS_AT_ONCE);
  let failure: { cause: unknown } | undefined;
  const parts: UploadedPart[] = [];
  const one = async (range: CopyRange): Promise<void> => {
    if (failure !== undefined) return;
    try {
      parts.push(await copy(range));
    } catch (cause) {
      failure ??= { cause };
    }
  };
  await Promise.all(ranges.map((range) => limit(one, range)));
  if (failure !== undefined) throw failure.cause;
  return parts.sort((a, b) => a.partNumber - b.partNumber);
}
