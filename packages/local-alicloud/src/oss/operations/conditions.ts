/** https://www.alibabacloud.com/help/en/oss/developer-reference/getobject */
import { OssError, preconditionFailed } from "../oss-error";
import type { StoredObject } from "../store/model";

const names = (header: string) => header.split(",").map((etag) => etag.trim().replace(/^"(.*)"$/, "$1"));
const matches = (header: string, etag: string) =>
  header.trim() === "*" || names(header).some((name) => name.toUpperCase() === etag.toUpperCase());

/**
 * @param header reads a condition, e.g. `If-Match`
 * @throws OssError 412 `PreconditionFailed`, 304 `NotModified`
 */
export function assertConditions(object: StoredObject, header: (name: string) => string | undefined): void {
  const modifiedSeconds = Math.floor(object.lastModified / 1000);
  const seconds = (name: string) => {
    const at = Date.parse(header(name) ?? "");
    // OSS ignores a date that it cannot read.
    return Number.isNaN(at) ? undefined : Math.floor(at / 1000);
  };
  const ifMatch = header("If-Match");
  if (ifMatch !== undefined && !matches(ifMatch, object.etag)) throw preconditionFailed("If-Match");
  const unmodifiedSince = seconds("If-Unmodified-Since");
  if (unmodifiedSince !== undefined && modifiedSeconds > unmodifiedSince) throw preconditionFailed("If-Unmodified-Since");
  const ifNoneMatch = header("If-None-Match");
  const modifiedSince = seconds("If-Modified-Since");
  const known = ifNoneMatch !== undefined && matches(ifNoneMatch, object.etag);
  const old = modifiedSince !== undefined && modifiedSeconds <= modifiedSince;
  if (known || old)
    throw new OssError(304, "NotModified", "Not Modified", {
      headers: { etag: `"${object.etag}"`, "last-modified": new Date(object.lastModified).toUTCString() },
    });
}
