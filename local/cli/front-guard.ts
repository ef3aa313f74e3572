/**
 * Decides which requests the plain HTTP front serves. A browser lets every web page send requests to 127.0.0.1, so the front serves S3 and OSS clients of this
 * machine and nothing else: no web page, no other name of this machine, and no other service of the emulator behind it.
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
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "PUT", "POST", "DELETE"]);
const SAME_SITE: ReadonlySet<string> = new Set(["none", "same-origin"]);

/** Why the request is refused; undefined for one that is forwarded. */
export function refusalOf({ method, url, headers }: FrontRequest, front: Front): string | undefined {
  if (!METHODS.has(method)) return "only GET, HEAD, PUT, POST and DELETE are served";
  if (!isOwnHost(headers.host, front)) return "the Host header names another host: use the printed endpoint";
  const site = headers["sec-fetch-site"];
  if (headers.origin !== undefined || (site !== undefined && !SAME_SITE.has(String(site))))
    return "requests of web pages are not served";
  if (front.kind === "s3" && !isS3(url, headers)) return "only signed requests of S3 are served";
  return undefined;
}

/** ali-oss addresses a bucket as `bucket.localhost`. A foreign name that leads to this machine (DNS rebinding) is not one of these. */
function isOwnHost(host: string | undefined, { kind, port }: Front): boolean {
  const name = host?.toLowerCase().endsWith(`:${port}`) ? host.toLowerCase().slice(0, -`:${port}`.length) : undefined;
  if (name === undefined) return false;
  return name === "127.0.0.1" || name === "localhost" || (kind === "oss" && /^[a-z0-9-]+\.localhost$/.test(name));
}

/** The emulator of AWS decides the service by many parts of a request, so each of them must say S3. */
function isS3(url: string, headers: IncomingHttpHeaders): boolean {
  const [path = "", query = ""] = url.split("?", 2);
  if (!path.startsWith("/") || /^\/+_/.test(path) || headers["x-amz-target"] !== undefined) return false;
  const { authorization } = headers;
  if (authorization !== undefined) return /^AWS4-HMAC-SHA256 .*Credential=[^\s,]+\/s3\/aws4_request\b/.test(authorization);
  const parameters = new URLSearchParams(query);
  const credential = parameters.get("X-Amz-Credential");
  return credential !== null && parameters.has("X-Amz-Signature") && credential.endsWith("/s3/aws4_request");
}
