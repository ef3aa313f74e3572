import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "../contracts";
import type { Credential, CredentialStore, Principal } from "../oss/contracts";
import { readAuthorization, type SignedApiRequest, verifySignature } from "./signature";

/** The largest difference between the request's time and the server's. */
export const SKEW_MS = 15 * 60 * 1000;

/** The headers that every call must have, and their names in error codes. */
const MANDATORY = {
  "x-acs-action": "Action",
  "x-acs-version": "Version",
  "x-acs-date": "Timestamp",
  "x-acs-signature-nonce": "SignatureNonce",
  "x-acs-content-sha256": "ContentSha256",
} as const;

function mandatory(headers: IncomingHttpHeaders, name: keyof typeof MANDATORY): string {
  const value = headers[name];
  if (typeof value === "string" && value !== "") return value;
  throw new ApiError(400, `Missing${MANDATORY[name]}`, `${name} is mandatory for this action.`);
}

function assertTimely(date: string, now: number): void {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(date) ? Date.parse(date) : Number.NaN;
  if (Number.isNaN(at))
    throw new ApiError(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.");
  if (Math.abs(now - at) > SKEW_MS)
    throw new ApiError(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
}

/** A key of STS needs its own token; any other key must have none. */
function assertToken(credential: Credential, headers: IncomingHttpHeaders, now: number): void {
  const token = headers["x-acs-security-token"];
  if (credential.sessionToken !== undefined && token === undefined)
    throw new ApiError(400, "MissingSecurityToken", "SecurityToken is mandatory for this action.");
  if (credential.sessionToken !== token)
    throw new ApiError(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.");
  if (credential.expiresAt !== undefined && now >= credential.expiresAt)
    throw new ApiError(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.");
}

/**
 * Verifies the signature and returns who signed the call.
 * @throws ApiError with the code of the vendor's gateway. https://www.alibabacloud.com/help/en/ecs/developer-reference/client-error-codes
 */
export function authenticate(request: SignedApiRequest, credentials: CredentialStore, nonces: Nonces, now: number): Principal {
  const { headers } = request;
  for (const name of Object.keys(MANDATORY) as (keyof typeof MANDATORY)[]) mandatory(headers, name);
  const authorization = readAuthorization(headers);
  assertTimely(mandatory(headers, "x-acs-date"), now);
  const credential = credentials.find(authorization.accessKeyId);
  if (credential === undefined) throw new ApiError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
  assertToken(credential, headers, now);
  verifySignature(request, authorization, credential.secret);
  // Use the nonce after the signature is verified: other callers cannot use up nonces of this key.
  if (!nonces.use(`${authorization.accessKeyId} ${mandatory(headers, "x-acs-signature-nonce")}`))
    throw new ApiError(400, "SignatureNonceUsed", "Specified signature nonce was used already.");
  return credential.principal;
}

export interface Nonces {
  /** False when the nonce was used before. */
  use(nonce: string): boolean;
}

/** Remembers used nonces for at least `keepMs`. */
export function createNonces(keepMs: number, now: () => number): Nonces {
  // Two generations: when the younger one is `keepMs` old, the elder one is dropped as a whole.
  let younger = new Set<string>();
  let elder = new Set<string>();
  let startedAt = now();
  return {
    use: (nonce) => {
      if (now() - startedAt > keepMs) {
        [elder, younger] = [younger, new Set()];
        startedAt = now();
      }
      if (younger.has(nonce) || elder.has(nonce)) return false;
      younger.add(nonce);
      return true;
    },
  };
}
