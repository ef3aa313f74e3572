/** One large object by ranges into a multipart upload. Knows no lease: `fence` says whether it may go on. */
import type { Readable } from "node:stream";
import pLimit from "p-limit";
import type { ByteRange, CopyJob, SourceReader } from "../protocol/ports";
import type { ChecksumAlgorithm } from "../protocol/snapshot";
import { type CombinableAlgorithm, checksumOf, combineChecksums, isCombinable } from "../stores/checksums";
import { BridgeError, isBridgeError, mayStillLand } from "../stores/errors";
import type { ObjectStore, UploadedPart } from "../stores/object-store";
import { readAll } from "../stores/read-all";
import { asPiece, type CheckedRanges, createCheckedRanges } from "./checked-ranges";
import { lookAt, replicaAttributes, unchangedSince } from "./destination";
import { firstDifference } from "./equality";
import type { CheckedRange, CopyOutcome, LeasedUpload } from "./lease";
import { type PartPlan, type PlannedPart, planParts, rangeSize } from "./parts";

/** Ends a copy with an outcome that is no failure of it. */
export class CopyEnded extends Error {
  readonly outcome: CopyOutcome;
  constructor(outcome: CopyOutcome) {
    super(outcome.reason ?? outcome.result);
    this.name = "CopyEnded";
    this.outcome = outcome;
  }
}

/** A completion was sent and its answer never came: it may still land. */
export class CompletionUnsettled extends Error {}

export interface CopyContext {
  store: ObjectStore;
  reader: SourceReader;
  bridge: { bridgeId: string; sourceId: string };
  partSizeBytes: number;
  /** Parts in memory at once. */
  concurrency: number;
  job: CopyJob;
  /** The upload of an earlier run of the same snapshot. */
  upload: LeasedUpload | undefined;
  /** Resolves once a later run will find the upload, and what is checked of it. */
  rememberUpload(upload: LeasedUpload): Promise<void>;
  /** Resolves once no later run will find the upload; does nothing when the lease is no longer this run's. */
  forgetUpload(): Promise<void>;
  /** Throws `CopyEnded` when this run may not go on. */
  fence(): Promise<void>;
  /** Called for every part that moved. */
  onPart(sizeBytes: number): void;
  /** How often one part is tried, and the first wait in between; ms. */
  tries: number;
  retryDelayMs: number;
  /** In [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
}

export async function copyObject(context: CopyContext): Promise<"replicated"> {
  const { store, job, partSizeBytes } = context;
  const plan = planParts({ sizeBytes: job.snapshot.sizeBytes, partSizeBytes, capabilities: store.capabilities });
  const upload = await openUpload(context, plan);
  try {
    await complete(context, upload, await copyParts(context, plan, upload));
  } catch (error) {
    // Nothing of another snapshot, and no part that failed its check, is worth keeping.
    const superseded = error instanceof CopyEnded && error.outcome.result === "superseded";
    if (superseded || isBridgeError(error, "Corrupted")) {
      // First of all nobody may go on with these parts. Neither step must hide why it ended, and either one is enough.
      await context.forgetUpload().catch(() => undefined);
      await store.abortUpload(job.key, upload.uploadId).catch(() => undefined);
    } else {
      // It spares the next run work; failing at it must not hide why this one ended.
      await upload.checked?.remember().catch(() => undefined);
    }
    throw error;
  }
  await prove(context);
  return "replicated";
}

interface OpenUpload {
  uploadId: string;
  /** The planned parts that need not be moved any more, by number. */
  kept: ReadonlyMap<number, UploadedPart>;
  /** Only where the parts themselves do not carry the source's kind of checksum. */
  checked: CheckedRanges | undefined;
}

async function openUpload(context: CopyContext, plan: PartPlan): Promise<OpenUpload> {
  const { store, job, upload } = context;
  const { partSizeBytes } = plan;
  if (upload?.partSizeBytes === partSizeBytes) {
    try {
      return resumed(context, plan, upload, await store.listParts(job.key, upload.uploadId));
    } catch (error) {
      // Completed, aborted or expired since: start anew.
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  } else if (upload !== undefined) await store.abortUpload(job.key, upload.uploadId);
  const algorithm = partChecksum(context);
  const { uploadId } = await store.createUpload(job.key, {
    attributes: replicaAttributes(job.snapshot, context.bridge, job.key),
    ...(algorithm === undefined ? {} : { checksumAlgorithm: algorithm }),
  });
  try {
    await context.rememberUpload({ uploadId, partSizeBytes });
  } catch (error) {
    // Nobody would find it again; failing at it must not hide why.
    await store.abortUpload(job.key, uploadId).catch(() => undefined);
    throw error;
  }
  return { uploadId, kept: new Map(), checked: checkedRanges(context, { uploadId, partSizeBytes }, []) };
}

function resumed(context: CopyContext, plan: PartPlan, upload: LeasedUpload, found: readonly UploadedPart[]): OpenUpload {
  const present = new Map(found.map((part) => [part.partNumber, part]));
  const parts = [...plan];
  const missing = parts.filter(({ partNumber, range }) => present.get(partNumber)?.sizeBytes !== rangeSize(range));
  // A checksum over several parts says nothing any more when one of them is moved again.
  const holdsMissing = (one: CheckedRange) => missing.some(({ range }) => one.start <= range.start && range.end <= one.end);
  const isOfThisKind = upload.checked?.algorithm === context.job.snapshot.checksum?.algorithm;
  const known = isOfThisKind ? upload.checked?.ranges.filter((one) => !holdsMissing(one)) : undefined;
  const checked = checkedRanges(context, upload, known ?? []);
  for (const { partNumber } of missing) present.delete(partNumber);
  // Nobody could say any more whether the bytes in such a part are the source's.
  if (checked) for (const { partNumber, range } of parts) if (!checked.covers(range)) present.delete(partNumber);
  return { uploadId: upload.uploadId, kept: present, checked };
}

function checkedRanges(
  context: CopyContext,
  { uploadId, partSizeBytes }: LeasedUpload,
  known: readonly CheckedRange[],
): CheckedRanges | undefined {
  const algorithm = context.job.snapshot.checksum?.algorithm;
  if (algorithm === undefined || algorithm === partChecksum(context) || !isCombinable(algorithm)) return undefined;
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
  // When one part fails the others are stopped; the run is over only when all of them are.
  await Promise.allSettled(results);
  // The part that failed first is the cause; what became of the ones it stopped tells nothing.
  failed.signal.throwIfAborted();
  return await Promise.all(results);
}

/** Parts of a huge object are larger than configured; then fewer are held, so that memory stays what the configuration asks for. */
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
  const { store, job } = context;
  await context.fence();
  await checked?.rememberSometimes();
  const body = await openRange(context, range, signal);
  const bytes = await readAll(body, rangeSize(range));
  if (bytes.length !== rangeSize(range)) throw new BridgeError("Unavailable", "readPart", "the source ended a range early");
  context.onPart(bytes.length);
  const algorithm = partChecksum(context);
  const checksum = algorithm === undefined ? {} : { checksum: checksumOf(algorithm, bytes) };
  const part = await store.uploadPart(job.key, { uploadId, partNumber }, bytes, { ...checksum, signal });
  checked?.add(range, bytes);
  return part;
}

async function openRange({ reader, job }: CopyContext, range: ByteRange, signal: AbortSignal): Promise<Readable> {
  try {
    return (await reader.open(job.url, { etag: job.snapshot.etag, range, signal })).body;
  } catch (error) {
    if (isBridgeError(error, "PreconditionFailed", "NotFound")) throw new CopyEnded({ result: "superseded" });
    // The URL, or the session that signed it, ran out: with a fresh one the next run goes on.
    if (isBridgeError(error, "PermissionDenied")) throw new CopyEnded({ result: "continue", reason: error.message });
    throw error;
  }
}

/** What every part carries: the source's own kind where the destination can then verify the whole, else what the store does best. */
function partChecksum({ store, job }: CopyContext): ChecksumAlgorithm | undefined {
  const { multipartChecksums } = store.capabilities;
  return multipartChecksums.find((one) => one === job.snapshot.checksum?.algorithm) ?? multipartChecksums[0];
}

async function complete(context: CopyContext, { uploadId, checked }: OpenUpload, parts: UploadedPart[]): Promise<void> {
  const { store, reader, job, bridge } = context;
  assertWhole(job, parts, checked);
  const seen = await lookAt(store, job.key);
  if (seen && firstDifference(job.snapshot, seen, bridge) === undefined) {
    await store.abortUpload(job.key, uploadId);
    return;
  }
  if (!(await reader.isCurrent(job.url, { etag: job.snapshot.etag }))) throw new CopyEnded({ result: "superseded" });
  // Last: between this look at the lease and the completion nothing is awaited.
  await context.fence();
  const { checksum } = job.snapshot;
  try {
    await store.completeUpload(job.key, uploadId, parts, {
      ...unchangedSince(store, seen),
      ...(checksum?.algorithm === partChecksum(context) && checksum ? { checksum } : {}),
    });
  } catch (error) {
    if (!mayStillLand(error)) throw error;
    // Nobody else may write this key, and a moment ago it was not equal: where it is now, the completion has landed.
    const now = await lookAt(store, job.key).catch(() => undefined);
    if (now === undefined || firstDifference(job.snapshot, now, bridge) !== undefined)
      throw new CompletionUnsettled("the completion was not answered", { cause: error });
  }
}

/** What the checksums of what was read say of the whole, before anybody can see it; not every store compares that itself. */
function assertWhole(
  { snapshot: { checksum } }: CopyJob,
  parts: readonly UploadedPart[],
  checked: CheckedRanges | undefined,
): void {
  if (checksum === undefined || !isCombinable(checksum.algorithm)) return;
  const { algorithm, value } = checksum;
  const pieces = checked?.all().map(asPiece) ?? piecesOf(parts, algorithm);
  if (pieces === undefined || combineChecksums(algorithm, pieces).value === value) return;
  throw new BridgeError("Corrupted", "complete", `the parts' ${algorithm} does not add up to the source object's`);
}

/** Undefined where the store does not tell them all. */
function piecesOf(parts: readonly UploadedPart[], algorithm: CombinableAlgorithm) {
  const pieces = parts.flatMap(({ checksum, sizeBytes }) =>
    checksum?.algorithm === algorithm ? [{ value: checksum.value, sizeBytes }] : [],
  );
  return pieces.length < parts.length ? undefined : pieces;
}

async function prove(context: CopyContext): Promise<void> {
  const { store, job, bridge } = context;
  const difference = async () => {
    const state = await lookAt(store, job.key);
    return state === undefined ? "object" : firstDifference(job.snapshot, state, bridge);
  };
  let found = await difference();
  if (found === "tags") {
    // Some stores drop the tags that an upload was created with.
    await store.putTags(job.key, job.snapshot.tags);
    found = await difference();
  }
  if (found !== undefined) {
    throw new BridgeError("Corrupted", "prove", `after the copy the destination's ${found} differs from the source's`);
  }
}
