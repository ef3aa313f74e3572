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

/** @throws BridgeError `Invalid` with the reason. Its text never holds the URL. */
export type SourceUrlParser = (url: string) => SourceUrl;

/** @throws BridgeError `ConfigInvalid` when an allowed origin is not in its normal form. */
export function createSourceUrlParser(allowedSources: AllowedSources): SourceUrlParser {
  for (const { origin } of allowedSources) assertNormalOrigin(origin);
  return (url) => {
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

    const ofHost = allowedSources.filter((source) => source.origin === origin);
    if (ofHost.length === 0) throw refused("its host and port are not those of the configured source");
    const rawPath = path.split("?", 1)[0] as string;
    if (hasEncodedDotSegment(rawPath)) throw refused("its path hides a dot segment or a slash behind percent-encoding");
    const resolved = resolveDots(rawPath);
    if (!ofHost.some(({ pathPrefix }) => rawPath.startsWith(pathPrefix) && resolved.startsWith(resolveDots(pathPrefix)))) {
      throw refused("its path is outside the configured source bucket");
    }
    return { origin, path };
  };
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
function hasEncodedDotSegment(rawPath: string): boolean {
  if (/%2f/i.test(rawPath)) return true;
  return rawPath.split("/").some((segment) => /%2e/i.test(segment) && /^\.{1,2}$/.test(segment.replace(/%2e/gi, ".")));
}

/**
 * The path with its slashes collapsed and its dots followed, so that `/bucket/../other/key` is not taken for a path of `/bucket/`. The stores
 * read a path as it is written, but a proxy might not.
 */
function resolveDots(rawPath: string): string {
  const segments = rawPath.split("/").slice(1);
  const last = segments[segments.length - 1];
  const resolved: string[] = [];
  for (const segment of segments) {
    if (segment === "..") resolved.pop();
    else if (segment !== "." && segment !== "") resolved.push(segment);
  }
  const isFolder = resolved.length > 0 && (last === "" || last === "." || last === "..");
  return `/${resolved.join("/")}${isFolder ? "/" : ""}`;
}

function refused(reason: string): BridgeError {
  return new BridgeError("Invalid", "read", `the presigned URL is refused: ${reason}`);
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
