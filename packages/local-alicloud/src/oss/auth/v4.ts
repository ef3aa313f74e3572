/**
 * https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4 (header)
 * https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls (query)
 */
import { createHash, createHmac } from "node:crypto";
import { EC } from "../error-codes";
import { percentEncode } from "../names";
import { invalidArgument, OssError } from "../oss-error";
import { headerText, ossHeaderNames } from "./header-values";
import { assertNotExpired, assertNotSkewed, assertSignature, type Claim, type SignedRequest } from "./signed-request";

export const ALGORITHM = "OSS4-HMAC-SHA256";
const UNSIGNED = "UNSIGNED-PAYLOAD";
/** The longest validity of a signature that is not sent at once. */
export const MAX_EXPIRES_SECONDS = 604_800;

export interface Scope {
  accessKeyId: string;
  /** `yyyymmdd`. */
  day: string;
  region: string;
}

export function readScope(credential: string): Scope {
  const [, accessKeyId, day, region] = /^([^/\s]+)\/(\d{8})\/([^/\s]*)\/oss\/aliyun_v4_request$/.exec(credential) ?? [];
  if (accessKeyId === undefined || day === undefined || region === undefined)
    throw invalidArgument("The Credential is not <AccessKeyId>/<yyyymmdd>/<region>/oss/aliyun_v4_request.", {
      name: "Credential",
      value: credential,
    });
  // oss2 writes `None` where it has no region.
  if (!/^[a-z0-9-]+$/.test(region))
    throw invalidArgument("The signing region in credential is invalid.", { name: "Credential", value: credential });
  return { accessKeyId, day, region };
}

/** `yyyymmddThhmmssZ` -> ms. */
function basicTime(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** E.g. `Mon, 30 Nov 2026 10:00:00 GMT`. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** @param name the header, parameter or form field that has the time. Only the header `Date` may be an HTTP date. */
export function readTime(text: string | undefined, scope: Scope, name: "x-oss-date" | "Date" = "x-oss-date"): number {
  const given = text ?? "";
  const at = name === "Date" && HTTP_DATE.test(given) ? Date.parse(given) : basicTime(given);
  if (Number.isNaN(at)) throw invalidArgument(`${name} is not yyyymmddThhmmssZ in UTC.`, { name, value: given });
  if (new Date(at).toISOString().slice(0, 10).replaceAll("-", "") !== scope.day)
    throw invalidArgument(`The date of the Credential is not that of ${name}.`, { name: "Credential", value: scope.day });
  return at;
}

/** AdditionalHeaders must not name Content-Type, Content-MD5 and `x-oss-` headers: those are always covered. */
function readAdditionalHeaders(text: string | undefined): string[] {
  if (text === undefined || text === "") return [];
  const names = text.split(";");
  const invalid = names.some(
    (name, index) =>
      !/^[a-z0-9-]+$/.test(name) ||
      name === "content-type" ||
      name === "content-md5" ||
      name.startsWith("x-oss-") ||
      (index > 0 && name <= (names[index - 1] ?? "")),
  );
  if (invalid)
    throw invalidArgument("AdditionalHeaders is not a sorted list of lower-case header names.", {
      name: "AdditionalHeaders",
      value: text,
    });
  return names;
}

function canonicalQuery(query: ReadonlyMap<string, string>): string {
  return [...query]
    .filter(([name]) => name !== "x-oss-signature")
    .map(([name, value]): [string, string] => [percentEncode(name), percentEncode(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join("&");
}

function canonicalRequest(request: SignedRequest, additional: string[], payload: string): string {
  const { method, bucket, key, query, headers } = request;
  const path = bucket === undefined ? "/" : `/${bucket}/${key ?? ""}`;
  const names = new Set([...ossHeaderNames(headers), ...additional]);
  for (const name of ["content-type", "content-md5"]) if (headers[name] !== undefined) names.add(name);
  const covered = [...names].sort().map((name) => {
    const value = headerText(headers, name);
    if (value === undefined)
      throw invalidArgument(`The additional header ${name} is not in the request.`, { name: "AdditionalHeaders", value: name });
    return `${name}:${value}\n`;
  });
  return [
    method,
    percentEncode(path).replaceAll("%2F", "/"),
    canonicalQuery(query),
    covered.join(""),
    additional.join(";"),
    payload,
  ].join("\n");
}

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text, "utf8").digest();

/** Hexadecimal. */
export function signatureV4(secret: string, { day, region }: Scope, text: string): string {
  const signingKey = hmac(hmac(hmac(hmac(`aliyun_v4${secret}`, day), region), "oss"), "aliyun_v4_request");
  return hmac(signingKey, text).toString("hex");
}

function claim(parts: {
  request: SignedRequest;
  scope: Scope;
  time: string;
  additional: string[];
  payload: string;
  signature: string;
  token: string | undefined;
}): Claim {
  const { request, scope, time, additional, payload, signature } = parts;
  return {
    accessKeyId: scope.accessKeyId,
    sessionToken: parts.token,
    region: scope.region,
    verify: (secret) => {
      const canonical = canonicalRequest(request, additional, payload);
      const text = [
        ALGORITHM,
        time,
        `${scope.day}/${scope.region}/oss/aliyun_v4_request`,
        createHash("sha256").update(canonical, "utf8").digest("hex"),
      ].join("\n");
      assertSignature(signature, signatureV4(secret, scope, text), scope.accessKeyId, {
        StringToSign: text,
        CanonicalRequest: canonical,
        ec: EC.signatureV4,
      });
    },
  };
}

/** `Authorization: OSS4-HMAC-SHA256 Credential=..,AdditionalHeaders=..,Signature=..`. */
export function readV4Header(request: SignedRequest, authorization: string, now: number): Claim {
  const fields = new Map<string, string>();
  for (const field of authorization.slice(ALGORITHM.length).split(",")) {
    const [, name, value] = /^\s*(Credential|AdditionalHeaders|Signature)=(\S*)\s*$/.exec(field) ?? [];
    if (name === undefined || value === undefined || fields.has(name))
      throw invalidArgument("Authorization header is invalid.", { name: "Authorization", value: field.trim() });
    fields.set(name, value);
  }
  const scope = readScope(fields.get("Credential") ?? "");
  const { headers } = request;
  const payload = headerText(headers, "x-oss-content-sha256");
  if (payload !== UNSIGNED)
    throw invalidArgument(`x-oss-content-sha256 must be ${UNSIGNED}.`, { name: "x-oss-content-sha256", value: payload ?? "" });
  // A request without `x-oss-date` is signed with its `Date`, as aliyun-oss-go-sdk does.
  const ossDate = headerText(headers, "x-oss-date");
  const date = ossDate === undefined ? headerText(headers, "date") : undefined;
  const time = ossDate ?? date ?? "";
  assertNotSkewed(readTime(time, scope, date === undefined ? "x-oss-date" : "Date"), now);
  return claim({
    request,
    scope,
    time,
    additional: readAdditionalHeaders(fields.get("AdditionalHeaders")),
    payload,
    signature: fields.get("Signature") ?? "",
    token: headerText(headers, "x-oss-security-token"),
  });
}

/** `?x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-credential=..&x-oss-date=..&x-oss-expires=..&x-oss-signature=..`. */
export function readV4Query(request: SignedRequest, now: number): Claim {
  const { query } = request;
  const required = (name: string) => {
    const value = query.get(name);
    if (value === undefined || value === "")
      throw new OssError(403, "AccessDenied", `Query-string authentication requires the ${name} parameter.`);
    return value;
  };
  const version = required("x-oss-signature-version");
  if (version !== ALGORITHM)
    throw invalidArgument(`x-oss-signature-version must be ${ALGORITHM}.`, { name: "x-oss-signature-version", value: version });
  const scope = readScope(required("x-oss-credential"));
  const signature = required("x-oss-signature");
  const expires = required("x-oss-expires");
  const seconds = Number(expires);
  if (!/^\d{1,6}$/.test(expires) || seconds < 1 || seconds > MAX_EXPIRES_SECONDS)
    throw invalidArgument(`x-oss-expires must be 1 to ${MAX_EXPIRES_SECONDS} seconds.`, {
      name: "x-oss-expires",
      value: expires,
    });
  const time = required("x-oss-date");
  const at = readTime(time, scope);
  // A URL may be old until it expires, but its date must not be in the future.
  if (at > now) assertNotSkewed(at, now);
  assertNotExpired(at + seconds * 1000, now);
  return claim({
    request,
    scope,
    time,
    additional: readAdditionalHeaders(query.get("x-oss-additional-headers")),
    payload: UNSIGNED,
    signature,
    token: query.get("x-oss-security-token"),
  });
}
