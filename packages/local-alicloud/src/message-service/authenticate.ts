/** https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../contracts";
import { headerText } from "../oss/auth/header-values";
import type { Credential, CredentialStore, Principal } from "../oss/contracts";

export const MNS_VERSION = "2015-06-06";
const SKEW_MS = 15 * 60 * 1000;

export interface SignedMessageRequest {
  method: string;
  /** Path and query as sent. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

function stringToSign({ method, url, headers }: SignedMessageRequest, date: string): string {
  const named = Object.keys(headers).filter((name) => name.startsWith("x-mns-"));
  return [
    method,
    headerText(headers, "content-md5") ?? "",
    headerText(headers, "content-type") ?? "",
    date,
    named
      .sort()
      .map((name) => `${name}:${headerText(headers, name)}\n`)
      .join("") + url,
  ].join("\n");
}

function readDate(headers: IncomingHttpHeaders, now: number): string {
  const date = headerText(headers, "x-mns-date") ?? headerText(headers, "date");
  if (date === undefined) throw new ApiError(400, "MissingDateHeader", "Date header is required.");
  const at = / GMT$/.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(at)) throw new ApiError(400, "InvalidDateHeader", "The Date header format is invalid.");
  if (Math.abs(now - at) > SKEW_MS) throw new ApiError(408, "TimeExpired", "The http request you sent is expired.");
  return date;
}

/** Content-MD5 is base64 of the digest's bytes by the standard, and of its hex text in the vendor's SDKs. Both are accepted. */
function assertDigest(header: string | undefined, body: Buffer): void {
  if (header === undefined) return;
  const md5 = createHash("md5").update(body).digest();
  if (header === md5.toString("base64") || header === Buffer.from(md5.toString("hex")).toString("base64")) return;
  throw new ApiError(400, "InvalidDegist", "The Content-MD5 you specified is invalid.");
}

const unknownKey = () => new ApiError(403, "InvalidAccessKeyId", "The AccessKey Id you provided is not exist.");

/** The codes are those of OSS: the documentation of SMQ has none for tokens. */
function assertToken(credential: Credential, token: string | undefined, now: number): void {
  if ((credential.sessionToken === undefined) !== (token === undefined)) throw unknownKey();
  if (credential.sessionToken !== token)
    throw new ApiError(403, "InvalidSecurityToken", "The security token you provided is invalid.");
  if (credential.expiresAt !== undefined && now >= credential.expiresAt)
    throw new ApiError(403, "SecurityTokenExpired", "The security token you provided has expired.");
}

/** Verifies the signature and returns who signed the request. @throws ApiError https://www.alibabacloud.com/help/en/mns/developer-reference/syntax-of-error-responses */
export function authenticate(request: SignedMessageRequest, credentials: CredentialStore, now: number): Principal {
  const { headers, body } = request;
  const { authorization } = headers;
  if (authorization === undefined) throw new ApiError(400, "MissingAuthorizationHeader", "Authorization header is required.");
  const [, accessKeyId, signature] = /^MNS ([^:\s]+):(\S+)$/.exec(authorization) ?? [];
  if (accessKeyId === undefined || signature === undefined)
    throw new ApiError(400, "InvalidAuthorizationHeader", "The Authorization header format is invalid.");
  if (headers["x-mns-version"] !== MNS_VERSION)
    throw new ApiError(400, "InvalidArgument", `The x-mns-version header must be ${MNS_VERSION}.`);
  const date = readDate(headers, now);
  assertDigest(headerText(headers, "content-md5"), body);
  const credential = credentials.find(accessKeyId);
  if (credential === undefined) throw unknownKey();
  assertToken(credential, headerText(headers, "security-token"), now);
  const expected = createHmac("sha1", credential.secret).update(stringToSign(request, date), "utf8").digest();
  const given = Buffer.from(signature, "base64");
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new ApiError(
      403,
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    );
  return credential.principal;
}
