/**
 * Signature version 4 of OSS. It resembles the one of AWS, but has another canonical request and other names.
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
 */
import { createHmac } from "node:crypto";
import { encodeRfc3986, sha256Hex, UNSIGNED_PAYLOAD } from "../../http/sigv4";
import { isAscii } from "../header-text";
import type { PresignOptions } from "../object-store";
import type { OssCredentials } from "./credentials";

/** A null value is a name alone, such as `uploads`. */
export type OssQueries = Readonly<Record<string, string | null>>;

export interface OssSigning {
  method: string;
  bucket: string;
  /** Absent for a call about the bucket. */
  key?: string | undefined;
  queries: OssQueries;
  headers: Readonly<Record<string, string>>;
}

const ALGORITHM = "OSS4-HMAC-SHA256";

/** The key as part of a path: its slashes stay. */
export function encodeOssKey(key: string): string {
  return encodeRfc3986(key).replaceAll("%2F", "/");
}

export function ossQueryString(queries: OssQueries): string {
  const pairs = Object.entries(queries).map(queryPair);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function queryPair([name, value]: [string, string | null]): string {
  return value === null ? encodeRfc3986(name) : `${encodeRfc3986(name)}=${encodeRfc3986(value)}`;
}

const byName = ([a]: [string, unknown], [b]: [string, unknown]): number => (a < b ? -1 : a > b ? 1 : 0);

/** `yyyymmddThhmmssZ` */
function ossDate(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
}

/** Headers hold one character a byte. OSS signs the bytes, and so does a hash over the text that they are in UTF-8. */
const asText = (header: string): string => (isAscii(header) ? header : Buffer.from(header, "latin1").toString("utf8"));

/** The headers to send: the given ones, one character a byte, and those of the signature. */
export function signOssRequest(
  { method, bucket, key, queries, headers }: OssSigning,
  credentials: OssCredentials,
  region: string,
  nowMs: number,
): Record<string, string> {
  const date = ossDate(nowMs);
  const signed: Record<string, string> = {
    ...headers,
    "x-oss-date": date,
    // Content-MD5 and CRC-64 protect the bytes. A signed hash would have to be known before the first byte leaves.
    "x-oss-content-sha256": UNSIGNED_PAYLOAD,
  };
  if (credentials.securityToken !== undefined) signed["x-oss-security-token"] = credentials.securityToken;
  const signature = signatureOf({ method, bucket, key, queries, headers: signed }, credentials, { region, date });
  signed.authorization = `${ALGORITHM} Credential=${credentials.accessKeyId}/${scopeOf(region, date)},Signature=${signature}`;
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
  const queries: Record<string, string | null> = {
    ...(reads === "tags" ? { tagging: null } : {}),
    "x-oss-credential": `${credentials.accessKeyId}/${scopeOf(region, date)}`,
    "x-oss-date": date,
    "x-oss-expires": `${expiresInSeconds}`,
    "x-oss-signature-version": ALGORITHM,
  };
  if (credentials.securityToken !== undefined) queries["x-oss-security-token"] = credentials.securityToken;
  const signing = { method: "GET", bucket, key, queries, headers: {} };
  return { ...queries, "x-oss-signature": signatureOf(signing, credentials, { region, date }) };
}

function scopeOf(region: string, date: string): string {
  return `${date.slice(0, 8)}/${region}/oss/aliyun_v4_request`;
}

function signatureOf(
  { method, bucket, key = "", queries, headers }: OssSigning,
  { accessKeySecret }: OssCredentials,
  { region, date }: { region: string; date: string },
): string {
  const names = Object.keys(headers).filter(
    (name) => name === "content-type" || name === "content-md5" || name.startsWith("x-oss-"),
  );
  const lines = names.sort().map((name) => `${name}:${asText(headers[name] as string).trim()}\n`);
  const path = encodeOssKey(`/${bucket}/${key}`);
  const query = Object.entries(queries).sort(byName).map(queryPair).join("&");
  const canonical = `${method}\n${path}\n${query}\n${lines.join("")}\n\n${UNSIGNED_PAYLOAD}`;
  const toSign = `${ALGORITHM}\n${date}\n${scopeOf(region, date)}\n${sha256Hex(canonical)}`;
  return createHmac("sha256", signingKey(accessKeySecret, date.slice(0, 8), region))
    .update(toSign)
    .digest("hex");
}

/** More than one pair of credentials is in use at once, but not many. */
const MAX_KEYS = 32;
const keys = new Map<string, Buffer>();

/** The key of a day is computed once and kept. */
function signingKey(secret: string, day: string, region: string): Buffer {
  const id = `${day}/${region}/${secret}`;
  const known = keys.get(id);
  if (known !== undefined) return known;
  const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`aliyun_v4${secret}`, day), region), "oss"), "aliyun_v4_request");
  if (keys.size >= MAX_KEYS) keys.clear();
  keys.set(id, key);
  return key;
}
