import { isOwnHost } from "../local-clients";
import { assertBucketName, assertObjectName, percentDecode } from "./names";
import { OssError } from "./oss-error";

export interface Target {
  /** Undefined for operations on the service. */
  bucket: string | undefined;
  /** Undefined for operations on a bucket. */
  key: string | undefined;
  /** The custom domain by which the request came. */
  domain?: string | undefined;
}

const LOOPBACK = /^(?:localhost|127\.0\.0\.1)$/;
const OF_BUCKET = /^([^.]+)\.(?:localhost|127\.0\.0\.1|oss-[a-z0-9-]+\.aliyuncs\.com)$/;
const OF_SERVICE = /^oss-[a-z0-9-]+\.aliyuncs\.com$/;

export interface Addressed {
  /** The header, with or without a port. */
  host: string | undefined;
  rawPath: string;
  /** The domain of the port, for the port of a custom domain. */
  domain?: string | undefined;
}

/**
 * The bucket and object of a request. On `localhost` and 127.0.0.1 the path has the bucket (`/bucket/key`), as with OSS at an IP address.
 * Otherwise the host begins with the bucket, or it is a custom domain of the bucket; OSS's own domains allow only the first. The port decides
 * the region and the kind of endpoint, not the host.
 * @param bucketOf the name of the bucket that has the domain
 */
export function targetOf({ host, rawPath, domain }: Addressed, bucketOf: (domain: string) => string | undefined): Target {
  const name = (host ?? "").replace(/:\d+$/, "");
  // A foreign name can lead to the port as well.
  if (domain !== undefined) return byDomain(isOwnHost(host) ? domain : name.toLowerCase(), rawPath, bucketOf);
  if (LOOPBACK.test(name)) {
    const [, bucket = "", rest] = /^\/([^/]*)(?:\/(.*))?$/s.exec(rawPath) ?? [];
    return checked(percentDecode(bucket, "bucket"), rest);
  }
  const bucket = OF_BUCKET.exec(name)?.[1];
  if (bucket !== undefined) return checked(bucket, rawPath.slice(1));
  if (OF_SERVICE.test(name)) {
    if (rawPath === "/") return { bucket: undefined, key: undefined };
    throw new OssError(
      403,
      "SecondLevelDomainForbidden",
      "The bucket you are attempting to access must be addressed using OSS third level domain.",
    );
  }
  return byDomain(name.toLowerCase(), rawPath, bucketOf);
}

function byDomain(domain: string, rawPath: string, bucketOf: (domain: string) => string | undefined): Target {
  const bucket = bucketOf(domain);
  if (bucket === undefined)
    throw new OssError(404, "NoSuchCname", "The specified cname does not exist.", { details: { Cname: domain } });
  return { ...checked(bucket, rawPath.slice(1)), domain };
}

function checked(bucket: string, rawKey: string | undefined): Target {
  if (bucket === "") {
    if (rawKey !== undefined && rawKey !== "") throw new OssError(400, "InvalidBucketName", "The specified bucket is not valid.");
    return { bucket: undefined, key: undefined };
  }
  assertBucketName(bucket);
  if (rawKey === undefined || rawKey === "") return { bucket, key: undefined };
  const key = percentDecode(rawKey, "object");
  assertObjectName(key);
  return { bucket, key };
}
