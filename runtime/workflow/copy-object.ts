/** One large object by ranges into a multipart upload. Knows no lease: `fence` says whether it may go on. */
import type { Readable } from "node:stream";
import pLimit from "p-limit";
import type { CopyJob, SourceReader } from "../ports";
import type { ChecksumAlgorithm } from "../protocol/snapshot";
import { lookAt, replicaAttributes, unchangedSince } from "../replication/destination";
import { firstDifference } from "../replication/equality";
import type { CopyOutcome, LeasedUpload } from "../replication/lease";
import { type PartPlan, type PlannedPart, planParts, rangeSize } from "../replication/parts";
import { checksumOf } from "../stores/checksums";
import { combineChecksums, isCombinable } from "../stores/combine-checksums";
import { BridgeError, isBridgeError, mayStillLand } from "../stores/errors";
import type { ByteRange, ObjectStore, UploadedPart } from "../stores/object-store";
import { readAll } from "../stores/read-all";

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
  /** Resolves once the upload will be found again by a later run. */
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
  const { uploadId, parts: done } = await openUpload(context, plan);
  try {
    const read: ReadParts = new Map();
    const parts = await copyParts(context, plan, { uploadId, done, read });
    assertAsRead(job, plan, read);
    await complete(context, uploadId, parts);
  } catch (error) {
    // Nothing of another snapshot, and no part that failed its check, is worth keeping.
    const superseded = error instanceof CopyEnded && error.outcome.result === "superseded";
    if (superseded || isBridgeError(error, "Corrupted")) {
      // First of all nobody may go on with these parts, whatever becomes of the abort, which must not hide why either.
      await context.forgetUpload();
      await store.abortUpload(job.key, uploadId).catch(() => undefined);
    }
    throw error;
  }
  await prove(context);
  return "replicated";
}

async function openUpload(context: CopyContext, plan: PartPlan): Promise<{ uploadId: string; parts: UploadedPart[] }> {
  const { store, job, upload } = context;
  const { partSizeBytes } = plan;
  if (upload?.partSizeBytes === partSizeBytes) {
    try {
      return { uploadId: upload.uploadId, parts: await store.listParts(job.key, upload.uploadId) };
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
    // Nobody would find it again.
    await store.abortUpload(job.key, uploadId);
    throw error;
  }
  return { uploadId, parts: [] };
}

/** The source's own kind of checksum of each part that this run has read, where the destination verifies another kind. */
type ReadParts = Map<number, { value: string; sizeBytes: number }>;

async function copyParts(
  context: CopyContext,
  plan: PartPlan,
  { uploadId, done, read }: { uploadId: string; done: readonly UploadedPart[]; read: ReadParts },
): Promise<UploadedPart[]> {
  const present = new Map(done.map((part) => [part.partNumber, part]));
  const limit = pLimit(partsInMemory(context, plan.partSizeBytes));
  const failed = new AbortController();
  const results: Promise<UploadedPart>[] = [];
  for (const planned of plan) {
    const kept = present.get(planned.partNumber);
    results.push(
      kept?.sizeBytes === rangeSize(planned.range)
        ? Promise.resolve(kept)
        : limit(() => copyPart(context, { uploadId, read }, planned, failed)),
    );
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
  into: { uploadId: string; read: ReadParts },
  planned: PlannedPart,
  failed: AbortController,
): Promise<UploadedPart> {
  const { tries, retryDelayMs, random, sleep } = context;
  for (let tried = 1; ; tried++) {
    failed.signal.throwIfAborted();
    try {
      return await tryPart(context, into, planned, failed.signal);
    } catch (error) {
      const again = tried < tries && isBridgeError(error) && error.retryable && !failed.signal.aborted;
      if (!again) failed.abort(error);
      else await sleep(retryDelayMs * 2 ** (tried - 1) * (1 + random()));
    }
  }
}

async function tryPart(
  context: CopyContext,
  { uploadId, read }: { uploadId: string; read: ReadParts },
  { partNumber, range }: PlannedPart,
  signal: AbortSignal,
): Promise<UploadedPart> {
  const { store, job } = context;
  await context.fence();
  const body = await openRange(context, range, signal);
  const bytes = await readAll(body, rangeSize(range));
  if (bytes.length !== rangeSize(range)) throw new BridgeError("Unavailable", "readPart", "the source ended a range early");
  context.onPart(bytes.length);
  const algorithm = partChecksum(context);
  const checksum = algorithm === undefined ? {} : { checksum: checksumOf(algorithm, bytes) };
  const known = job.snapshot.checksum?.algorithm;
  if (known !== undefined && known !== algorithm && isCombinable(known))
    read.set(partNumber, { value: checksumOf(known, bytes).value, sizeBytes: bytes.length });
  return await store.uploadPart(job.key, uploadId, partNumber, bytes, { ...checksum, signal });
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

async function complete(context: CopyContext, uploadId: string, parts: UploadedPart[]): Promise<void> {
  const { store, reader, job, bridge } = context;
  assertWhole(job, parts);
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
    if (mayStillLand(error)) throw new CompletionUnsettled("the completion was not answered", { cause: error });
    throw error;
  }
}

/** The same by what was read, where the destination speaks of another kind. Parts of an earlier run were not read by this one. */
function assertAsRead({ snapshot: { checksum } }: CopyJob, plan: PartPlan, read: ReadParts): void {
  if (checksum === undefined || !isCombinable(checksum.algorithm)) return;
  const parts = [...plan].flatMap(({ partNumber }) => read.get(partNumber) ?? []);
  if (parts.length === 0 || parts.length < [...plan].length) return;
  if (combineChecksums(checksum.algorithm, parts).value === checksum.value) return;
  throw new BridgeError(
    "Corrupted",
    "read",
    `the parts that were read have another ${checksum.algorithm} than the source's object`,
  );
}

/** What the parts' checksums say of the whole, before anybody can see it; not every store compares that itself. */
function assertWhole({ snapshot: { checksum } }: CopyJob, parts: readonly UploadedPart[]): void {
  if (checksum === undefined || !isCombinable(checksum.algorithm)) return;
  const known = parts.flatMap(({ checksum: part, sizeBytes }) =>
    part?.algorithm === checksum.algorithm ? [{ value: part.value, sizeBytes }] : [],
  );
  if (known.length < parts.length) return;
  if (combineChecksums(checksum.algorithm, known).value === checksum.value) return;
  throw new BridgeError("Corrupted", "complete", `the parts' ${checksum.algorithm} does not add up to the source object's`);
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
