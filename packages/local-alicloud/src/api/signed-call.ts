/** What the three signatures of the control APIs have in common. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../contracts";

export interface SignedApiRequest {
  method: string;
  /** As sent, without the query. */
  rawPath: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Everything that a request says about itself, and the check of its signature. */
export interface SignedCall {
  /** E.g. `CreateRole`. Empty in ROA style, where the path names the operation. */
  action: string;
  version: string;
  accessKeyId: string;
  securityToken: string | undefined;
  /** Absent in ROA calls of the vendor's older Go SDK, which its command uses. */
  nonce: string | undefined;
  /** Ms since the epoch; NaN when the time is malformed. */
  at: number;
  /** @throws ApiError 400 `SignatureDoesNotMatch` */
  verify(secret: string): void;
}

/** The gateway's refusal of a request that lacks a parameter, e.g. `MissingTimestamp`. */
export const missing = (name: string, code = name): ApiError =>
  new ApiError(400, `Missing${code}`, `${name} is mandatory for this action.`);

/** Base64 of HMAC-SHA1. */
export function matchesHmacSha1(text: string, key: string, signature: string): boolean {
  const expected = createHmac("sha1", key).update(text, "utf8").digest();
  const given = Buffer.from(signature, "base64");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** The vendor's SDKs compare the text with their own to tell a wrong secret from a wrong signature. It has no secret. */
export const signatureDoesNotMatch = (stringToSign?: string): ApiError =>
  new ApiError(
    400,
    "SignatureDoesNotMatch",
    `Specified signature is not matched with our calculation.${stringToSign === undefined ? "" : ` server string to sign is:${stringToSign}`}`,
  );

export const invalidSignatureMethod = (served: string): ApiError =>
  new ApiError(400, "InvalidSignatureMethod", `Specified signature method is not valid: ${served} is served.`);

/** `2026-11-30T12:00:00Z`, in ms since the epoch. */
export const isoTime = (text: string): number => (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : Number.NaN);
