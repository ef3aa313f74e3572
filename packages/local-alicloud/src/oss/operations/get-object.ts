/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/getobject
 * https://www.alibabacloud.com/help/en/oss/developer-reference/headobject
 * https://www.alibabacloud.com/help/en/oss/developer-reference/getobjectmeta
 */
import { pipeline } from "node:stream/promises";
import { isReadable, objectHeaders, versionHeader } from "../attributes";
import type { Operation } from "../operation";
import { invalidArgument, invalidObjectState, OssError } from "../oss-error";
import type { StoredObject } from "../store/model";
import { assertConditions } from "./conditions";
import { assertNoPackageDownload, forcedDownload } from "./default-host";
import { findObject, permittedObject } from "./find-version";

const OVERRIDES = ["content-type", "content-language", "expires", "cache-control", "content-disposition", "content-encoding"];

/**
 * A symbolic link as its reader gets it: bytes, length, ETag, MD5 and storage class of the target, the later modification time of both, and
 * everything else of the link. A link to a link is not followed.
 */
function followed(operation: Operation, object: StoredObject): StoredObject {
  if (object.symlinkTarget === undefined) return object;
  let target: StoredObject;
  try {
    target = findObject(operation.bucket, object.symlinkTarget, undefined);
  } catch (error) {
    if (!(error instanceof OssError)) throw error;
    throw new OssError(404, "SymlinkTargetNotExist", "The symlink target object does not exist.");
  }
  if (target.type === "Symlink") throw new OssError(400, "InvalidTargetType", "The symbolic's target object type is invalid.");
  operation.permit("oss:GetObject", operation.bucket, object.symlinkTarget);
  const { md5: _own, ...link } = object;
  return {
    ...link,
    segments: target.segments,
    sizeBytes: target.sizeBytes,
    etag: target.etag,
    storageClass: target.storageClass,
    lastModified: Math.max(object.lastModified, target.lastModified),
    ...(target.md5 === undefined ? {} : { md5: target.md5 }),
    ...(target.restore === undefined ? {} : { restore: target.restore }),
  };
}

function readable(operation: Operation): StoredObject {
  const { exchange } = operation;
  const object = followed(operation, permittedObject(operation, "Get"));
  assertConditions(object, (name) => exchange.header(name.toLowerCase()));
  return object;
}

/** Query parameters such as `response-content-type` replace headers of the answer. Only signed requests may use them. */
function overrides(operation: Operation): Record<string, string> {
  const { exchange, caller } = operation;
  const wanted: Record<string, string> = {};
  for (const name of OVERRIDES) {
    const value = exchange.query.get(`response-${name}`);
    if (value === undefined) continue;
    if (caller === undefined) throw invalidArgument("An anonymous request may not override response headers.");
    if (/[\r\n]/.test(value))
      throw invalidArgument("A header value must not contain a line break.", { name: `response-${name}`, value });
    wanted[name] = Buffer.from(value, "utf8").toString("latin1");
  }
  return wanted;
}

export async function getObject(operation: Operation): Promise<void> {
  const { exchange, bucket } = operation;
  const object = readable(operation);
  assertNoPackageDownload(operation, object);
  if (!isReadable(object, operation.now)) throw invalidObjectState();
  const standard = exchange.header("x-oss-range-behavior") === "standard";
  const range = selectRange(exchange.header("range"), object.sizeBytes, standard);
  const { start, end } = range ?? { start: 0, end: object.sizeBytes - 1 };
  const own = { ...objectHeaders(object, bucket.record, operation.now), ...overrides(operation) };
  const headers = { ...own, ...forcedDownload(operation, own), "accept-ranges": "bytes" };
  // No await before `hold`: another request could delete the files.
  const hold = bucket.data.hold(object.segments);
  try {
    exchange.begin(range === undefined ? 200 : 206, {
      ...headers,
      "content-length": end - start + 1,
      ...(range === undefined ? {} : { "content-range": `bytes ${start}-${end}/${object.sizeBytes}` }),
    });
    if (object.sizeBytes === 0) exchange.response.end();
    else await pipeline(bucket.data.read(object.segments, start, end), exchange.response);
  } finally {
    await hold.release();
  }
}

export async function headObject(operation: Operation): Promise<void> {
  const object = readable(operation);
  const own = objectHeaders(object, operation.bucket.record, operation.now);
  operation.exchange.send(200, {
    ...own,
    ...forcedDownload(operation, own),
    "accept-ranges": "bytes",
    "content-length": object.sizeBytes,
  });
}

/**
 * For a symbolic link, the attributes of the link itself. OSS records an access within a day, so the last access time is that of the object's
 * creation, or of the start of access monitoring.
 */
export async function getObjectMeta(operation: Operation): Promise<void> {
  const object = permittedObject(operation, "Get");
  const since = operation.bucket.record.accessMonitoredSince;
  operation.exchange.send(200, {
    etag: `"${object.etag}"`,
    "last-modified": new Date(object.lastModified).toUTCString(),
    "content-length": object.sizeBytes,
    "x-oss-hash-crc64ecma": object.crc64,
    "x-oss-last-access-time": since === undefined ? undefined : new Date(Math.max(since, object.lastModified)).toUTCString(),
    "x-oss-version-id": versionHeader(operation.bucket.record, object.versionId),
  });
}

/** Both inclusive. */
export interface Range {
  start: number;
  end: number;
}

/**
 * The bytes that a Range header selects; undefined for the whole object. OSS answers the whole object also when the range is invalid or
 * reaches beyond the end, unless the request has `x-oss-range-behavior: standard`.
 * https://www.alibabacloud.com/help/en/oss/user-guide/range-download
 * @throws OssError 416 `InvalidRange` in standard behaviour
 */
export function selectRange(header: string | undefined, sizeBytes: number, standard: boolean): Range | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const range: Range =
    first === ""
      ? { start: sizeBytes - Number(last), end: sizeBytes - 1 }
      : { start: Number(first), end: last === "" ? sizeBytes - 1 : Number(last) };
  if (first !== "" && last !== "" && range.start > range.end) return undefined;
  const within = range.start >= 0 && range.start < sizeBytes && range.end < sizeBytes && range.end >= range.start;
  if (within) return range;
  if (!standard) return undefined;
  if (range.start >= sizeBytes || (first === "" && Number(last) === 0))
    throw new OssError(416, "InvalidRange", "The requested range cannot be satisfied.", {
      details: { ActualObjectSize: String(sizeBytes), RangeRequested: header ?? "" },
      headers: { "content-range": `bytes */${sizeBytes}` },
    });
  return { start: Math.max(0, range.start), end: Math.min(range.end, sizeBytes - 1) };
}
