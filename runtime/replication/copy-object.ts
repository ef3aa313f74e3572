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
import { type Pace, TooSlow } from "./pace";
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

/** The run has no time for more parts. */
export class OutOfTime extends Error {
  constructor() {
    super("the copier's time ran out");
  }
}

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
  /** Throws `CopyEnded` when this run may not go on, and `OutOfTime`. */
  fence(): Promise<void>;
  pace: Pace;
  /** The time that is kept for a completion: a store may need minutes for it. */
  completionMs: number;
  /** Ends the parts in flight shortly before the hard end of the run, so that the run can record its outcome. */
  outOfTime: AbortSignal;
  /** Resolves once the next run will take smaller parts and no upload. */
  shrinkParts(partSizeBytes: number): Promise<void>;
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
  const { destination, key } = context;
  const upload = await openUpload(context);
  let etag: string | undefined;
  try {
    etag = await complete(context, upload, await copyParts(context, upload));
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
    throw error instanceof OutOfTime ? await afterTimeout(context, upload) : error;
  }
  await prove(context, etag);
  return "replicated";
}

/** After this time without a new part the parts of an upload are given up, so that smaller ones can get through. */
const MAX_IDLE_MS = 86_400_000;

/**
 * How a run ends whose time ran out. It is no failure as long as a part got through, or smaller parts can be tried. Parts that are there are
 * kept: the link may be better in the next run.
 */
async function afterTimeout(context: CopyContext, { plan, kept, uploadId }: OpenUpload): Promise<CopyEnded> {
  const { destination, key, snapshot, pace } = context;
  const isStuck = pace.lastPartMs !== undefined && pace.options.clock.now() - pace.lastPartMs >= MAX_IDLE_MS;
  const unfinished = new CopyEnded({ result: "continue", reason: "the copier's time ran out" });
  if (pace.hasDoneParts || (kept.size > 0 && !isStuck)) return unfinished;
  const partSizeBytes = Math.min(plan.partSizeBytes, snapshot.sizeBytes);
  const smallest = planOf(context, destination.capabilities.minPartSizeBytes).partSizeBytes;
  const seconds = Math.round(pace.totalMs / 1000);
  if (partSizeBytes <= smallest) {
    const reason = `no part of ${partSizeBytes} bytes, the smallest that the destination takes, got through in a run of ${seconds} s`;
    return new CopyEnded({ result: "retry", reason, place: "source" });
  }
  await context.shrinkParts(Math.max(smallest, Math.min(Math.floor(partSizeBytes / 2), pace.partSize(partSizeBytes))));
  await destination.abortUpload(key, uploadId);
  return new CopyEnded({
    result: "continue",
    reason: `no part of ${partSizeBytes} bytes got through in ${seconds} s: smaller parts follow`,
  });
}

function planOf({ destination, snapshot }: CopyContext, partSizeBytes: number): PartPlan {
  return planParts({ sizeBytes: snapshot.sizeBytes, partSizeBytes, capabilities: destination.capabilities });
}

interface OpenUpload {
  uploadId: string;
  plan: PartPlan;
  /** The planned parts that are in the upload already, by number. */
  kept: ReadonlyMap<number, UploadedPart>;
  /** Only where the parts do not carry the source's kind of checksum. */
  checked: CheckedRanges | undefined;
}

/** The upload goes on with its own part size: another size would mean other ranges, and the parts would be lost. */
async function openUpload(context: CopyContext): Promise<OpenUpload> {
  const { destination, key, upload, pace } = context;
  const resumed = upload && resumablePlan(context, upload);
  if (resumed !== undefined) {
    try {
      return resumeUpload(context, resumed, await destination.listParts(key, resumed.upload.uploadId));
    } catch (error) {
      // The upload was completed, aborted or has expired: start a new one.
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  } else if (upload !== undefined) await destination.abortUpload(key, upload.uploadId);
  const plan = planOf(context, Math.max(pace.partSize(context.partSizeBytes), destination.capabilities.minPartSizeBytes));
  const { partSizeBytes } = plan;
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
  return { uploadId, plan, kept: new Map(), checked: checkedRanges(context, { uploadId, partSizeBytes }, []) };
}

/** Undefined where the parts have another size than any plan gives them, or do not fit into the memory that is configured now. */
function resumablePlan(context: CopyContext, upload: LeasedUpload): { plan: PartPlan; upload: LeasedUpload } | undefined {
  const { partSizeBytes, concurrency } = context;
  const plan = planOf(context, upload.partSizeBytes);
  const memoryBytes = Math.max(partSizeBytes * concurrency, planOf(context, partSizeBytes).partSizeBytes);
  return plan.partSizeBytes === upload.partSizeBytes && plan.partSizeBytes <= memoryBytes ? { plan, upload } : undefined;
}

function resumeUpload(
  context: CopyContext,
  { plan, upload }: { plan: PartPlan; upload: LeasedUpload },
  found: readonly UploadedPart[],
): OpenUpload {
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
  return { uploadId: upload.uploadId, plan, kept: present, checked };
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

async function copyParts(context: CopyContext, upload: OpenUpload): Promise<UploadedPart[]> {
  const limit = pLimit(partsInMemory(context, upload.plan.partSizeBytes));
  const failed = new AbortController();
  const signal = AbortSignal.any([failed.signal, context.outOfTime]);
  const results: Promise<UploadedPart>[] = [];
  for (const planned of upload.plan) {
    const kept = upload.kept.get(planned.partNumber);
    results.push(kept ? Promise.resolve(kept) : limit(() => copyPart(context, upload, planned, { failed, signal })));
  }
  // When one part fails the others are stopped. When there is no time for another part, those in flight go on. The run ends when all have ended.
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
  { failed, signal }: { failed: AbortController; signal: AbortSignal },
): Promise<UploadedPart> {
  const { tries, retryDelayMs, random, sleep, outOfTime } = context;
  for (let tried = 1; ; tried++) {
    failed.signal.throwIfAborted();
    try {
      return await tryPart(context, upload, planned, signal);
    } catch (error) {
      const isTimeout = error instanceof OutOfTime || error instanceof TooSlow || outOfTime.aborted;
      // With SHA a part waits for the parts before it, so it would wait for this one.
      if (isTimeout && !failed.signal.aborted && upload.checked?.isOrdered !== true) throw new OutOfTime();
      const again = !isTimeout && tried < tries && isBridgeError(error) && error.retryable && !failed.signal.aborted;
      if (!again) failed.abort(isTimeout ? new OutOfTime() : error);
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
  const { destination, key, pace } = context;
  const sizeBytes = rangeSize(range);
  if (!pace.hasTimeFor(sizeBytes)) throw new OutOfTime();
  await context.fence();
  await checked?.rememberSometimes();
  const beganMs = pace.timeLeftMs();
  const bytes = await readAll(pace.watch(await openRange(context, range, signal), sizeBytes), sizeBytes);
  if (bytes.length !== sizeBytes) throw new BridgeError("Unavailable", "readPart", "the source ended a range early");
  context.onPart(bytes.length);
  const algorithm = partChecksum(context);
  const checksum = algorithm && checksumOf(algorithm, bytes);
  const part = await destination.uploadPart(key, { uploadId, partNumber }, bytes, { checksum, signal });
  pace.donePart(sizeBytes, beganMs - pace.timeLeftMs());
  await checked?.add(range, bytes, signal);
  return part;
}

async function openRange({ source, snapshot }: CopyContext, range: ByteRange, signal: AbortSignal): Promise<Readable> {
  try {
    return (await source.open({ pin: snapshot, range, signal })).body;
  } catch (error) {
    if (isBridgeError(error, "PreconditionFailed", "NotFound")) throw new CopyEnded(SUPERSEDED);
    // The presigned URL, or the session that signed it, has expired: the next run goes on with a fresh URL.
    if (isBridgeError(error, "PermissionDenied"))
      throw new CopyEnded({ result: "continue", place: "source", reason: error.message });
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
  if (context.pace.timeLeftMs() < context.completionMs)
    throw new CopyEnded({ result: "continue", reason: "the copier's time ran out before the completion" });
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
    const landed = await waitForCompletion(context);
    if (landed === undefined) throw new CompletionUnsettled("the completion was not answered", { cause: error });
    return landed;
  }
}

/** Looks at the destination until about two minutes after a completion that was not answered. */
const COMPLETION_LOOKS = 9;

/**
 * The lease keeps other writers away, and the object was not equal before: if it is equal now, the completion has landed.
 * @returns its etag; undefined while it has not landed
 */
async function waitForCompletion({
  destination,
  key,
  snapshot,
  bridge,
  pace,
  sleep,
  retryDelayMs,
}: CopyContext): Promise<string | undefined> {
  for (let look = 1; ; look++) {
    const now = await lookAt(destination, key).catch(() => undefined);
    if (now !== undefined && firstDifference(snapshot, now, bridge) === undefined) return now.head.etag;
    const waitMs = retryDelayMs * 2 ** (look - 1);
    if (look === COMPLETION_LOOKS || pace.timeLeftMs() < waitMs) return undefined;
    await sleep(waitMs);
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
