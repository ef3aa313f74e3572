import { ApiError } from "../contracts";
import type { Credential, CredentialStore, Principal } from "../oss/contracts";
import { readAcs3Signature } from "./acs3-signature";
import { readRoaSignature } from "./roa-signature";
import { isRpcSigned, readRpcSignature } from "./rpc-signature";
import { missing, type SignedApiRequest, type SignedCall } from "./signed-call";

/** The largest difference between the request's time and the server's. */
export const SKEW_MS = 15 * 60 * 1000;

function readSignature(request: SignedApiRequest): SignedCall {
  if (isRpcSigned(request)) return readRpcSignature(request);
  if (request.headers.authorization?.startsWith("acs ")) return readRoaSignature(request);
  return readAcs3Signature(request);
}

function assertTimely(at: number, now: number): void {
  if (Number.isNaN(at))
    throw new ApiError(400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.");
  if (Math.abs(now - at) > SKEW_MS)
    throw new ApiError(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
}

/** A key of STS needs its own token; any other key must have none. */
function assertToken(credential: Credential, token: string | undefined, now: number): void {
  if (credential.sessionToken !== undefined && token === undefined) throw missing("SecurityToken");
  if (credential.sessionToken !== token)
    throw new ApiError(400, "InvalidSecurityToken.MismatchWithAccessKey", "Specified SecurityToken mismatch with the AccessKey.");
  if (credential.expiresAt !== undefined && now >= credential.expiresAt)
    throw new ApiError(400, "InvalidSecurityToken.Expired", "Specified SecurityToken is expired.");
}

export interface Authenticated {
  principal: Principal;
  /** Empty for a call in ROA style without `x-acs-action`. */
  action: string;
  version: string;
}

/**
 * Verifies the signature, in any of the vendor's three forms, and returns who signed the call.
 * @throws ApiError with the code of the vendor's gateway. https://www.alibabacloud.com/help/en/ecs/developer-reference/client-error-codes
 */
export function authenticate(
  request: SignedApiRequest,
  credentials: CredentialStore,
  nonces: Nonces,
  now: number,
): Authenticated {
  const { action, version, accessKeyId, securityToken, nonce, at, verify } = readSignature(request);
  assertTimely(at, now);
  const credential = credentials.find(accessKeyId);
  if (credential === undefined) throw new ApiError(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
  assertToken(credential, securityToken, now);
  verify(credential.secret);
  // Use the nonce after the signature is verified: other callers cannot use up nonces of this key.
  if (nonce !== undefined && !nonces.use(`${accessKeyId} ${nonce}`))
    throw new ApiError(400, "SignatureNonceUsed", "Specified signature nonce was used already.");
  return { principal: credential.principal, action, version };
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
