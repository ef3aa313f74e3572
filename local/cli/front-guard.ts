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
 * Where the emulator of AWS has pages of its own and other services, also for a host that begins with a bucket: its tools (`/_ministack/reset`), its checks
 * of health, and the paths of APIs.
 */
const OTHER_PAGE =
  /^\/+(?:_|health$|iceberg|v20180820(?:\/|$)|v2(?:\/|$)|restapis?\/|environments(?:\/|$)|webtoken\/|clitoken\/|metrics\/environments\/|key-value-stores\/|oauth2\/|(?:Execute|(?:Begin|Commit|Rollback)Transaction|BatchExecute)$)/;

/** The path as the emulator may see it: it decodes the path once, and some of its services once more. */
const DECODINGS = 3;

function decodings(path: string): string[] {
  const found = [path];
  for (let times = 0; times < DECODINGS; times++)
    found.push(
      (found.at(-1) ?? "").replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    );
  return found;
}

/**
 * The emulator of AWS decides the service by many parts of a request, so each of them must say S3. It serves pages of its own under names that could be buckets, so
 * the path must name the front's bucket, or nothing for the list of buckets.
 */
function s3Refusal(url: string, headers: IncomingHttpHeaders, front: Front): string | undefined {
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  if (!isS3Signed(mark < 0 ? "" : url.slice(mark + 1), headers)) return "only signed requests of S3 are served";
  if (hostStyleOf(headers.host, front) === "bucket")
    return decodings(path).some((one) => OTHER_PAGE.test(one))
      ? "a key that begins with an underscore, or like the path of another service, is served in path style only"
      : undefined;
  const isOwn = path === "/" || path === `/${front.bucket}` || path.startsWith(`/${front.bucket}/`);
  return isOwn ? undefined : `only the bucket ${front.bucket} is served`;
}

/** Every credential that the request names must be one of S3: the emulator may look at any of them. */
function isS3Signed(query: string, headers: IncomingHttpHeaders): boolean {
  const { authorization = "" } = headers;
  if (headers["x-amz-target"] !== undefined) return false;
  const parameters = [...new URLSearchParams(query)].map(([name, value]) => [name.toLowerCase(), value] as const);
  const inQuery = parameters.filter(([name]) => name === "x-amz-credential").map(([, value]) => value);
  const inHeader = [...authorization.matchAll(/Credential=([^\s,]*)/gi)].map(([, value = ""]) => value);
  const isSigned =
    authorization === "" ? parameters.some(([name]) => name === "x-amz-signature") : /^AWS4-HMAC-SHA256 /.test(authorization);
  const credentials = [...inQuery, ...inHeader];
  return isSigned && credentials.length === 1 && credentials[0]?.endsWith("/s3/aws4_request") === true;
}
