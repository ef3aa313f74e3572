import type { ByteRange } from "../protocol/ports";
import { BridgeError } from "../stores/errors";
import type { StoreCapabilities } from "../stores/object-store";

export interface PlannedPart {
  /** From 1. */
  partNumber: number;
  range: ByteRange;
}

/** Computes its parts one by one: the list of parts of an object of 48.8 TiB is never in memory. */
export interface PartPlan extends Iterable<PlannedPart> {
  /** The size of every part but the last, which may be shorter. */
  readonly partSizeBytes: number;
  /** 0 for an empty object: an upload needs a part, so an empty object is written with `put`. */
  readonly partCount: number;
  /** @throws RangeError for a number outside 1 to `partCount`. */
  part(partNumber: number): PlannedPart;
}

export interface PartPlanOptions {
  sizeBytes: number;
  /** The wanted size; the plan uses it unless the limits of the store forbid it. */
  partSizeBytes: number;
  capabilities: Pick<StoreCapabilities, "minPartSizeBytes" | "maxPartSizeBytes" | "maxParts">;
}

const MIB = 1024 * 1024;

/**
 * Cuts an object into parts that cover it exactly. The same input gives the same plan, so a later run can go on with the parts of an earlier
 * one.
 * @throws BridgeError `Invalid` when the store cannot hold an object of this size.
 */
export function planParts({ sizeBytes, partSizeBytes: wished, capabilities }: PartPlanOptions): PartPlan {
  const { minPartSizeBytes, maxPartSizeBytes, maxParts } = capabilities;
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw new BridgeError("Invalid", "planParts", `${sizeBytes} is not a size in bytes`);
  if (!Number.isSafeInteger(wished) || wished <= 0)
    throw new BridgeError("Invalid", "planParts", `${wished} is not a part size in bytes`);

  const needed = Math.ceil(sizeBytes / maxParts);
  if (needed > maxPartSizeBytes)
    throw new BridgeError(
      "Invalid",
      "planParts",
      `an object of ${sizeBytes} bytes does not fit into ${maxParts} parts of at most ${maxPartSizeBytes} bytes`,
    );
  // Whole MiB where the wanted size is too small: ranges stay readable, and reads stay aligned.
  const floor = needed <= wished ? wished : Math.ceil(needed / MIB) * MIB;
  const partSizeBytes = Math.min(Math.max(floor, minPartSizeBytes), maxPartSizeBytes);
  const partCount = Math.ceil(sizeBytes / partSizeBytes);

  const part = (partNumber: number): PlannedPart => {
    if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > partCount)
      throw new RangeError(`part ${partNumber} is not one of the ${partCount} parts of this plan`);
    const start = (partNumber - 1) * partSizeBytes;
    return { partNumber, range: { start, end: Math.min(start + partSizeBytes, sizeBytes) - 1 } };
  };
  return {
    partSizeBytes,
    partCount,
    part,
    *[Symbol.iterator]() {
      for (let partNumber = 1; partNumber <= partCount; partNumber++) yield part(partNumber);
    },
  };
}

/** Bytes in the range. */
export function rangeSize({ start, end }: ByteRange): number {
  return end - start + 1;
}
