/**
 * Decides which requests the plain HTTP front serves. A browser lets every web page send requests to 127.0.0.1, so the front serves S3 and OSS clients of this
 * machine and nothing else: no web page, no other name of this machine, and nothing behind the front but the objects of its bucket.
 */
import type { IncomingHttpHeaders } from "node:http";

export interface FrontRequest {
  method: string;
  /** Path and query as received. */
  url: string;
  headers: IncomingHttpHeaders;
}

export interface Front {
  kind: "s3" | "oss";
  port: number;
  /** Clients that address the bucket by host name put it before `localhost`. */
  bucket: string;
  region: string;
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE"]);
const SAME_SITE: ReadonlySet<string> = new Set(["none", "same-origin"]);

/** Why the request is refused; undefined for one that is forwarded. */
export function refusalOf({ method, url, headers }: FrontRequest, front: Front): string | undefined {
  if (!METHODS.has(method)) return "only GET, HEAD, PUT, POST and DELETE are served";
  if (hostStyleOf(headers.host, front) === undefined) return "the Host header names another host: use the printed endpoint";
  const site = headers["sec-fetch-site"];
  if (headers.origin !== undefined || (site !== undefined && !SAME_SITE.has(String(site))))
    return "requests of web pages are not served";
  if (!url.startsWith("/")) return "the request names no path";
  return front.kind === "s3" ? s3Refusal(url, headers, front) : undefined;
}

/** How a request addresses the bucket: in its path, by its host name, or by the host name that OSS gives it. */
export type HostStyle = "path" | "bucket" | "vendor";

/** Undefined for the host name of anything else: a foreign name can lead to this machine (DNS rebinding). */
export function hostStyleOf(host: string | undefined, { kind, port, bucket, region }: Front): HostStyle | undefined {
  const name = host?.toLowerCase() ?? "";
  // With an IP address ali-oss connects to it and names the host of the real OSS, without a port.
  if (kind === "oss" && name === `${bucket}.oss-${region}.aliyuncs.com`) return "vendor";
  if (name === `127.0.0.1:${port}` || name === `localhost:${port}`) return "path";
  return name === `${bucket}.localhost:${port}` ? "bucket" : undefined;
}

/**
 * The emulator of AWS decides the service by many parts of a request, so each of them must say S3. It serves pages of its own under names that could be buckets, so
 * the path must name the front's bucket, or nothing for the list of buckets.
 */
function s3Refusal(url: string, headers: IncomingHttpHeaders, front: Front): string | undefined {
  const [path = "", query = ""] = url.split("?", 2);
  if (!isS3Signed(query, headers)) return "only signed requests of S3 are served";
  if (hostStyleOf(headers.host, front) === "bucket")
    return /^\/+_/.test(path) ? "a key that begins with an underscore is served in path style only" : undefined;
  const isOwn = path === "/" || path === `/${front.bucket}` || path.startsWith(`/${front.bucket}/`);
  return isOwn ? undefined : `only the bucket ${front.bucket} is served`;
}

function isS3Signed(query: string, headers: IncomingHttpHeaders): boolean {
  const { authorization } = headers;
  if (headers["x-amz-target"] !== undefined) return false;
  if (authorization !== undefined) return /^AWS4-HMAC-SHA256 .*Credential=[^\s,]+\/s3\/aws4_request\b/.test(authorization);
  const parameters = new URLSearchParams(query);
  const credential = parameters.get("X-Amz-Credential");
  return credential !== null && parameters.has("X-Amz-Signature") && credential.endsWith("/s3/aws4_request");
}
