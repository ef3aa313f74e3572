/** The endpoints of OSS. https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints */
import { isIPv4 } from "node:net";
import { parseEndpoint } from "../endpoint";
import { encodeOssKey, type OssQueries, ossQueryString } from "./sign";

/**
 * - `public`, `internal`: the region's endpoints, from outside of it and (free of charge) from inside.
 * - `accelerate`, `accelerate-overseas`: transfer acceleration. The bucket must have it enabled. It carries calls about objects only.
 */
export type OssNetwork = "public" | "internal" | "accelerate" | "accelerate-overseas";

/** `oss-cn-shanghai` and `cn-shanghai` are the same region. */
export function ossRegion(region: string): string {
  return region.replace(/^oss-/, "");
}

export function ossEndpoint(region: string, network: OssNetwork = "public"): string {
  switch (network) {
    case "public":
      return `https://oss-${ossRegion(region)}.aliyuncs.com`;
    case "internal":
      return `https://oss-${ossRegion(region)}-internal.aliyuncs.com`;
    case "accelerate":
    case "accelerate-overseas":
      return `https://oss-${network}.aliyuncs.com`;
  }
}

export function isAccelerated(endpoint: string): boolean {
  return /^oss-accelerate(-overseas)?\.aliyuncs\.com$/.test(new URL(endpoint).hostname);
}

/** Whether the endpoint is the vendor's own. */
export function isOssEndpoint(endpoint: string): boolean {
  return /\.aliyuncs\.com$/.test(new URL(endpoint).hostname);
}

/** The place of a bucket behind one endpoint. */
export interface OssTarget {
  origin: string;
  /** `/` where the bucket is part of the host, `/<bucket>/` where it cannot be. */
  pathPrefix: string;
}

/** @throws BridgeError `ConfigInvalid` for an endpoint that is not `https://host[:port]`. */
export function ossTarget(endpoint: string, bucket: string): OssTarget {
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
