/**
 * OSS as clients of S3 see it: their headers become those of OSS, and the names of the answer become theirs.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/compatibility-with-amazon-s3
 */
import type { IncomingHttpHeaders } from "node:http";
import { EC } from "./error-codes";
import { invalidArgument } from "./oss-error";

const AMZ = "x-amz-";
const OSS = "x-oss-";

/** Whether a request is signed as for S3. An anonymous request is one of OSS. */
export const speaksS3 = (headers: IncomingHttpHeaders, query: ReadonlyMap<string, string>): boolean =>
  headers.authorization?.startsWith("AWS4-") === true || query.has("X-Amz-Algorithm");

/** What S3's clients say about signatures and checksums. OSS has its own CRC-64 of every object. */
const DROPPED =
  /^(?:amz-sdk-.*|x-amz-(?:date|content-sha256|security-token|expected-bucket-owner|user-agent|trailer|decoded-content-length|checksum-.*|sdk-checksum-algorithm))$/;

const CLASSES: readonly (readonly [s3: string, oss: string])[] = [
  ["STANDARD", "Standard"],
  ["STANDARD_IA", "IA"],
  ["GLACIER", "Archive"],
];
const classInOss = (name: string): string => CLASSES.find(([s3]) => s3 === name)?.[1] ?? name;
const classInS3 = (name: string): string => CLASSES.find(([, oss]) => oss === name)?.[0] ?? name;

/** @param isObject whether the request names an object: the ACLs of buckets and objects have headers of their own in OSS @throws OssError */
export function ossHeaders(headers: IncomingHttpHeaders, isObject: boolean): IncomingHttpHeaders {
  if (
    /\baws-chunked\b/.test(headers["content-encoding"] ?? "") ||
    /^STREAMING-/.test(String(headers["x-amz-content-sha256"] ?? ""))
  )
    throw invalidArgument(
      "aws-chunked encoding is not supported with the specified x-amz-content-sha256 value.",
      { name: "Content-Encoding", value: "aws-chunked" },
      EC.awsChunked,
    );
  const translated: IncomingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    // A signature of S3 need not cover a header of OSS.
    if (DROPPED.test(name) || name.startsWith(OSS)) continue;
    if (!name.startsWith(AMZ)) translated[name] = value;
    else if (name === "x-amz-acl") translated[isObject ? "x-oss-object-acl" : "x-oss-acl"] = value;
    else if (name === "x-amz-storage-class") translated["x-oss-storage-class"] = classInOss(String(value));
    else translated[OSS + name.slice(AMZ.length)] = value;
  }
  return translated;
}

/** Those that keep OSS's name: the fine-grained code of an error, and what S3 does not have. */
const OWN = /^x-oss-(?:ec|err|hash-crc64ecma|object-type|server-time|next-append-position)$/;

export function s3Headers<V>(headers: Readonly<Record<string, V>>): Record<string, V | string> {
  const renamed = Object.entries(headers).map(([name, value]): [string, V | string] => {
    if (!name.startsWith(OSS) || OWN.test(name)) return [name, value];
    return [AMZ + name.slice(OSS.length), name === "x-oss-storage-class" ? classInS3(String(value)) : value];
  });
  return Object.fromEntries(renamed);
}

export const s3Document = (document: string): string =>
  document.replace(/(?<=<StorageClass>)\w+(?=<\/StorageClass>)/g, (name) => classInS3(name));
