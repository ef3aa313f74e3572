/** Copies one large object by ranges into a multipart upload. Knows no lease: `fence` says whether the copy may go on. */
import type { Readable } from "node:stream";
import pLimit from "p-limit";
import type { Difference } from "../protocol/messages";
import type { ByteRange } from "../protocol/ports";
import type { ChecksumAlgorithm, ObjectSnapshot } from "../protocol/snapshot";
import { checksumOf, combineChecksums, isCombinable } from "../stores/checksums";
import { BridgeError, isBridgeError, mayStillLand } from "../stores/errors";
import type { ObjectStore, UploadedPart } from "../stores/object-store";
import { readAll } from "../stores/read-all";
import { type CheckedRanges, createCheckedRanges } from "./checked-ranges";
import { type BridgeIdentity, lookAt, planReplica, recordReplica, unchangedSince } from "./destination";
import { describeDifference, firstDifference } from "./equality";
import type { CheckedRange, CopyOutcome, LeasedUpload } from "./lease";
import { type PartPlan, type PlannedPart, planParts, rangeSize } from "./parts";
import type { Seal } from "./provenance";
import type { BoundSource } from "./source";
import { SUPERSEDED } from "./write";

/** Ends a copy with an outcome that is not a failure. */
export class CopyEnded extends Error {
  readonly outcome: CopyOutcome;
  constructor(outcome: CopyOutcome) {
    super(outcome.reason ?? outcome.result);
    this.name = "CopyEnded";
    this.outcome = outcome;
  }
}

/** A completion was sent and not answered: it may still land. */
export class CompletionUnsettled extends Error {}

export interface CopyContext {
  destination: ObjectStore;
  source: BoundSource;
  bridge: BridgeIdentity;
  partSizeBytes: number;
  /** Parts in memory at once. */
  concurrency: number;
  /** The destination key. */
  key: string;
  snapshot: ObjectSnapshot;
  /** The upload of an earlier run of the same snapshot. */
  upload: LeasedUpload | undefined;
  /** Resolves once a later run will find the upload and its checked ranges. */
  rememberUpload(upload: LeasedUpload): Promise<void>;
  /** Resolves once no later run will find the upload. Does nothing when the lease names another run. */
  forgetUpload(): Promise<void>;
  /** Throws `CopyEnded` when this run may not go on. */
  fence(): Promise<void>;
  /** Called for every part that was read. */
  onPart(sizeBytes: number): void;
  /** How often one part is tried. */
  tries: number;
  /** The wait after the first failed try. */
  retryDelayMs: number;
  /** In [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export async function copyObject(context: CopyContext): Promise<"replicated"> {
  const { destination, key, snapshot, partSizeBytes } = context;
  const plan = planParts({ sizeBytes: snapshot.sizeBytes, partSizeBytes, capabilities: destination.capabilities });
  const upload = await openUpload(context, plan);
  let etag: string | undefined;
  try {
    etag = await complete(context, upload, await copyParts(context, plan, upload));
  } catch (error) {
    // The parts of another snapshot, and parts that failed the check, are not kept.
    const superseded = error instanceof CopyEnded && error.outcome.result === "superseded";
    if (superseded || isBridgeError(error, "Corrupted")) {
      // Either step is enough to keep a later run from these parts. A failure here must not hide why the copy ended.
      await context.forgetUpload().catch(() => undefined);
      await destination.abortUpload(key, upload.uploadId).catch(() => undefined);
    } else {
      // Spares the next run work. A failure here must not hide why this run ended.
      await upload.checked?.remember().catch(() => undefined);
    }
    throw error;
  }
  await prove(context, etag);
  return "replicated";
}

interface OpenUpload {
  uploadId: string;
  /** The planned parts that are in the upload already, by number. */
  kept: ReadonlyMap<number, UploadedPart>;
  /** Only where the parts do not carry the source's kind of checksum. */
  checked: CheckedRanges | undefined;
}

async function openUpload(context: CopyContext, plan: PartPlan): Promise<OpenUpload> {
  const { destination, key, upload } = context;
  const { partSizeBytes } = plan;
  if (upload?.partSizeBytes === partSizeBytes) {
    try {
      return resumeUpload(context, plan, upload, await destination.listParts(key, upload.uploadId));
    } catch (error) {
      // The upload was completed, aborted or has expired: start a new one.
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  } else if (upload !== undefined) await destination.abortUpload(key, upload.uploadId);
  const algorithm = partChecksum(context);
  const { uploadId } = await destination.createUpload(key, {
    attributes: planReplica(context, context.snapshot, sealOf(context)).attributes,
    checksumAlgorithm: algorithm,
  });
  try {
    await context.rememberUpload({ uploadId, partSizeBytes });
  } catch (error) {
    // No later run would find this upload. A failure to abort it must not hide the cause.
    await destination.abortUpload(key, uploadId).catch(() => undefined);
    throw error;
  }
  return { uploadId, kept: new Map(), checked: checkedRanges(context, { uploadId, partSizeBytes }, []) };
}

function resumeUpload(context: CopyContext, plan: PartPlan, upload: LeasedUpload, found: readonly UploadedPart[]): OpenUpload {
  const present = new Map(found.map((part) => [part.partNumber, part]));
  const parts = [...plan];
  const missing = parts.filter(({ partNumber, range }) => present.get(partNumber)?.sizeBytes !== rangeSize(range));
  // A checksum over several parts is no longer valid when one of them is uploaded again.
  const holdsMissing = (one: CheckedRange) => missing.some(({ range }) => one.start <= range.start && range.end <= one.end);
  const isOfThisKind = upload.checked?.algorithm === context.snapshot.checksum?.algorithm;
  const known = isOfThisKind ? upload.checked?.ranges.filter((one) => !holdsMissing(one)) : undefined;
  const checked = checkedRanges(context, upload, known ?? []);
  for (const { partNumber } of missing) present.delete(partNumber);
  // Without its checksum a part cannot be proven to hold the source's bytes.
  if (checked) for (const { partNumber, range } of parts) if (!checked.covers(range)) present.delete(partNumber);
  return { uploadId: upload.uploadId, kept: present, checked };
}

function checkedRanges(
  context: CopyContext,
  { uploadId, partSizeBytes }: LeasedUpload,
  known: readonly CheckedRange[],
): CheckedRanges | undefined {
  const algorithm = context.snapshot.checksum?.algorithm;
  if (algorithm === undefined || algorithm === partChecksum(context)) return undefined;
  const remember = (ranges: CheckedRange[]) =>
    context.rememberUpload({ uploadId, partSizeBytes, checked: { algorithm, ranges } });
  return createCheckedRanges({ algorithm, known, remember });
}

async function copyParts(context: CopyContext, plan: PartPlan, upload: OpenUpload): Promise<UploadedPart[]> {
  const limit = pLimit(partsInMemory(context, plan.partSizeBytes));
  const failed = new AbortController();
  const results: Promise<UploadedPart>[] = [];
  for (const planned of plan) {
    const kept = upload.kept.get(planned.partNumber);
    results.push(kept ? Promise.resolve(kept) : limit(() => copyPart(context, upload, planned, failed)));
  }
  // When one part fails the others are stopped. The run ends when all of them have ended.
  await Promise.allSettled(results);
  // The cause is the part that failed first, not the parts that it stopped.
  failed.signal.throwIfAborted();
  return await Promise.all(results);
}

/** Where parts have to be larger than configured, fewer are held, so that the memory stays within `partSizeBytes * concurrency`. */
function partsInMemory({ partSizeBytes, concurrency }: CopyContext, effectiveSizeBytes: number): number {
  return Math.max(1, Math.min(concurrency, Math.floor((partSizeBytes * concurrency) / effectiveSizeBytes)));
}

async function copyPart(
  context: CopyContext,
  upload: OpenUpload,
  planned: PlannedPart,
  failed: AbortController,
): Promise<UploadedPart> {
  const { tries, retryDelayMs, random, sleep } = context;
  for (let tried = 1; ; tried++) {
    failed.signal.throwIfAborted();
    try {
      return await tryPart(context, upload, planned, failed.signal);
    } catch (error) {
      const again = tried < tries && isBridgeError(error) && error.retryable && !failed.signal.aborted;
      if (!again) failed.abort(error);
      else await sleep(retryDelayMs * 2 ** (tried - 1) * (1 + random()));
    }
  }
}

async function tryPart(
  context: CopyContext,
  { uploadId, checked }: OpenUpload,
  { partNumber, range }: PlannedPart,
  signal: AbortSignal,
): Promise<UploadedPart> {
  const { destination, key } = context;
  await context.fence();
  await checked?.rememberSometimes();
  const body = await openRange(context, range, signal);
  const bytes = await readAll(body, rangeSize(range));
  if (bytes.length !== rangeSize(range)) throw new BridgeError("Unavailable", "readPart", "the source ended a range early");
  context.onPart(bytes.length);
  const algorithm = partChecksum(context);
  const checksum = algorithm && checksumOf(algorithm, bytes);
  const part = await destination.uploadPart(key, { uploadId, partNumber }, bytes, { checksum, signal });
  await checked?.add(range, bytes, signal);
  return part;
}

async function openRange({ source, snapshot }: CopyContext, range: ByteRange, signal: AbortSignal): Promise<Readable> {
  try {
    return (await source.open({ pin: snapshot, range, signal })).body;
  } catch (error) {
    if (isBridgeError(error, "PreconditionFailed", "NotFound")) throw new CopyEnded(SUPERSEDED);
    // The presigned URL, or the session that signed it, has expired: the next run goes on with a fresh URL.
    if (isBridgeError(error, "PermissionDenied")) throw new CopyEnded({ result: "continue", reason: error.message });
    throw error;
  }
}

/** The kind of checksum that each part carries: the source's kind if the destination can verify it over the whole, else the store's first kind. */
function partChecksum({ destination, snapshot }: CopyContext): ChecksumAlgorithm | undefined {
  const { multipartChecksums } = destination.capabilities;
  return multipartChecksums.find((one) => one === snapshot.checksum?.algorithm) ?? multipartChecksums[0];
}

/** Without a common checksum the etag of the replica shows later that its bytes are still the same. It is known only after the completion. */
function sealOf(context: CopyContext): Seal | undefined {
  const { checksum } = context.snapshot;
  return checksum !== undefined && checksum.algorithm === partChecksum(context) ? undefined : "record";
}

/** @returns the etag of the replica that was written; undefined where the destination was equal already */
async function complete(
  context: CopyContext,
  { uploadId, checked }: OpenUpload,
  parts: UploadedPart[],
): Promise<string | undefined> {
  const { destination, source, key, snapshot, bridge } = context;
  assertWhole(snapshot, parts, checked);
  const seen = await lookAt(destination, key);
  if (seen && firstDifference(snapshot, seen, bridge) === undefined) {
    await destination.abortUpload(key, uploadId);
    return undefined;
  }
  if (!(await source.isCurrent({ pin: snapshot }))) throw new CopyEnded(SUPERSEDED);
  // The fence is last: nothing is awaited between its read of the lease and the completion.
  await context.fence();
  const { checksum } = snapshot;
  try {
    const { etag } = await destination.completeUpload(key, uploadId, parts, {
      condition: unchangedSince(destination, seen),
      checksum: checksum?.algorithm === partChecksum(context) ? checksum : undefined,
    });
    return etag;
  } catch (error) {
    if (!mayStillLand(error)) throw error;
    // The lease keeps other writers away, and the object was not equal before: if it is equal now, the completion has landed.
    const now = await lookAt(destination, key).catch(() => undefined);
    if (now === undefined || firstDifference(snapshot, now, bridge) !== undefined)
      throw new CompletionUnsettled("the completion was not answered", { cause: error });
    return now.head.etag;
  }
}

/** Compares the combined checksum of the parts with the source's before the object becomes visible: not every store does it. */
function assertWhole({ checksum }: ObjectSnapshot, parts: readonly UploadedPart[], checked: CheckedRanges | undefined): void {
  if (checksum === undefined) return;
  const { algorithm, value } = checksum;
  if ((checked?.whole() ?? combined(parts, algorithm) ?? value) === value) return;
  throw new BridgeError("Corrupted", "complete", `the parts' ${algorithm} does not add up to the source object's`);
}

/** Undefined where the store does not report the checksum of every part. */
function combined(parts: readonly UploadedPart[], algorithm: ChecksumAlgorithm): string | undefined {
  if (!isCombinable(algorithm)) return undefined;
  const pieces = parts.flatMap(({ checksum, sizeBytes }) =>
    checksum?.algorithm === algorithm ? [{ value: checksum.value, sizeBytes }] : [],
  );
  return pieces.length < parts.length ? undefined : combineChecksums(algorithm, pieces).value;
}

/** @param etag of the replica that was written */
async function prove(context: CopyContext, etag: string | undefined): Promise<void> {
  const { destination, key, snapshot, bridge } = context;
  const replica = planReplica(context, snapshot, sealOf(context));
  const record = etag === undefined ? undefined : await recordReplica(context, replica, etag);
  const find = async (): Promise<Difference | undefined> => {
    const state = await lookAt(destination, key, undefined, record);
    return state === undefined ? { what: "object" } : firstDifference(snapshot, state, bridge);
  };
  let difference = await find();
  if (difference?.what === "tags") {
    // Some stores drop the tags that an upload was created with.
    await destination.putTags(key, snapshot.tags);
    difference = await find();
  }
  if (difference === undefined) return;
  const reason = `after the copy the destination's ${describeDifference(difference)}`;
  throw new CopyEnded({ result: "retry", reason, difference });
}
