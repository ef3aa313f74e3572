import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { OssError } from "../oss-error";

/** The parts of a request that a signature covers. */
export interface SignedRequest {
  method: string;
  bucket: string | undefined;
  key: string | undefined;
  /** As sent, without the query. A signature of S3 covers it. */
  rawPath?: string | undefined;
  query: ReadonlyMap<string, string>;
  headers: IncomingHttpHeaders;
}

/** The identity that a request claims, before verification. */
export interface Claim {
  accessKeyId: string;
  /** The STS token of the request. */
  sessionToken: string | undefined;
  /** The region in a V4 scope. */
  region: string | undefined;
  /** @throws OssError `SignatureDoesNotMatch`. */
  verify(secret: string): void;
}

const SKEW_MS = 15 * 60 * 1000;

export function assertNotSkewed(at: number, now: number): void {
  if (Number.isNaN(at)) throw new OssError(403, "AccessDenied", "OSS authentication requires a valid Date.");
  if (Math.abs(at - now) > SKEW_MS)
    throw new OssError(
      403,
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      {
        details: {
          MaxAllowedSkewMilliseconds: String(SKEW_MS),
          RequestTime: new Date(at).toISOString(),
          ServerTime: new Date(now).toISOString(),
        },
      },
    );
}

export function assertNotExpired(expiresAt: number, now: number): void {
  if (now > expiresAt)
    throw new OssError(403, "AccessDenied", "Request has expired.", {
      details: { Expires: new Date(expiresAt).toISOString(), ServerTime: new Date(now).toISOString() },
    });
}

export function assertSignature(
  provided: string,
  expected: string,
  accessKeyId: string,
  { ec, ...details }: { StringToSign: string; CanonicalRequest?: string; ec?: string },
): void {
  const given = Buffer.from(provided);
  const wanted = Buffer.from(expected);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new OssError(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
    { details: { OSSAccessKeyId: accessKeyId, SignatureProvided: provided, ...details }, ...(ec === undefined ? {} : { ec }) },
  );
}
