/**
 * Copies one large object: as one stream where the link carries it in a short time, else by ranges into a multipart upload, which a later run can
 * go on with. Knows no lease: `fence` says whether the copy may go on.
 */
import type { Difference } from "../protocol/messages";
import { isBridgeError, mayStillLand } from "../stores/errors";
import type { UploadedPart } from "../stores/object-store";
import { assertCurrent, type CopyContext, CopyEnded, OutOfTime, waitUntilLanded } from "./copy-context";
import { copyParts } from "./copy-parts";
import { checksumOfWhole, type OpenUpload, openUpload, planOf, sealOf } from "./copy-upload";
import { lookAt, planReplica, recordReplica, unchangedSince } from "./destination";
import { describeDifference, firstDifference } from "./equality";
import { streamObject } from "./stream-object";

export async function copyObject(context: CopyContext): Promise<"replicated"> {
  if (await streamObject(context)) return "replicated";
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

/** @returns the etag of the replica that was written; undefined where the destination was equal already */
async function complete(context: CopyContext, upload: OpenUpload, parts: UploadedPart[]): Promise<string | undefined> {
  const { destination, key, snapshot, bridge } = context;
  const { uploadId } = upload;
  const checksum = checksumOfWhole(context, upload, parts);
  if (context.pace.timeLeftMs() < context.completionMs)
    throw new CopyEnded({ result: "continue", reason: "the copier's time ran out before the completion" });
  const seen = await lookAt(destination, key);
  if (seen && firstDifference(snapshot, seen, bridge) === undefined) {
    await destination.abortUpload(key, uploadId);
    return undefined;
  }
  await assertCurrent(context);
  // The fence is last: nothing is awaited between its read of the lease and the completion.
  await context.fence(true);
  try {
    const condition = unchangedSince(destination, seen);
    const { etag } = await destination.completeUpload(key, uploadId, parts, { condition, checksum });
    return etag;
  } catch (error) {
    if (!mayStillLand(error)) throw error;
    return await waitUntilLanded(context, error);
  }
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
