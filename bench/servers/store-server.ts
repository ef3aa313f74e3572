/** A store of a benchmark: a server of its own process, with buckets. */
import type { PlannedObject } from "../objects";

/** How a client reaches one bucket. */
export interface BucketAccess {
  kind: "s3" | "oss";
  bucket: string;
  region: string;
  /** `http://127.0.0.1:PORT`, or with TLS `https://127.0.0.1:PORT`. */
  endpoint: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
}

/** Requests by operation, for example `HeadObject`. */
export type RequestCounts = Record<string, number>;

export interface StoreServer {
  access(bucket: string): BucketAccess;
  createBucket(name: string): Promise<void>;
  /** Removes the bucket with everything in it. */
  removeBucket(name: string): Promise<void>;
  upload(bucket: string, objects: readonly PlannedObject[]): Promise<void>;
  /** The SHA-256 of every object of the bucket by its key, without the bridge's own records. */
  digests(bucket: string): Promise<Map<string, string>>;
  /** The requests since the last call. */
  countRequests(): Promise<RequestCounts>;
  stop(): Promise<void>;
}

/** The operations whose query says more than the verb. */
const BY_QUERY: Readonly<Record<string, string>> = {
  "GET tagging": "GetObjectTagging",
  "PUT tagging": "PutObjectTagging",
  "POST uploads": "CreateMultipartUpload",
  "PUT partNumber": "UploadPart",
  "GET uploadId": "ListParts",
  "POST uploadId": "CompleteMultipartUpload",
  "DELETE uploadId": "AbortMultipartUpload",
  "GET list-type": "ListObjectsV2",
  "POST append": "AppendObject",
};
const BY_VERB: Readonly<Record<string, string>> = {
  GET: "GetObject",
  HEAD: "HeadObject",
  PUT: "PutObject",
  DELETE: "DeleteObject",
};

/**
 * The operation of a request about an object, by the name that S3 and OSS share.
 * @param target path and query as they were sent
 */
export function operationOf(method: string, target: string): string {
  const query = target.split("?")[1] ?? "";
  const names = query.split("&").map((pair) => pair.split("=", 1)[0]);
  const found = names.find((name) => `${method} ${name}` in BY_QUERY);
  return found === undefined ? (BY_VERB[method] ?? method) : (BY_QUERY[`${method} ${found}`] as string);
}

export function addRequest(counts: RequestCounts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
