/** Copying an object onto itself that is too large for one call. https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
import { isDeepStrictEqual } from "node:util";
import { CreateMultipartUploadCommand, GetObjectTaggingCommand, UploadPartCopyCommand } from "@aws-sdk/client-s3";
import type { Tags } from "../../protocol/snapshot";
import { type CopyLimits, type CopyRange, copyAll, copyRanges } from "../copy-ranges";
import { BridgeError } from "../errors";
import type { CallOptions, PutResult, UploadedPart } from "../object-store";
import { httpOptions, type S3Calls } from "./calls";
import { withRawExpires } from "./expires";
import { isS3Checksum, parseTags, partChecksum, taggingField, unquote } from "./metadata";
import { lookAt, type S3Present } from "./present";
import type { S3Uploads } from "./uploads";

/** For taking an unfinished upload back; the caller's own signal may be what ended it. */
const ABORT_TIMEOUT_MS = 5_000;

export async function copyInParts(
  op: string,
  calls: S3Calls,
  uploads: S3Uploads,
  limits: CopyLimits,
  key: string,
  present: S3Present,
  options: CallOptions,
): Promise<PutResult> {
  const tags = await tagsOf(op, calls, key, options);
  const { uploadId, verifiesWhole } = await createUpload(op, calls, key, present, tags, options);
  try {
    const ranges = copyRanges(present.sizeBytes, limits.partSizeBytes, calls.capabilities.maxParts);
    const parts = await copyAll(ranges, (range) => copyPart(op, calls, key, uploadId, present.etag, range, options));
    // Its etag alone would not show new headers on equal bytes, and nothing shows new tags.
    const now = await lookAt(op, calls, key, options);
    if (!isDeepStrictEqual([present, tags], [now, await tagsOf(op, calls, key, options)]))
      throw new BridgeError("PreconditionFailed", op, "the object changed while it was copied");
    return await uploads.complete(key, uploadId, parts, {
      ...(options.signal !== undefined && { signal: options.signal }),
      condition: { ifMatch: present.etag },
      ...(verifiesWhole && present.checksum !== undefined && { checksum: present.checksum }),
    });
  } catch (error) {
    // A failure to take it back must not hide why: the bucket's rule for unfinished uploads clears what is left.
    await uploads.abort(key, uploadId, { signal: AbortSignal.timeout(ABORT_TIMEOUT_MS) }).catch(() => undefined);
    throw error;
  }
}

async function tagsOf(op: string, calls: S3Calls, key: string, options: CallOptions): Promise<Tags> {
  const command = new GetObjectTaggingCommand(calls.target(op, key));
  const { TagSet } = await calls.run(op, options, () => calls.client.send(command, httpOptions(options)));
  return parseTags(TagSet);
}

/** `verifiesWhole`: completion may carry the checksum that the object has, and S3 then holds the copy to it. */
async function createUpload(
  op: string,
  calls: S3Calls,
  key: string,
  { fields, expires, checksum, checksumType }: S3Present,
  tags: Tags,
  options: CallOptions,
): Promise<{ uploadId: string; verifiesWhole: boolean }> {
  const declared =
    checksum === undefined || !isS3Checksum(checksum.algorithm)
      ? {}
      : { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksumType };
  const command = new CreateMultipartUploadCommand({
    ...calls.target(op, key),
    ...fields,
    ...taggingField(tags),
    ...declared,
  });
  withRawExpires(command, expires);
  return calls.run(op, options, async () => {
    const { UploadId, ChecksumType } = await calls.client.send(command, httpOptions(options));
    if (UploadId === undefined) throw new Error("the answer has no upload id: this is no S3 endpoint");
    return { uploadId: UploadId, verifiesWhole: checksumType === "FULL_OBJECT" && ChecksumType === "FULL_OBJECT" };
  });
}

async function copyPart(
  op: string,
  calls: S3Calls,
  key: string,
  uploadId: string,
  etag: string,
  { partNumber, start, end }: CopyRange,
  options: CallOptions,
): Promise<UploadedPart> {
  const command = new UploadPartCopyCommand({
    ...calls.target(op, key),
    UploadId: uploadId,
    PartNumber: partNumber,
    CopySource: calls.copySource(key),
    CopySourceIfMatch: `"${etag}"`,
    CopySourceRange: `bytes=${start}-${end}`,
  });
  return calls.run(op, options, async () => {
    const { CopyPartResult = {} } = await calls.client.send(command, httpOptions(options));
    const checksum = partChecksum(CopyPartResult);
    const part = { partNumber, sizeBytes: end - start + 1, etag: unquote(CopyPartResult.ETag) };
    return checksum === undefined ? part : { ...part, checksum };
  });
}
