import { invalidArgument, OssError } from "./oss-error";

const BUCKET_NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

/** @throws OssError `InvalidBucketName`. https://www.alibabacloud.com/help/en/oss/user-guide/bucket-naming-conventions */
export function assertBucketName(bucket: string): void {
  if (!BUCKET_NAME.test(bucket))
    throw new OssError(400, "InvalidBucketName", "The specified bucket is not valid.", { details: { BucketName: bucket } });
}

const MAX_KEY_BYTES = 1023;

/** @throws OssError `InvalidObjectName`. https://www.alibabacloud.com/help/en/oss/user-guide/object-naming-conventions */
export function assertObjectName(key: string): void {
  const invalid = (message: string) =>
    new OssError(400, "InvalidObjectName", message, { details: { ObjectName: key.slice(0, 200) } });
  if (key === "") throw invalid("The Object name can not be empty.");
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) throw invalid("The Length of Object name must be less than 1024.");
  if (key.startsWith("/") || key.startsWith("\\")) throw invalid("The specified object is not valid.");
}

/** Decodes a percent-encoded text. @throws OssError `InvalidArgument` when it is not UTF-8. */
export function percentDecode(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidArgument(`The ${what} is not percent-encoded UTF-8.`, { name: what, value: text.slice(0, 200) });
  }
}

/** RFC 3986: everything but letters, digits, `-`, `.`, `_` and `~`. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
