/** What every adapter refuses before it talks to its store, so that all refuse alike. */
import type { Checksum, ChecksumAlgorithm, Metadata } from "../protocol/snapshot";
import { BridgeError } from "./errors";
import type { ByteRange, DeleteOptions, PresignOptions, StoreCapabilities, WriteCondition } from "./object-store";

/** Of a metadata name that every store gives back as it was written. */
export const METADATA_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const MAX_PRESIGN_SECONDS = 604_800;

/** @throws BridgeError `Unsupported` when the store cannot hold the condition, `Invalid` when it contradicts itself. */
export function assertCondition(op: string, condition: WriteCondition | undefined, capabilities: StoreCapabilities): void {
  if (condition?.ifMatch === undefined && condition?.ifAbsent === undefined) return;
  if (condition.ifMatch !== undefined && condition.ifAbsent !== undefined)
    throw new BridgeError("Invalid", op, "ifMatch and ifAbsent exclude each other: pass one");
  if (capabilities.conditionalWrites) return;
  if (op === "put" && condition.ifAbsent && capabilities.conditionalCreate) return;
  const name = condition.ifAbsent ? "ifAbsent" : "ifMatch";
  throw new BridgeError("Unsupported", op, `this store has no conditional ${op}: it cannot hold ${name}`);
}

/** @throws BridgeError as `assertCondition`, and `Invalid` when a version is named as well. */
export function assertDelete({ condition, versionId }: DeleteOptions, capabilities: StoreCapabilities): void {
  if (condition?.ifMatch !== undefined && versionId !== undefined)
    throw new BridgeError("Invalid", "delete", "ifMatch and versionId exclude each other: a version is exact already");
  assertCondition("delete", condition, capabilities);
}

/** @throws BridgeError `PreconditionFailed` when the object is not the one that the caller saw. */
export function assertSameEtag(op: string, ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || ifMatch === etag) return;
  throw new BridgeError("PreconditionFailed", op, `the object has etag ${etag}, not ${ifMatch}`);
}

/** @throws BridgeError `Unsupported` when the store would not verify the checksum. */
export function assertChecksum(
  op: string,
  algorithm: ChecksumAlgorithm | undefined,
  supported: readonly ChecksumAlgorithm[],
): void {
  if (algorithm === undefined || supported.includes(algorithm)) return;
  const known = supported.length === 0 ? "none" : supported.join(", ");
  throw new BridgeError("Unsupported", op, `this store verifies no ${algorithm} in ${op}: it verifies ${known}`);
}

/** @throws BridgeError `Invalid` for a name that would not come back as it was written. */
export function assertMetadataNames(op: string, metadata: Metadata): void {
  for (const name of Object.keys(metadata))
    if (!METADATA_NAME.test(name))
      throw new BridgeError("Invalid", op, `metadata name ${JSON.stringify(name)} is not a lower-case HTTP header name`);
}

/** @throws BridgeError `Invalid` for a lifetime that no store signs. */
export function assertExpiry({ expiresInSeconds }: PresignOptions): void {
  if (Number.isInteger(expiresInSeconds) && expiresInSeconds >= 1 && expiresInSeconds <= MAX_PRESIGN_SECONDS) return;
  const allowed = `a whole number of seconds from 1 to ${MAX_PRESIGN_SECONDS}`;
  throw new BridgeError("Invalid", "presignGet", `a URL cannot live for ${expiresInSeconds} seconds: pass ${allowed}`);
}

/** @throws BridgeError `Invalid` for a range that names no bytes. */
export function assertRange({ start, end }: ByteRange): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end >= start) return;
  throw new BridgeError("Invalid", "get", `${start}-${end} is not a byte range`);
}

/** @throws BridgeError `Invalid` for a size that no single write takes. */
export function assertPutSize(sizeBytes: number, { maxPutSizeBytes }: StoreCapabilities): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw new BridgeError("Invalid", "put", `${sizeBytes} is not a size in bytes`);
  if (sizeBytes > maxPutSizeBytes)
    throw new BridgeError("Invalid", "put", `one put takes at most ${maxPutSizeBytes} bytes, not ${sizeBytes}: use an upload`);
}

/** @throws BridgeError `Invalid` for a part that the store would refuse. */
export function assertPart(partNumber: number, sizeBytes: number, { maxParts, maxPartSizeBytes }: StoreCapabilities): void {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > maxParts)
    throw new BridgeError("Invalid", "uploadPart", `part numbers go from 1 to ${maxParts}, not ${partNumber}`);
  if (sizeBytes > maxPartSizeBytes)
    throw new BridgeError("Invalid", "uploadPart", `a part has at most ${maxPartSizeBytes} bytes, not ${sizeBytes}`);
}

/** @throws BridgeError `Invalid` when the parts are none or not ascending. */
export function assertAscending(parts: readonly { partNumber: number }[]): void {
  if (parts.length === 0)
    throw new BridgeError("Invalid", "completeUpload", "an upload without parts cannot be completed: use put");
  let previous = 0;
  for (const { partNumber } of parts) {
    if (partNumber <= previous)
      throw new BridgeError("Invalid", "completeUpload", `part ${partNumber} follows part ${previous}: parts must be ascending`);
    previous = partNumber;
  }
}

/** @throws BridgeError `Corrupted` when the two values differ. */
export function assertSameChecksum(op: string, given: Checksum, actual: string): void {
  if (given.value === actual) return;
  throw new BridgeError("Corrupted", op, `${given.algorithm} of the bytes is ${actual}, not ${given.value}: nothing was written`);
}
