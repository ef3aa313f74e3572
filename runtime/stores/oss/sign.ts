/**
 * Signature version 4 of OSS. The vendor's signer computes the signature; this file prepares its input.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import signUtils from "ali-oss/lib/common/signUtils";
import type { PresignOptions } from "../object-store";
import type { OssCredentials } from "./credentials";

/** A null value is a name alone, such as `uploads`. */
export type OssQueries = Record<string, string | null>;

export interface OssSigning {
  method: string;
  bucket: string;
  /** Absent for a call about the bucket. */
  key?: string | undefined;
  queries: OssQueries;
  headers: Record<string, string>;
}

/** Encodes like the signer: everything but unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** The key as part of a path: its slashes stay. */
export function encodeOssKey(key: string): string {
  return encode(key).replaceAll("%2F", "/");
}

export function ossQueryString(queries: OssQueries): string {
  const pairs = Object.entries(queries).map(([name, value]) =>
    value === null ? encode(name) : `${encode(name)}=${encode(value)}`,
  );
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** `yyyymmddThhmmssZ` */
function ossDate(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** The signer takes text, OSS signs the bytes: both agree on UTF-8. */
const asText = (header: string): string => Buffer.from(header, "latin1").toString("utf8");

/** The headers to send: the given ones, one character a byte, and those of the signature. */
export function signOssRequest(
  { method, bucket, key, queries, headers }: OssSigning,
  credentials: OssCredentials,
  region: string,
  nowMs: number,
): Record<string, string> {
  const signed: Record<string, string> = {
    ...headers,
    "x-oss-date": ossDate(nowMs),
    // Content-MD5 and CRC-64 protect the bytes. A signed hash would have to be known before the first byte leaves.
    "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
  };
  if (credentials.securityToken !== undefined) signed["x-oss-security-token"] = credentials.securityToken;
  const { accessKeyId, accessKeySecret } = credentials;
  const texts = Object.entries(signed).map(([name, value]) => [name, asText(value)]);
  const request = { headers: Object.fromEntries(texts), queries };
  signed.authorization = signUtils.authorizationV4(accessKeyId, accessKeySecret, region, method, request, bucket, key);
  return signed;
}

/** The queries of a presigned GET of the object or of its tags. No header is signed, so its reader may send `If-Match` and `Range`. */
export function presignOssGet(
  { bucket, key, expiresInSeconds, reads }: PresignOptions & { bucket: string; key: string },
  credentials: OssCredentials,
  region: string,
  nowMs: number,
): OssQueries {
  const date = ossDate(nowMs);
  const day = date.slice(0, 8);
  const queries: OssQueries = {
    ...(reads === "tags" ? { tagging: null } : {}),
    "x-oss-credential": signUtils.getCredential(day, region, credentials.accessKeyId),
    "x-oss-date": date,
    "x-oss-expires": `${expiresInSeconds}`,
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
  };
  if (credentials.securityToken !== undefined) queries["x-oss-security-token"] = credentials.securityToken;
  const canonical = signUtils.getCanonicalRequest("GET", { headers: {}, queries }, bucket, key, []);
  const toSign = signUtils.getStringToSign(region, date, canonical);
  return { ...queries, "x-oss-signature": signUtils.getSignatureV4(credentials.accessKeySecret, day, region, toSign) };
}
