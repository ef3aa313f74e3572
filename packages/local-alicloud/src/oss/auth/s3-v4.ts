/**
 * Signatures of S3's version 4, as OSS takes them from clients of S3: in the header, or in the query of a URL. OSS does not compare the region of
 * the scope with the bucket's: the samples of its pages have `us-east-1`.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * https://www.alibabacloud.com/help/en/oss/support/0002-00000402
 */
import { createHash, createHmac } from "node:crypto";
import { EC } from "../error-codes";
import { percentEncode } from "../names";
import { accessDenied, invalidArgument } from "../oss-error";
import { headerText } from "./header-values";
import { assertNotExpired, assertNotSkewed, assertSignature, type Claim, type SignedRequest } from "./signed-request";

const ALGORITHM = "AWS4-HMAC-SHA256";
const MAX_EXPIRES_SECONDS = 604_800;

interface Parts {
  credential: string;
  signedHeaders: string;
  signature: string;
  /** `yyyymmddThhmmssZ`. */
  time: string;
  payload: string;
  token: string | undefined;
}

const invalid = (name: string, value: string) => invalidArgument(`${name} is invalid.`, { name, value });

function timeOf(text: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function canonicalRequest({ method, rawPath, query, headers }: SignedRequest, { signedHeaders, payload }: Parts): string {
  const path = percentEncode(decodeURIComponent(rawPath ?? "/")).replaceAll("%2F", "/");
  const pairs = [...query]
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]): [string, string] => [percentEncode(name), percentEncode(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`);
  const covered = signedHeaders.split(";").map((name) => {
    const value = headerText(headers, name);
    if (value === undefined) throw invalid("SignedHeaders", signedHeaders);
    return `${name}:${value.replace(/ +/g, " ")}\n`;
  });
  return [method, path, pairs.join("&"), covered.join(""), signedHeaders, payload].join("\n");
}

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text, "utf8").digest();

function claimOf(request: SignedRequest, parts: Parts): Claim {
  const { credential, signedHeaders, signature, time } = parts;
  const [, accessKeyId, day, region] = /^([^/\s]+)\/(\d{8})\/([^/\s]+)\/s3\/aws4_request$/.exec(credential) ?? [];
  if (accessKeyId === undefined || day === undefined || region === undefined || !time.startsWith(day))
    throw invalid("Credential", credential);
  if (!signedHeaders.split(";").includes("host")) throw invalid("SignedHeaders", signedHeaders);
  // A header of S3 that no signature covers could be added by anybody.
  const open = Object.keys(request.headers).find((name) => name.startsWith("x-amz-") && !signedHeaders.split(";").includes(name));
  if (open !== undefined) throw accessDenied(`There were headers present in the request which were not signed: ${open}`);
  return {
    accessKeyId,
    sessionToken: parts.token,
    region: undefined,
    verify: (secret) => {
      const canonical = canonicalRequest(request, parts);
      const digest = createHash("sha256").update(canonical, "utf8").digest("hex");
      const text = [ALGORITHM, time, `${day}/${region}/s3/aws4_request`, digest].join("\n");
      const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), "s3"), "aws4_request");
      assertSignature(signature, hmac(key, text).toString("hex"), accessKeyId, {
        StringToSign: text,
        CanonicalRequest: canonical,
        ec: EC.signatureV4,
      });
    },
  };
}

/** `Authorization: AWS4-HMAC-SHA256 Credential=.., SignedHeaders=.., Signature=..`. */
export function readS3Header(request: SignedRequest, authorization: string, now: number): Claim {
  const [, credential, signedHeaders, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]+)$/.exec(authorization) ?? [];
  if (credential === undefined || signedHeaders === undefined || signature === undefined)
    throw invalidArgument("Authorization header is invalid.", { name: "Authorization", value: authorization }, EC.s3Algorithm);
  const { headers } = request;
  const time = headerText(headers, "x-amz-date") ?? "";
  assertNotSkewed(timeOf(time), now);
  const payload = headerText(headers, "x-amz-content-sha256") ?? "";
  return claimOf(request, {
    credential,
    signedHeaders,
    signature,
    time,
    payload,
    token: headerText(headers, "x-amz-security-token"),
  });
}

/** `?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=..&X-Amz-Date=..&X-Amz-Expires=..&X-Amz-SignedHeaders=..&X-Amz-Signature=..`. */
export function readS3Query(request: SignedRequest, now: number): Claim {
  const of = (name: string) => request.query.get(`X-Amz-${name}`) ?? "";
  if (of("Algorithm") !== ALGORITHM) throw invalid("X-Amz-Algorithm", of("Algorithm"));
  const seconds = Number(of("Expires"));
  if (!/^\d{1,6}$/.test(of("Expires")) || seconds < 1 || seconds > MAX_EXPIRES_SECONDS)
    throw invalid("X-Amz-Expires", of("Expires"));
  const at = timeOf(of("Date"));
  if (Number.isNaN(at)) throw invalid("X-Amz-Date", of("Date"));
  // A URL may be old until it expires, but its date must not be in the future.
  if (at > now) assertNotSkewed(at, now);
  assertNotExpired(at + seconds * 1000, now);
  return claimOf(request, {
    credential: of("Credential"),
    signedHeaders: of("SignedHeaders"),
    signature: of("Signature"),
    time: of("Date"),
    payload: "UNSIGNED-PAYLOAD",
    token: request.query.get("X-Amz-Security-Token"),
  });
}
