/** The base of the adapter: its bucket, its conditions, and the encryption of what it writes. */
import type { WholeAnswer } from "../../http/exchange";
import { parseTagging } from "../../http/tagging";
import { parseXml, type XmlElement } from "../../http/xml";
import type { Tags } from "../../protocol/snapshot";
import { BridgeError } from "../errors";
import type { CallOptions, StoreCapabilities, WriteCondition } from "../object-store";
import { refusalCode } from "../refusals";
import { TagCounts } from "../tag-counts";
import { type S3Call, S3Client, type S3ClientOptions } from "./client";
import { s3Errors, unexpectedAnswer } from "./errors";

/** The configured storage class and encryption of new objects. */
export interface Placement {
  storageClass?: string | undefined;
  /** Encrypts with this key. @default the bucket's own encryption */
  kmsKeyArn?: string | undefined;
}

const ENCRYPTION = "x-amz-server-side-encryption";
/** Names S3's own encryption, which S3 applies anyway unless the bucket has another default. */
const OWN_ENCRYPTION = { [ENCRYPTION]: "AES256" };

export class S3Calls {
  readonly client: S3Client;
  readonly bucket: string;
  /** Headers with the configured storage class and encryption of new objects. */
  readonly placement: Readonly<Record<string, string>>;
  /** Whether the bucket refuses writes that name no encryption. */
  private mustNameEncryption = false;
  private readonly tagCounts: TagCounts;

  constructor(
    options: S3ClientOptions & Placement,
    readonly capabilities: StoreCapabilities,
  ) {
    const { bucket, storageClass, kmsKeyArn } = options;
    this.client = new S3Client(options);
    this.bucket = bucket;
    this.tagCounts = new TagCounts(this.client.isAws);
    this.placement = {
      ...(storageClass !== undefined && { "x-amz-storage-class": storageClass }),
      ...(kmsKeyArn !== undefined && { [ENCRYPTION]: "aws:kms", [`${ENCRYPTION}-aws-kms-key-id`]: kmsKeyArn }),
    };
  }

  async getTags(key: string, { signal }: CallOptions = {}, op = "getTags"): Promise<Tags> {
    const tags = await this.client.send({ op, method: "GET", key, query: { tagging: "" }, signal }, ({ body }) => {
      const found = parseTagging(body.toString("utf8"));
      if (found === undefined) throw unexpectedAnswer(op, "no document of tags");
      return found;
    });
    this.tagCounts.tagsWereRead();
    return tags;
  }

  /** The number of tags in an answer to HEAD, where it is certain. */
  tagCountOf(headers: WholeAnswer["headers"]): { tagCount?: number } {
    const tagCount = this.tagCounts.read(headers["x-amz-tagging-count"]);
    return tagCount === undefined ? {} : { tagCount };
  }

  /**
   * Runs a write of a new object. Some bucket policies refuse writes without `x-amz-server-side-encryption`. The header is not always sent: it
   * would replace the default encryption of a bucket with a KMS key. So a write that is refused is sent once more with the header, and from
   * then on every write has it. S3 also answers AccessDenied where the role may not use the bucket's default key. Then the header would store the
   * object without that key, so the bucket is asked for its default first.
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
   * @param isRepeatable whether `write` may be called twice. Where it may not, the caller's next try has the header
   */
  async place<T>(
    isRepeatable: boolean,
    write: (placement: Readonly<Record<string, string>>) => Promise<T>,
    options: CallOptions = {},
  ): Promise<T> {
    const { placement } = this;
    if (placement[ENCRYPTION] !== undefined) return write(placement);
    const wasNamed = this.mustNameEncryption;
    try {
      return await write(wasNamed ? { ...placement, ...OWN_ENCRYPTION } : placement);
    } catch (error) {
      if (!(error instanceof BridgeError) || refusalCode(error) !== "AccessDenied") throw error;
      // Refused with the header too: the header was not the reason.
      this.mustNameEncryption = false;
      if (wasNamed) throw error;
      const found = await this.defaultEncryption(options);
      if (found?.startsWith("aws:kms")) throw withoutKey(error);
      if (found === undefined) throw error;
      this.mustNameEncryption = true;
      if (!isRepeatable) throw error;
      return await this.place(false, write, options);
    }
  }

  /**
   * The algorithm that the bucket encrypts with by default; undefined where the bucket does not tell it.
   * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
   */
  private async defaultEncryption({ signal }: CallOptions): Promise<string | undefined> {
    const op = "getEncryption";
    try {
      return await this.client.send({ op, method: "GET", query: { encryption: "" }, signal }, (answer) =>
        documentOf(op, answer).child("Rule")?.child("ApplyServerSideEncryptionByDefault")?.textOf("SSEAlgorithm"),
      );
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return refusalCode(error) === "ServerSideEncryptionConfigurationNotFoundError" ? "AES256" : undefined;
    }
  }

  /** Sends a call that has a condition. S3 answers `If-Match` on a missing key with 404: the condition did not hold. */
  async sendConditional<T>(call: S3Call, condition: WriteCondition | undefined, take: (answer: WholeAnswer) => T): Promise<T> {
    try {
      return await this.client.send(call, take);
    } catch (error) {
      const isMissing = error instanceof BridgeError && error.kind === "NotFound" && MISSING_KEY.has(refusalCode(error));
      if (condition?.ifMatch === undefined || !isMissing) throw error;
      const { op } = call;
      throw new BridgeError("PreconditionFailed", op, `the key of this ${op} has no object to match`, { cause: error });
    }
  }
}

/** The refusal of a write to a bucket whose default is a key of KMS. */
function withoutKey({ kind, op, message, cause }: BridgeError): BridgeError {
  const advice =
    "the bucket encrypts with a key of KMS by default: set kmsKeyArn of this side to that key, so that the role may use it";
  return new BridgeError(kind, op, `${message}; ${advice}`, { cause });
}

const MISSING_KEY: ReadonlySet<string | undefined> = new Set(["NoSuchKey", "NotFound", undefined]);

/**
 * The root of a document. S3 sends the status 200 before some work is done; then the document of a failure has the status 200 as well.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export function documentOf(op: string, { body, headers }: WholeAnswer): XmlElement {
  const root = parseXml(body.toString("utf8"));
  if (root === undefined) throw unexpectedAnswer(op, "no XML document");
  if (root.name !== "Error") return root;
  throw s3Errors.refusal(op, {
    status: SERVICE_UNAVAILABLE,
    code: root.textOf("Code"),
    requestId: headers["x-amz-request-id"],
    retryAfter: headers["retry-after"],
  });
}

/** Stands for the status that came too early. */
const SERVICE_UNAVAILABLE = 503;
