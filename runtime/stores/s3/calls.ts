/** What every call to S3 shares: its target, its signal, its condition and how it fails. */
import type { S3Client, StorageClass } from "@aws-sdk/client-s3";
import { abortedError, throwIfAborted } from "../body";
import { BridgeError } from "../errors";
import { assertKey } from "../keys";
import type { CallOptions, PutResult, StoreCapabilities, WriteCondition } from "../object-store";
import { toS3Error } from "./errors";
import { unquote } from "./metadata";

/** Where new objects go, by configuration. */
export interface Placement {
  StorageClass?: StorageClass;
  ServerSideEncryption?: "aws:kms";
  SSEKMSKeyId?: string;
}

export class S3Calls {
  constructor(
    readonly client: S3Client,
    readonly bucket: string,
    readonly capabilities: StoreCapabilities,
    readonly placement: Placement,
  ) {}

  /** @throws BridgeError `Invalid` for a key that S3 cannot hold. */
  target(op: string, key: string): { Bucket: string; Key: string } {
    assertKey(op, key, this.capabilities.maxKeyBytes);
    return { Bucket: this.bucket, Key: key };
  }

  /** The header that names the object as what is copied. */
  copySource(key: string): string {
    return `${this.bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** Runs the call; whatever it rejects with becomes a BridgeError. */
  async run<T>(op: string, { signal }: CallOptions, call: () => Promise<T>, condition?: WriteCondition): Promise<T> {
    throwIfAborted(op, signal);
    try {
      return await call();
    } catch (cause) {
      if (signal?.aborted) throw abortedError(op, cause);
      const error = toS3Error(op, cause);
      throw condition?.ifMatch !== undefined && isMissingKey(cause) ? lostObject(op, error) : error;
    }
  }
}

/** S3 answers `If-Match` on a missing key with 404: the condition did not hold. */
function lostObject(op: string, cause: BridgeError): BridgeError {
  return cause.kind === "NotFound"
    ? new BridgeError("PreconditionFailed", op, `the key of this ${op} has no object to match`, { cause })
    : cause;
}

function isMissingKey(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "NoSuchKey" || cause.name === "NotFound");
}

/** S3 itself answers 204 for a version that is not there; others that speak its protocol say so. */
export function isMissingVersion(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "NoSuchVersion" || cause.name === "NoSuchKey");
}

export function httpOptions({ signal }: { signal?: AbortSignal | undefined }): { abortSignal?: AbortSignal } {
  return signal === undefined ? {} : { abortSignal: signal };
}

export function conditionFields(condition: WriteCondition | undefined): { IfMatch?: string; IfNoneMatch?: string } {
  if (condition?.ifMatch !== undefined) return { IfMatch: `"${condition.ifMatch}"` };
  return condition?.ifAbsent ? { IfNoneMatch: "*" } : {};
}

export function putResult(output: { ETag?: string | undefined; VersionId?: string | undefined }): PutResult {
  const result: PutResult = { etag: unquote(output.ETag) };
  if (output.VersionId) result.versionId = output.VersionId;
  return result;
}
