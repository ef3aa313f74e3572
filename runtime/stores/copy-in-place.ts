/** Touches an object by copying it onto itself inside the store, in one call or in parts. S3 and OSS share this code. */
import { isDeepStrictEqual } from "node:util";
import pLimit from "p-limit";
import type { ByteRange } from "../protocol/ports";
import type { Tags } from "../protocol/snapshot";
import { BridgeError } from "./errors";
import type { CallOptions, PutResult, UploadedPart } from "./object-store";

export interface CopyLimits {
  /** The largest object that one call copies. */
  maxCopyBytes: number;
  /** The part size for larger objects; parts grow where there would be too many. */
  partSizeBytes: number;
}

/** An object as it is now. Adapters add what its copy must be written with, besides its tags. */
export interface PresentObject {
  etag: string;
  versionId: string | undefined;
  sizeBytes: number;
  lastModified: Date;
}

/** The calls of one adapter for one key. */
export interface ObjectCopier<Present extends PresentObject> {
  /** Reads the current object, or the given version of it. */
  read(versionId?: string): Promise<Present>;
  readTags(): Promise<Tags>;
  /** Copies the current object if it has this etag, with the attributes of `present`. `copiedFrom` is the version that was copied. */
  copyWhole(etag: string, present: Present): Promise<{ result: PutResult; copiedFrom: string | undefined }>;
  createUpload(present: Present, tags: Tags): Promise<CopyUpload>;
}

/** An upload whose parts are ranges of the object itself. */
export interface CopyUpload {
  /** Fails with `PreconditionFailed` when the object has another etag now. */
  copyPart(range: CopyRange): Promise<UploadedPart>;
  complete(parts: UploadedPart[]): Promise<PutResult>;
  abort(options: CallOptions): Promise<void>;
}

export interface CopyRange extends ByteRange {
  partNumber: number;
}

/** The store copies without bytes passing through here, so this bounds the work of the store for one object. */
const CONCURRENT_PARTS = 8;

const op = "touch";

/** @throws BridgeError `PreconditionFailed` when the etag is not `ifMatch`, or the object changed while it was copied. */
export async function copyInPlace<Present extends PresentObject>(
  copier: ObjectCopier<Present>,
  { ifMatch, limits, maxParts }: { ifMatch: string | undefined; limits: CopyLimits; maxParts: number },
): Promise<PutResult> {
  const present = await copier.read();
  if (ifMatch !== undefined && ifMatch !== present.etag)
    throw new BridgeError("PreconditionFailed", op, `the object has etag ${present.etag}, not ${ifMatch}`);
  if (present.sizeBytes <= limits.maxCopyBytes) return copyWhole(copier, present);
  return copyInParts(copier, present, copyRanges(present.sizeBytes, limits.partSizeBytes, maxParts));
}

/**
 * Both stores take the headers of a copy onto itself from the request, and compare only the etag. If the answer names another version
 * than the one whose headers were sent, equal bytes were written in between with other headers: the object then gets those headers.
 */
async function copyWhole<Present extends PresentObject>(copier: ObjectCopier<Present>, present: Present): Promise<PutResult> {
  let { etag, versionId: expected } = present;
  for (let attributesOf = present; ; ) {
    const { result, copiedFrom } = await copier.copyWhole(etag, attributesOf);
    if (expected === undefined || copiedFrom === undefined || copiedFrom === expected) return result;
    attributesOf = await copier.read(copiedFrom);
    etag = result.etag;
    expected = result.versionId;
  }
}

async function copyInParts<Present extends PresentObject>(
  copier: ObjectCopier<Present>,
  present: Present,
  ranges: readonly CopyRange[],
): Promise<PutResult> {
  const tags = await copier.readTags();
  const upload = await copier.createUpload(present, tags);
  return abortOnFailure(upload, async () => {
    const parts = await copyAll(ranges, (range) => upload.copyPart(range));
    // Equal bytes have an equal etag, so the etag shows neither new headers nor new tags. OSS completes unconditionally, so this check is the last.
    if (!isDeepStrictEqual([present, tags], [await copier.read(), await copier.readTags()]))
      throw new BridgeError("PreconditionFailed", op, "the object changed while it was copied");
    return upload.complete(parts);
  });
}

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
 * Copies every range, a few at once. After a failure it starts no other copy and waits for those under way: a part that lands after its
 * upload was aborted would be stored, and billed, unseen.
 */
export async function copyAll(
  ranges: readonly CopyRange[],
  copy: (range: CopyRange) => Promise<UploadedPart>,
): Promise<UploadedPart[]> {
  const limit = pLimit(CONCURRENT_PARTS);
  let failure: { cause: unknown } | undefined;
  const parts: UploadedPart[] = [];
  const copyOne = async (range: CopyRange): Promise<void> => {
    if (failure !== undefined) return;
    try {
      parts.push(await copy(range));
    } catch (cause) {
      failure ??= { cause };
    }
  };
  await Promise.all(ranges.map((range) => limit(copyOne, range)));
  if (failure !== undefined) throw failure.cause;
  return parts.sort((a, b) => a.partNumber - b.partNumber);
}

/** The caller's own signal may be aborted already, so aborting an upload has a time limit of its own. */
const ABORT_TIMEOUT_MS = 5_000;

/** Aborts the upload when the work on it fails. */
export async function abortOnFailure<T>(upload: Pick<CopyUpload, "abort">, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // The first error is the one to report; the bucket's lifecycle rule removes an upload that could not be aborted.
    await upload.abort({ signal: AbortSignal.timeout(ABORT_TIMEOUT_MS) }).catch(() => undefined);
    throw error;
  }
}
