import { assertBucketName, assertObjectName, percentDecode } from "./names";
import { OssError } from "./oss-error";

export interface Target {
  /** Undefined for operations on the service. */
  bucket: string | undefined;
  /** Undefined for operations on a bucket. */
  key: string | undefined;
}

const LOOPBACK = /^(?:localhost|127\.0\.0\.1)(?::\d+)?$/;
const OF_BUCKET = /^([^.]+)\.(?:localhost|127\.0\.0\.1|oss-[a-z0-9-]+\.aliyuncs\.com)(?::\d+)?$/;
const OF_SERVICE = /^oss-[a-z0-9-]+\.aliyuncs\.com(?::\d+)?$/;

/**
 * The bucket and object of a request. On `localhost` and 127.0.0.1 the path has the bucket (`/bucket/key`), as with OSS at an IP address.
 * Otherwise the host begins with the bucket; OSS's own domains allow only that. The port decides the region and the kind of endpoint, not the
 * host.
 */
export function targetOf(host: string | undefined, rawPath: string): Target {
  const name = host ?? "";
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
  throw new OssError(404, "NoSuchCname", "The specified cname does not exist.", { details: { Cname: name } });
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
