/** ACS3-HMAC-SHA256. https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../contracts";
import { headerText } from "../oss/auth/header-values";
import { percentEncode } from "../oss/names";
import {
  invalidSignatureMethod,
  isoTime,
  missing,
  type SignedApiRequest,
  type SignedCall,
  signatureDoesNotMatch,
} from "./signed-call";

const ALGORITHM = "ACS3-HMAC-SHA256";

/** The headers that every call must have, and their names in error codes. */
const MANDATORY = {
  "x-acs-action": "Action",
  "x-acs-version": "Version",
  "x-acs-date": "Timestamp",
  "x-acs-signature-nonce": "SignatureNonce",
  "x-acs-content-sha256": "ContentSha256",
} as const;

/** @throws ApiError `Missing...`, `InvalidSignatureMethod`, `IncompleteSignature` */
export function readAcs3Signature(request: SignedApiRequest): SignedCall {
  const { headers } = request;
  const mandatory = (name: keyof typeof MANDATORY): string => {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return value;
    throw missing(name, MANDATORY[name]);
  };
  for (const name of Object.keys(MANDATORY) as (keyof typeof MANDATORY)[]) mandatory(name);
  const authorization = readAuthorization(headers);
  const token = headers["x-acs-security-token"];
  return {
    action: mandatory("x-acs-action"),
    version: mandatory("x-acs-version"),
    accessKeyId: authorization.accessKeyId,
    securityToken: Array.isArray(token) ? token.join(", ") : token,
    nonce: mandatory("x-acs-signature-nonce"),
    at: isoTime(mandatory("x-acs-date")),
    verify: (secret) => verifySignature(request, authorization, secret),
  };
}

interface Authorization {
  accessKeyId: string;
  signedHeaders: string[];
  signature: string;
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

/** @throws ApiError `MissingAuthorization`, `InvalidSignatureMethod`, `IncompleteSignature` */
function readAuthorization(headers: IncomingHttpHeaders): Authorization {
  const { authorization } = headers;
  if (authorization === undefined) throw new ApiError(400, "MissingAuthorization", "Authorization is mandatory for this action.");
  if (!authorization.startsWith(`${ALGORITHM} `)) throw invalidSignatureMethod(`${ALGORITHM}, or one of the older signatures`);
  const [, accessKeyId, names, signature] =
    /^Credential=([^,\s]+),\s*SignedHeaders=([a-z0-9-]+(?:;[a-z0-9-]+)*),\s*Signature=([0-9a-f]{64})$/.exec(
      authorization.slice(ALGORITHM.length + 1),
    ) ?? [];
  if (accessKeyId === undefined || names === undefined || signature === undefined)
    throw new ApiError(400, "IncompleteSignature", "The request signature does not conform to Aliyun standards.");
  const signedHeaders = names.split(";");
  assertCovers(signedHeaders, headers);
  return { accessKeyId, signedHeaders, signature };
}

/** Every header that changes the meaning of a call must be signed. Otherwise it could be added on the way. */
function assertCovers(signedHeaders: readonly string[], headers: IncomingHttpHeaders): void {
  const sorted = signedHeaders.every((name, index) => index === 0 || name > (signedHeaders[index - 1] ?? ""));
  const open = Object.keys(headers).filter(
    (name) => (name.startsWith("x-acs-") || name === "host" || name === "content-type") && !signedHeaders.includes(name),
  );
  if (sorted && open.length === 0) return;
  throw new ApiError(
    400,
    "IncompleteSignature",
    `The request signature does not conform to Aliyun standards: ${sorted ? `${open.join(", ")} must be signed` : "SignedHeaders is not sorted"}.`,
  );
}

/** Encodes each segment by RFC 3986, however the client encoded it. */
function canonicalPath(rawPath: string): string {
  const encoded = rawPath.split("/").map((segment) => {
    try {
      return percentEncode(decodeURIComponent(segment));
    } catch {
      throw new ApiError(400, "InvalidParameter", "The path is not percent-encoded UTF-8.");
    }
  });
  return encoded.join("/") || "/";
}

const canonicalQuery = (query: URLSearchParams): string =>
  [...query]
    .map(([name, value]): [string, string] => [percentEncode(name), percentEncode(value)])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");

/** @throws ApiError 400 `SignatureDoesNotMatch` */
function verifySignature(request: SignedApiRequest, { signedHeaders, signature }: Authorization, secret: string): void {
  const { method, rawPath, query, headers, body } = request;
  const canonical = [
    method,
    canonicalPath(rawPath),
    canonicalQuery(query),
    signedHeaders.map((name) => `${name}:${headerText(headers, name) ?? ""}\n`).join(""),
    signedHeaders.join(";"),
    // The digest of the received body, not the one in the header.
    sha256(body),
  ].join("\n");
  const expected = createHmac("sha256", secret)
    .update(`${ALGORITHM}\n${sha256(canonical)}`)
    .digest("hex");
  const holds = timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  if (holds && headers["x-acs-content-sha256"] === sha256(body)) return;
  throw signatureDoesNotMatch();
}
