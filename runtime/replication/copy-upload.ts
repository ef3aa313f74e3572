/** The multipart upload of one large object: opened, or taken over from an earlier run, and which checksums prove its bytes. */
import type { Checksum, ChecksumAlgorithm } from "../protocol/snapshot";
import { type CombinableAlgorithm, combineChecksums, isCombinable } from "../stores/checksums";
import { BridgeError, isBridgeError } from "../stores/errors";
import type { UploadedPart } from "../stores/object-store";
import { type CheckedKinds, type CheckedRanges, createCheckedRanges } from "./checked-ranges";
import type { CopyContext } from "./copy-context";
import { planReplica } from "./destination";
import type { CheckedRange, LeasedUpload } from "./lease";
import { type PartPlan, planParts, rangeSize } from "./parts";
import type { Seal } from "./provenance";

export interface OpenUpload {
  uploadId: string;
  plan: PartPlan;
  /** The planned parts that are in the upload already, by number. */
  kept: ReadonlyMap<number, UploadedPart>;
  /** Only where the destination does not compare the source's kind of checksum itself. */
  checked: CheckedRanges | undefined;
}

/** The checksums that prove the bytes of an upload. */
interface Proof {
  /** The destination compares it at the completion, and has it for the replica. */
  held: ChecksumAlgorithm | undefined;
  /** The source's. The destination cannot compare it, so the copier does, before the completion. */
  compared: ChecksumAlgorithm | undefined;
  /** Of the bytes that were sent. The copier computes it, and the destination compares it at the completion. */
  sent: CombinableAlgorithm | undefined;
}

function proofOf({ destination, snapshot }: Pick<CopyContext, "destination" | "snapshot">): Proof {
  const { multipartChecksums, confirmsParts } = destination.capabilities;
  const algorithm = snapshot.checksum?.algorithm;
  if (algorithm !== undefined && multipartChecksums.includes(algorithm))
    return { held: algorithm, compared: undefined, sent: undefined };
  const own = multipartChecksums.find(isCombinable);
  return { held: own, compared: algorithm, sent: confirmsParts && algorithm !== undefined ? undefined : own };
}

/** Whether the destination compares the source's checksum over the whole. */
export function verifiesWhole(context: Pick<CopyContext, "destination" | "snapshot">): boolean {
  const { checksum } = context.snapshot;
  return checksum !== undefined && proofOf(context).held === checksum.algorithm;
}

/** Without a common checksum the etag of the replica shows later that its bytes are still the same. It is known only after the completion. */
export function sealOf(context: Pick<CopyContext, "destination" | "snapshot">): Seal | undefined {
  return verifiesWhole(context) ? undefined : "record";
}

export function planOf({ destination, snapshot }: CopyContext, partSizeBytes: number): PartPlan {
  return planParts({ sizeBytes: snapshot.sizeBytes, partSizeBytes, capabilities: destination.capabilities });
}

/** SHA is hashed in the order of the object: parts that arrive early wait in memory. */
const MIB = 1024 * 1024;
const WAITING_PART_BYTES = 8 * MIB;
const WAITING_BYTES = 32 * MIB;

function isOrdered(context: CopyContext): boolean {
  const { compared } = proofOf(context);
  return compared !== undefined && !isCombinable(compared);
}

/** Connections that may carry parts of this upload at once. */
export function connectionsFor(context: CopyContext, { plan }: OpenUpload): number {
  if (!isOrdered(context)) return context.partsAtOnce;
  return Math.max(1, Math.min(context.partsAtOnce, Math.floor(WAITING_BYTES / plan.partSizeBytes)));
}

/** The upload goes on with its own part size: another size would mean other ranges, and the parts would be lost. */
export async function openUpload(context: CopyContext): Promise<OpenUpload> {
  const { destination, key, upload } = context;
  const resumed = upload && resumablePlan(context, upload);
  if (resumed !== undefined) {
    try {
      return resumeUpload(context, resumed, await destination.listParts(key, resumed.upload.uploadId));
    } catch (error) {
      // The upload was completed, aborted or has expired: start a new one.
      if (!isBridgeError(error, "NotFound")) throw error;
    }
  } else if (upload !== undefined) await destination.abortUpload(key, upload.uploadId);
  return await createUpload(context);
}

async function createUpload(context: CopyContext): Promise<OpenUpload> {
  const { destination, key, pace } = context;
  const configured = isOrdered(context) ? Math.min(context.partSizeBytes, WAITING_PART_BYTES) : context.partSizeBytes;
  const plan = planOf(context, Math.max(pace.partSize(configured), destination.capabilities.minPartSizeBytes));
  const { partSizeBytes } = plan;
  const { uploadId } = await destination.createUpload(key, {
    attributes: planReplica(context, context.snapshot, sealOf(context)).attributes,
    checksumAlgorithm: proofOf(context).held,
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

/** Undefined where the parts have another size than any plan gives them, or would fill the memory while they wait. */
function resumablePlan(context: CopyContext, upload: LeasedUpload): { plan: PartPlan; upload: LeasedUpload } | undefined {
  const plan = planOf(context, upload.partSizeBytes);
  if (plan.partSizeBytes !== upload.partSizeBytes) return undefined;
  return isOrdered(context) && plan.partSizeBytes > WAITING_BYTES ? undefined : { plan, upload };
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
  const known = knownRanges(context, upload).filter((one) => !holdsMissing(one));
  const checked = checkedRanges(context, upload, known);
  for (const { partNumber } of missing) present.delete(partNumber);
  // Without its checksum a part cannot be proven to hold the source's bytes.
  if (checked) for (const { partNumber, range } of parts) if (!checked.covers(range)) present.delete(partNumber);
  return { uploadId: upload.uploadId, plan, kept: present, checked };
}

/** The kinds of checksum that are computed while the bytes pass. */
function kindsOf(context: CopyContext): CheckedKinds | undefined {
  const { compared, sent } = proofOf(context);
  if (compared !== undefined) return sent === undefined ? { algorithm: compared } : { algorithm: compared, sent };
  return sent === undefined ? undefined : { algorithm: sent };
}

function knownRanges(context: CopyContext, { checked }: LeasedUpload): readonly CheckedRange[] {
  const kinds = kindsOf(context);
  return checked !== undefined && checked.algorithm === kinds?.algorithm && checked.sent === kinds.sent ? checked.ranges : [];
}

function checkedRanges(
  context: CopyContext,
  { uploadId, partSizeBytes }: LeasedUpload,
  known: readonly CheckedRange[],
): CheckedRanges | undefined {
  const kinds = kindsOf(context);
  if (kinds === undefined) return undefined;
  const remember = (ranges: CheckedRange[]) => context.rememberUpload({ uploadId, partSizeBytes, checked: { ...kinds, ranges } });
  return createCheckedRanges({ ...kinds, known, remember });
}

/**
 * Compares the source's checksum with that of the parts before the object becomes visible: not every store does it.
 * @returns what the destination is to compare at the completion
 * @throws BridgeError `Corrupted`
 */
export function checksumOfWhole(
  context: CopyContext,
  { checked }: OpenUpload,
  parts: readonly UploadedPart[],
): Checksum | undefined {
  const { checksum } = context.snapshot;
  const { compared, sent } = proofOf(context);
  const ofParts = compared === undefined ? checksum && combined(parts, checksum.algorithm) : checked?.whole();
  if (checksum !== undefined && ofParts !== undefined && ofParts !== checksum.value)
    throw new BridgeError("Corrupted", "complete", `the parts' ${checksum.algorithm} does not add up to the source object's`);
  if (verifiesWhole(context)) return checksum;
  const value = compared === undefined ? checked?.whole() : checked?.wholeSent();
  return sent === undefined || value === undefined ? undefined : { algorithm: sent, value };
}

/** Undefined where the store does not report the checksum of every part. */
function combined(parts: readonly UploadedPart[], algorithm: ChecksumAlgorithm): string | undefined {
  if (!isCombinable(algorithm)) return undefined;
  const pieces = parts.flatMap(({ checksum, sizeBytes }) =>
    checksum?.algorithm === algorithm ? [{ value: checksum.value, sizeBytes }] : [],
  );
  return pieces.length < parts.length ? undefined : combineChecksums(algorithm, pieces).value;
}
