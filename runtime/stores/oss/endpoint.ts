/** The endpoints of OSS. https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints */
import { isIPv4 } from "node:net";
import { parseEndpoint } from "../endpoint";
import { encodeOssKey, type OssQueries, ossQueryString } from "./sign";

/**
 * - `public`, `internal`: the region's endpoints, from outside of it and (free of charge) from inside. Accounts that activated OSS since
 *   2025-03-20 cannot read or write objects through the public endpoint of a region on the Chinese mainland.
 * - `accelerate`, `accelerate-overseas`: transfer acceleration. The bucket must have it enabled. It carries calls about objects only.
 * - `customDomain`: a domain that is bound to the bucket.
 *   https://www.alibabacloud.com/help/en/oss/user-guide/access-buckets-via-custom-domain-names
 */
export type OssNetwork = "public" | "internal" | "accelerate" | "accelerate-overseas" | { readonly customDomain: string };

/** `oss-cn-shanghai` and `cn-shanghai` are the same region. */
export function ossRegion(region: string): string {
  return region.replace(/^oss-/, "");
}

/** The host name that serves a region, or a bucket, in a network. */
export function ossHost(region: string, network: OssNetwork = "public"): string {
  if (typeof network === "object") return network.customDomain;
  switch (network) {
    case "public":
      return `oss-${ossRegion(region)}.aliyuncs.com`;
    case "internal":
      return `oss-${ossRegion(region)}-internal.aliyuncs.com`;
    case "accelerate":
    case "accelerate-overseas":
      return `oss-${network}.aliyuncs.com`;
  }
}

/** The origin of a server of many buckets, or `boundTo` the one bucket that the whole origin belongs to: then no request names the bucket. */
export type OssEndpoint = string | { readonly boundTo: string };

/** The endpoint of a network. `originOf` maps its host name to an origin. */
export function ossEndpoint(
  region: string,
  network: OssNetwork = "public",
  originOf: (host: string) => string = (host) => `https://${host}`,
): OssEndpoint {
  const origin = originOf(ossHost(region, network));
  return typeof network === "object" ? { boundTo: origin } : origin;
}

export function isAccelerated(endpoint: OssEndpoint): boolean {
  return typeof endpoint === "string" && /^oss-accelerate(-overseas)?\.aliyuncs\.com$/.test(new URL(endpoint).hostname);
}

/** Whether the endpoint leads to the vendor's own service. A custom domain can be bound to no other. */
export function isOssEndpoint(endpoint: OssEndpoint): boolean {
  return typeof endpoint === "object" || /\.aliyuncs\.com$/.test(new URL(endpoint).hostname);
}

/** The place of a bucket behind one endpoint. */
export interface OssTarget {
  origin: string;
  /** `/` where the host names the bucket, `/<bucket>/` where it cannot. */
  pathPrefix: string;
}

/** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
export function ossTarget(endpoint: OssEndpoint, bucket: string): OssTarget {
  if (typeof endpoint === "object") return { origin: parseEndpoint("OSS", endpoint.boundTo).url.origin, pathPrefix: "/" };
  const { url, hostname } = parseEndpoint("OSS", endpoint);
  // A bucket name cannot precede an IP address, nor `localhost`. Node's pattern for IPv6 would take 3 ms of a function's start.
  if (isIPv4(hostname) || hostname.includes(":") || hostname === "localhost")
    return { origin: url.origin, pathPrefix: `/${bucket}/` };
  return { origin: `${url.protocol}//${bucket}.${url.host}`, pathPrefix: "/" };
}

/** Path and query, never normalised: keys may hold `//`, `/./` and `/../`, and the signature covers them as they are. */
export function ossPath({ pathPrefix }: OssTarget, key: string | undefined, queries: OssQueries): string {
  return `${pathPrefix}${key === undefined ? "" : encodeOssKey(key)}${ossQueryString(queries)}`;
}
