/** The base of the adapter: its bucket, signals, conditions and errors. */
import {
  type CopyObjectCommand,
  type CreateMultipartUploadCommand,
  GetObjectTaggingCommand,
  type PutObjectCommand,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import type { Tags } from "../../protocol/snapshot";
import { abortedError } from "../body";
import { BridgeError } from "../errors";
import type { CallOptions, PutResult, StoreCapabilities, WriteCondition } from "../object-store";
import { toS3Error } from "./errors";
import { parseTags, unquote } from "./metadata";

/** The configured storage class and encryption of new objects. */
export interface Placement {
  StorageClass?: StorageClass | undefined;
  ServerSideEncryption?: "aws:kms" | undefined;
  SSEKMSKeyId?: string | undefined;
}

export class S3Calls {
  constructor(
    readonly client: S3Client,
    readonly bucket: string,
    readonly capabilities: StoreCapabilities,
    readonly placement: Placement,
  ) {}

  target(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: key };
  }

  /** The header that names the object as the source of a copy. */
  copySource(key: string): string {
    return `${this.bucket}/${key.split("/").map(encodeURIComponent).join("/")}`;
  }

  async getTags(key: string, options: CallOptions = {}, op = "getTags"): Promise<Tags> {
    const command = new GetObjectTaggingCommand(this.target(key));
    const { TagSet } = await this.run(op, options, (client, http) => client.send(command, http));
    return parseTags(TagSet);
  }

  /** Runs the call, which must pass `http` on to the client, and turns every error into a BridgeError. */
  async run<T>(
    op: string,
    { signal }: CallOptions,
    call: (client: S3Client, http: HttpHandlerOptions) => Promise<T>,
    condition?: WriteCondition,
  ): Promise<T> {
    try {
      return await call(this.client, httpOptions(signal));
    } catch (cause) {
      if (signal?.aborted) throw abortedError(op, cause);
      const error = toS3Error(op, cause);
      // S3 answers `If-Match` on a missing key with 404: the condition did not hold.
      if (condition?.ifMatch !== undefined && error.kind === "NotFound" && isMissingKey(cause))
        throw new BridgeError("PreconditionFailed", op, `the key of this ${op} has no object to match`, { cause: error });
      throw error;
    }
  }
}

function isMissingKey(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "NoSuchKey" || cause.name === "NotFound");
}

/** S3 answers 204 for a version that does not exist; other servers of its protocol answer with an error. */
export function isMissingVersion(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "NoSuchVersion" || cause.name === "NoSuchKey");
}

interface HttpHandlerOptions {
  abortSignal?: AbortSignal;
}

export function httpOptions(signal: AbortSignal | undefined): HttpHandlerOptions {
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

/**
 * Sends `Expires` exactly as it was stored. The SDK accepts only a Date and writes it in its own form, but a stored value may be anything
 * ("0" is common).
 */
export function withRawExpires(
  command: PutObjectCommand | CopyObjectCommand | CreateMultipartUploadCommand,
  expires: string | undefined,
): void {
  if (expires === undefined) return;
  const { middlewareStack } = command as Pick<PutObjectCommand, "middlewareStack">;
  middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers.expires = expires;
      return next(args);
    },
    { step: "build", name: "rawExpires" },
  );
}
