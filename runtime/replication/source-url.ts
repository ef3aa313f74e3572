/**
 * Checks presigned URLs, and the addresses that their hosts resolve to. Checks the text of a URL itself: a parser that normalises would check
 * another URL than the one that is read.
 */
import { type LookupAddress, type LookupOptions, lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";
import type { AllowedSources } from "../protocol/env";
import { BridgeError } from "../stores/errors";

export interface SourceUrl {
  /** `https://host[:port]`, one of the allowed origins. */
  origin: string;
  /** Path and query to the letter: keys may hold `//`, `/./` and `/../`, and the signature covers the key as it is. */
  path: string;
}

/** What a URL reads: the object's bytes, or its tags. */
export type SourceTarget = "object" | "tags";

/**
 * @param key the key that the URL must name, exactly
 * @throws BridgeError with the reason: `HostRefused` for another host than the source's, else `Invalid`. Its text never holds the URL.
 */
export type SourceUrlParser = (url: string, key: string, target?: SourceTarget) => SourceUrl;

/** @throws BridgeError `ConfigInvalid` when an allowed origin is not in its normal form. */
export function createSourceUrlParser(allowedSources: AllowedSources): SourceUrlParser {
  for (const { origin } of allowedSources) assertNormalOrigin(origin);
  return (url, key, target = "object") => {
    const { origin, path } = splitUrl(url);
    const [rawPath = "", ...queries] = path.split("?");
    assertPath(rawPath);
    const ofHost = allowedSources.filter((source) => source.origin === origin);
    if (ofHost.length === 0) throw foreignHost();
    const ofPath = ofHost.filter(({ pathPrefix }) => isBelow(pathPrefix, rawPath));
    if (ofPath.length === 0) throw refused("its path is outside the configured source bucket");
    if (!ofPath.some(({ pathPrefix }) => decodeKey(rawPath.slice(pathPrefix.length)) === key))
      throw refused("it names another key than its notice");
    assertQuery(queries.join("?"), target);
    return { origin, path };
  };
}

function splitUrl(url: string): SourceUrl {
  if (!url.startsWith("https://")) throw refused("it is not https");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  if (/[\u0000-\u0020\u007f-\uffff]/.test(url)) throw refused("it holds characters that must be percent-encoded");
  if (url.includes("\\")) throw refused("it holds a backslash");
  if (url.includes("#")) throw refused("it has a fragment");
  const pathStart = url.slice("https://".length).search(/[/?]/) + "https://".length;
  const origin = url.slice(0, pathStart);
  const path = url.slice(pathStart);
  if (pathStart < "https://".length || !path.startsWith("/")) throw refused("it has no path");
  if (origin.includes("@")) throw refused("it carries user info");
  return { origin, path };
}

/**
 * The parameters of presigned URLs of S3 (signature V4, V4A and V2) and of OSS (V4 and V1), with those that the AWS SDK adds. Any other
 * parameter may change what is read: an old version (`versionId`), one part (`partNumber`), another answer (`response-*`), a converted object
 * (`x-oss-process`), or a sub-resource (`acl`).
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 * https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
 */
const SIGNING_PARAMETERS: ReadonlySet<string> = new Set([
  ...["X-Amz-Algorithm", "X-Amz-Content-Sha256", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-Region-Set"],
  ...["X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-SignedHeaders"],
  ...["AWSAccessKeyId", "x-amz-security-token"],
  ...["x-oss-additional-headers", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-security-token"],
  ...["x-oss-signature", "x-oss-signature-version"],
  ...["OSSAccessKeyId", "security-token"],
  ...["Expires", "Signature"],
]);

/** Whole parameters that change nothing: the AWS SDK adds them to the signed query. */
const SDK_PARAMETERS: ReadonlySet<string> = new Set(["x-id=GetObject", "x-amz-checksum-mode=ENABLED"]);

const TAGGING: ReadonlySet<string> = new Set(["tagging", "tagging="]);

/** A name counts as it is written: a store would decode `version%49d`, so an encoded name is refused. */
function assertQuery(query: string, target: SourceTarget): void {
  const parameters = query === "" ? [] : query.split("&");
  const others = target === "tags" ? parameters.filter((one) => !TAGGING.has(one)) : parameters;
  if (target === "tags" && others.length !== parameters.length - 1) throw refused("it does not read the object's tags");
  const isKnown = (one: string) => SDK_PARAMETERS.has(one) || SIGNING_PARAMETERS.has(one.split("=", 1)[0] as string);
  if (!others.every(isKnown))
    throw refused("its query holds a parameter that is not part of a signature and may change what is read");
}

/**
 * The key as the stores read it from a path. Undefined for a path that two stores may read in different ways: invalid UTF-8, or a `+`, which S3
 * takes for a space.
 */
function decodeKey(rawKey: string): string | undefined {
  if (rawKey.includes("+")) return undefined;
  try {
    return decodeURIComponent(rawKey);
  } catch {
    return undefined;
  }
}

function assertNormalOrigin(origin: string): void {
  let normal: string | undefined;
  try {
    normal = new URL(origin).origin;
  } catch {
    normal = undefined;
  }
  // A trailing dot, capitals, a default port or an IDN would never equal the host that a presigner writes.
  if (normal !== origin || !origin.startsWith("https://") || new URL(origin).hostname.endsWith(".")) {
    throw new BridgeError(
      "ConfigInvalid",
      "allowedSources",
      `the allowed source ${JSON.stringify(origin)} must be https://host[:port] in lower case, without a default port or a trailing dot`,
    );
  }
}

/** No presigner encodes a dot or a slash. An encoded one could let the check and the server see different paths. */
function assertPath(rawPath: string): void {
  const isHidden = (segment: string) => /%2e/i.test(segment) && /^\.{1,2}$/.test(segment.replace(/%2e/gi, "."));
  if (/%2f/i.test(rawPath) || rawPath.split("/").some(isHidden))
    throw refused("its path hides a dot segment or a slash behind percent-encoding");
}

/**
 * Whether the path stays below the prefix, read from left to right, also for a server that follows dots and collapses slashes. The stores read a
 * path as it is written, so a key may hold `/../`. S3 itself refuses a key whose dots climb higher than the key's own segments.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
 */
function isBelow(pathPrefix: string, rawPath: string): boolean {
  if (!rawPath.startsWith(pathPrefix)) return false;
  if (pathPrefix === "/") return true;
  let depth = 0;
  for (const segment of rawPath.slice(pathPrefix.length).split("/")) {
    if (segment === "..") depth--;
    else if (segment !== "." && segment !== "") depth++;
    if (depth < 0) return false;
  }
  return true;
}

function refused(reason: string): BridgeError {
  return new BridgeError("Invalid", "read", `the presigned URL is refused: ${reason}`);
}

/**
 * While an update changes the source's host, the sender may have the new one before the receiver has. So this is not permanent: the key
 * waits until both agree.
 */
function foreignHost(): BridgeError {
  const { message } = refused("its host and port are not those of the configured source");
  return new BridgeError("HostRefused", "read", message).locate({ place: "source" });
}

/** Metadata and wire servers of clouds at addresses of public ranges. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(["100.100.100.200", "168.63.129.16", "169.254.169.254", "fd00:ec2::254"]);

/** Whether an address is one of the public internet: not private, loopback, link-local, shared, multicast, reserved or a tunnel. */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.process(address);
  return parsed.range() === "unicast" && !METADATA_ADDRESSES.has(parsed.toString());
}

export type ResolveAll = (
  hostname: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A `lookup` for sockets: it checks the addresses at the moment of connecting, because a name may resolve to any address. One address that is
 * not public refuses the name: otherwise the owner of the name could choose which address is connected to.
 */
export function publicLookup(resolve: ResolveAll = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, "", 0);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isPublicAddress(address))) {
        const refusal = new BridgeError("Invalid", "read", "the presigned URL is refused: its host leads to a private address");
        return callback(refusal, "", 0);
      }
      // Node wants all addresses when it races address families, and one address otherwise.
      if (options.all) (callback as unknown as (error: null, addresses: LookupAddress[]) => void)(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
