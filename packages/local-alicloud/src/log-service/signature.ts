/** https://www.alibabacloud.com/help/en/sls/developer-reference/request-signatures */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../contracts";
import { headerText } from "../oss/auth/header-values";
import type { Credential, CredentialStore, Principal } from "../oss/contracts";
import { percentEncode } from "../oss/names";

const SKEW_MS = 15 * 60 * 1000;
/** By the header `x-log-signaturemethod`, in the older form of the signature. */
const METHODS: Readonly<Record<string, string>> = { "hmac-sha1": "sha1", "hmac-sha256": "sha256" };
const V4 = "SLS4-HMAC-SHA256";
const EMPTY_SHA256 = createHash("sha256").digest("hex");

export interface SignedLogRequest {
  method: string;
  /** As sent, without the query. */
  rawPath: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

interface Signature {
  accessKeyId: string;
  /** Ms since the epoch; NaN when the date is malformed. */
  at: number;
  /** Whether the signature holds. */
  verify(secret: string): boolean;
}

/** Verifies the signature, in the older form or in V4, and returns who signed the request. @throws ApiError */
export function authenticate(request: SignedLogRequest, credentials: CredentialStore, region: string, now: number): Principal {
  const { headers, body } = request;
  const { authorization = "" } = headers;
  const { accessKeyId, at, verify } = authorization.startsWith(V4) ? readV4(request, region) : readV1(request);
  if (!(Math.abs(now - at) <= SKEW_MS)) throw new ApiError(400, "RequestTimeExpired", "Request time has expired");
  const credential = credentials.find(accessKeyId);
  if (credential === undefined) throw new ApiError(401, "Unauthorized", `The AccessKeyId not found: ${accessKeyId}`);
  assertToken(credential, headerText(headers, "x-acs-security-token"), now);
  const md5 = headerText(headers, "content-md5");
  if (md5 !== undefined && md5 !== "" && md5.toUpperCase() !== createHash("md5").update(body).digest("hex").toUpperCase())
    throw new ApiError(400, "PostBodyInvalid", "Content-MD5 is not that of the body");
  if (!verify(credential.secret)) throw new ApiError(401, "SignatureNotMatch", `signature of ${accessKeyId} not match`);
  return credential.principal;
}

function assertToken({ sessionToken, expiresAt }: Credential, token: string | undefined, now: number): void {
  if (token !== sessionToken || (expiresAt !== undefined && now >= expiresAt))
    throw new ApiError(401, "Unauthorized", "The security token you provided is invalid");
}

const equal = (given: Buffer, expected: Buffer) => given.length === expected.length && timingSafeEqual(given, expected);

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : a > b ? 1 : 0);

/** `Authorization: LOG <id>:<signature>`. */
function readV1({ method, rawPath, query, headers }: SignedLogRequest): Signature {
  const [, accessKeyId, signature] = /^LOG ([^:\s]+):(\S+)$/.exec(headers.authorization ?? "") ?? [];
  if (accessKeyId === undefined || signature === undefined)
    throw new ApiError(400, "MissingAuthorization", "the header Authorization is required");
  const named = headerText(headers, "x-log-signaturemethod") ?? "hmac-sha1";
  const hash = Object.hasOwn(METHODS, named) ? METHODS[named] : undefined;
  if (hash === undefined) throw new ApiError(400, "InvalidSignatureMethod", `the signature method ${named} is not supported`);
  const date = headerText(headers, "x-log-date") ?? headerText(headers, "date") ?? "";
  const signed = Object.keys(headers).filter((name) => /^x-(log|acs)-/.test(name));
  const parameters = [...query].sort(byName).map(([name, value]) => `${name}=${value}`);
  const text = [
    ...[method, headerText(headers, "content-md5") ?? "", headerText(headers, "content-type") ?? "", date],
    ...signed.sort().map((name) => `${name}:${headerText(headers, name)}`),
    parameters.length === 0 ? rawPath : `${rawPath}?${parameters.join("&")}`,
  ].join("\n");
  const verify = (secret: string) =>
    equal(Buffer.from(signature, "base64"), createHmac(hash, secret).update(text, "utf8").digest());
  return { accessKeyId, at: Date.parse(date), verify };
}

/** `Authorization: SLS4-HMAC-SHA256 Credential=<id>/<date>/<region>/sls/aliyun_v4_request,Signature=<signature>`. */
function readV4({ method, rawPath, query, headers, body }: SignedLogRequest, region: string): Signature {
  const [, accessKeyId, day, signedRegion, signature] =
    /^SLS4-HMAC-SHA256 Credential=([^/\s]+)\/(\d{8})\/([a-z0-9-]+)\/sls\/aliyun_v4_request,\s*Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    ) ?? [];
  if (accessKeyId === undefined || day === undefined || signature === undefined || signedRegion !== region)
    throw new ApiError(400, "InvalidAuthorization", `the header Authorization is not one of ${V4} for ${region}`);
  const date = headerText(headers, "x-log-date") ?? "";
  const [, y, m, d, h, min, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const hash = headerText(headers, "x-log-content-sha256") ?? "";
  const bodyHash = body.length === 0 ? EMPTY_SHA256 : createHash("sha256").update(body).digest("hex");
  const named = Object.keys(headers)
    .filter((name) => /^x-(log|acs)-/.test(name) || name === "host" || name === "content-type")
    .sort();
  const parameters = [...query]
    .sort(byName)
    .map(([name, value]) => (value === "" ? name : `${name}=${percentEncode(value)}`))
    .join("&");
  const listed = named.map((name) => `${name}:${headerText(headers, name)}\n`).join("");
  const canonical = [method, rawPath, parameters, listed, named.join(";"), hash].join("\n");
  const text = [V4, date, `${day}/${region}/sls/aliyun_v4_request`, createHash("sha256").update(canonical).digest("hex")].join(
    "\n",
  );
  const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data, "utf8").digest();
  const verify = (secret: string) => {
    const key = [day, region, "sls", "aliyun_v4_request"].reduce<string | Buffer>(hmac, `aliyun_v4${secret}`);
    return hash === bodyHash && equal(Buffer.from(signature, "hex"), hmac(key, text));
  };
  return { accessKeyId, at: date.startsWith(day) ? Date.parse(`${y}-${m}-${d}T${h}:${min}:${s}Z`) : Number.NaN, verify };
}
