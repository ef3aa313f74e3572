/** ROA signature 1.0: `Authorization: acs <id>:<signature>`. https://www.alibabacloud.com/help/en/sdk/product-overview/roa-mechanism */
import { createHash } from "node:crypto";
import { ApiError } from "../contracts";
import { headerText } from "../oss/auth/header-values";
import {
  invalidSignatureMethod,
  matchesHmacSha1,
  missing,
  type SignedApiRequest,
  type SignedCall,
  signatureDoesNotMatch,
} from "./signed-call";

/** @throws ApiError `Missing...`, `IncompleteSignature`, `InvalidSignatureMethod`, `InvalidContentMD5` */
export function readRoaSignature(request: SignedApiRequest): SignedCall {
  const { headers } = request;
  const [, accessKeyId, signature] = /^acs ([^:\s]+):([A-Za-z0-9+/=]+)$/.exec(headers.authorization ?? "") ?? [];
  if (accessKeyId === undefined || signature === undefined)
    throw new ApiError(400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.");
  const mandatory = (name: string, code: string): string => {
    const value = headerText(headers, name);
    if (value === undefined || value === "") throw missing(name, code);
    return value;
  };
  const date = mandatory("date", "Timestamp");
  const version = mandatory("x-acs-version", "Version");
  const method = headerText(headers, "x-acs-signature-method");
  if (method !== undefined && method !== "HMAC-SHA1") throw invalidSignatureMethod("HMAC-SHA1");
  assertDigest(headerText(headers, "content-md5"), request.body);
  const texts = resources(request).map((resource) => stringToSign(request, date, resource));
  return {
    action: headerText(headers, "x-acs-action") ?? "",
    version,
    accessKeyId,
    securityToken: headerText(headers, "x-acs-security-token"),
    nonce: headerText(headers, "x-acs-signature-nonce"),
    at: / GMT$/.test(date) ? Date.parse(date) : Number.NaN,
    verify: (secret) => {
      if (!texts.some((text) => matchesHmacSha1(text, secret, signature))) throw signatureDoesNotMatch(texts[0]);
    },
  };
}

function stringToSign({ method, headers }: SignedApiRequest, date: string, resource: string): string {
  const named = Object.keys(headers).filter((name) => name.startsWith("x-acs-"));
  return [
    ...[method, headerText(headers, "accept") ?? "", headerText(headers, "content-md5") ?? ""],
    ...[headerText(headers, "content-type") ?? "", date],
    ...named.sort().map((name) => `${name}:${headerText(headers, name)}`),
    resource,
  ].join("\n");
}

/** The path and the decoded query. For an empty value some of the vendor's SDKs sign `name=` and others `name`. */
function resources({ rawPath, query }: SignedApiRequest): string[] {
  const sorted = [...query].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  if (sorted.length === 0) return [rawPath];
  const written = (empty: (name: string) => string) =>
    `${rawPath}?${sorted.map(([name, value]) => (value === "" ? empty(name) : `${name}=${value}`)).join("&")}`;
  return [...new Set([written((name) => `${name}=`), written((name) => name)])];
}

/** The signature covers the body only by this header. */
function assertDigest(header: string | undefined, body: Buffer): void {
  if (header === undefined || header === "" || header === createHash("md5").update(body).digest("base64")) return;
  throw new ApiError(400, "InvalidContentMD5", "The Content-MD5 you specified is invalid.");
}
