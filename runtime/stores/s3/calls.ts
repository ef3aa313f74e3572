/** The base of the adapter: its bucket, signals, conditions and errors. */
import { Readable } from "node:stream";
import {
  type CopyObjectCommand,
  type CreateMultipartUploadCommand,
  type GetObjectCommand,
  type GetObjectCommandOutput,
  GetObjectTaggingCommand,
  type HeadObjectCommand,
  type HeadObjectCommandOutput,
  type PutObjectCommand,
  type S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import type { ContentHeaders, Tags } from "../../protocol/snapshot";
import { abortedError } from "../body";
import { BridgeError } from "../errors";
import { isAscii } from "../header-text";
import type { CallOptions, PutResult, StoreCapabilities, WriteCondition } from "../object-store";
import { toS3Error } from "./errors";
import { parseTags, unquote } from "./metadata";

/** The configured storage class and encryption of new objects. */
export interface Placement {
  StorageClass?: StorageClass | undefined;
  ServerSideEncryption?: "aws:kms" | "AES256" | undefined;
  SSEKMSKeyId?: string | undefined;
}

/** Names S3's own encryption, which S3 applies anyway unless the bucket has another default. */
const OWN_ENCRYPTION = { ServerSideEncryption: "AES256" } as const satisfies Placement;

export class S3Calls {
  /** Whether the bucket refuses writes that name no encryption. */
  private mustNameEncryption = false;

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

  /**
   * Runs a write of a new object. Some bucket policies refuse writes without `x-amz-server-side-encryption`. The header is not always sent: it
   * would replace the default encryption of a bucket with a KMS key. So a write that is refused is sent once more with the header, and from
   * then on every write has it.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
   * @param isRepeatable whether `write` may be called twice. Where it may not, the caller's next try has the header
   */
  async place<T>(isRepeatable: boolean, write: (placement: Placement) => Promise<T>): Promise<T> {
    const { placement } = this;
    if (placement.ServerSideEncryption !== undefined) return write(placement);
    const wasNamed = this.mustNameEncryption;
    try {
      return await write(wasNamed ? { ...placement, ...OWN_ENCRYPTION } : placement);
    } catch (error) {
      if (!isAccessDenied(error)) throw error;
      // Refused with the header too: the header was not the reason.
      this.mustNameEncryption = !wasNamed;
      if (wasNamed || !isRepeatable) throw error;
      return await this.place(false, write);
    }
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

function isAccessDenied(error: unknown): boolean {
  return error instanceof Error && (error.name === "AccessDenied" || (error.cause as Error | undefined)?.name === "AccessDenied");
}

function isMissingKey(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "NoSuchKey" || cause.name === "NotFound");
}

/** S3 answers 204 for a version that does not exist; other servers of its protocol answer with an error. */
export function isMissingVersion(cause: unknown): boolean {
  return cause instanceof Error && (cause.name === "NoSuchVersion" || cause.name === "NoSuchKey");
}

export interface HttpHandlerOptions {
  abortSignal?: AbortSignal;
}

export function httpOptions(signal: AbortSignal | undefined): HttpHandlerOptions {
  return signal === undefined ? {} : { abortSignal: signal };
}

/** The headers of an answer as they arrived, one character a byte. */
export type RawHeaders = Readonly<Record<string, string>>;

/**
 * Sends the command and returns its output with the headers of the answer: the SDK drops the metadata entry `__proto__`, and headers that its
 * model does not know.
 */
export async function sendForHeaders(
  client: S3Client,
  command: HeadObjectCommand,
  http: HttpHandlerOptions,
): Promise<{ output: HeadObjectCommandOutput; raw: RawHeaders }>;
export async function sendForHeaders(
  client: S3Client,
  command: GetObjectCommand,
  http: HttpHandlerOptions,
): Promise<{ output: GetObjectCommandOutput; raw: RawHeaders }>;
export async function sendForHeaders(client: S3Client, command: HeadObjectCommand | GetObjectCommand, http: HttpHandlerOptions) {
  let raw: RawHeaders = {};
  const { middlewareStack } = command as Pick<HeadObjectCommand, "middlewareStack">;
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      raw = (result.response as { headers: RawHeaders }).headers;
      return result;
    },
    { step: "deserialize", name: "rawHeaders" },
  );
  const output = await client.send(command as HeadObjectCommand, http);
  return { output, raw };
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

const RAW_HEADERS = {
  contentType: "content-type",
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  expires: "expires",
} as const satisfies Partial<Record<keyof ContentHeaders, string>>;

/**
 * Sends the headers exactly as they were stored, where the SDK would not.
 *
 * - `Expires`: the SDK accepts only a Date and writes it in its own form, but a stored value may be anything ("0" is common).
 * - Values that are no ASCII: the SDK signs text and sends bytes, and S3 computes another signature. S3 requires a signature of its own headers
 *   only, so these are added after the request is signed.
 *
 * Node decodes a Content-Disposition and sends other bytes when it knows the length of the body before it writes the header
 * (https://github.com/nodejs/node/pull/46528). So the header comes before Content-Length, and the body is a stream.
 */
export function withRawHeaders(
  command: PutObjectCommand | CopyObjectCommand | CreateMultipartUploadCommand,
  headers: ContentHeaders,
): void {
  const entries = Object.entries(RAW_HEADERS) as [keyof typeof RAW_HEADERS, string][];
  const given = entries.flatMap(([name, header]) => (headers[name] === undefined ? [] : [[header, headers[name]] as const]));
  const bytes = Object.fromEntries(given.filter(([, value]) => !isAscii(value)));
  const { expires } = headers;
  const { middlewareStack } = command as Pick<PutObjectCommand, "middlewareStack">;
  if (expires !== undefined && isAscii(expires))
    middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers.expires = expires;
        return next(args);
      },
      { step: "build", name: "rawExpires" },
    );
  if (Object.keys(bytes).length > 0)
    middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { headers: Record<string, string>; body?: unknown };
        if (request.body instanceof Uint8Array) request.body = Readable.from([request.body], { objectMode: false });
        const others = Object.entries(request.headers).filter(([name]) => !(name.toLowerCase() in bytes));
        request.headers = { ...bytes, ...Object.fromEntries(others) };
        return next(args);
      },
      { step: "deserialize", name: "rawBytes", priority: "low" },
    );
}
