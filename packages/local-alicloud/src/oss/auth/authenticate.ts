import type { Credential, CredentialStore, Principal } from "../contracts";
import { EC } from "../error-codes";
import { invalidArgument, OssError } from "../oss-error";
import { readFormClaim } from "./form";
import { readS3Header, readS3Query } from "./s3-v4";
import type { Claim, SignedRequest } from "./signed-request";
import { readV1Header, readV1Query } from "./v1";
import { readV4Header, readV4Query } from "./v4";

/** Who signed the request. */
export interface Caller {
  principal: Principal;
  accessKeyId: string;
  sessionPolicy: unknown;
  /** The region that a V4 signature names. */
  signedRegion: string | undefined;
}

function readClaim(request: SignedRequest, now: number): Claim | undefined {
  const { query } = request;
  const authorization = request.headers.authorization;
  const inQuery =
    query.has("x-oss-signature-version") || query.has("x-oss-signature")
      ? readV4Query
      : query.has("Signature") || query.has("OSSAccessKeyId")
        ? readV1Query
        : query.has("X-Amz-Algorithm")
          ? readS3Query
          : undefined;
  if (authorization === undefined) return inQuery?.(request, now);
  if (inQuery !== undefined) throw invalidArgument("Only one auth mechanism is allowed: the Authorization header or the query.");
  if (authorization.startsWith("OSS4-HMAC-SHA256 ")) return readV4Header(request, authorization, now);
  if (authorization.startsWith("AWS4-")) return readS3Header(request, authorization, now);
  if (authorization.startsWith("OSS ")) return readV1Header(request, authorization, now);
  throw invalidArgument("Authorization header is invalid.", { name: "Authorization", value: authorization.split(" ")[0] ?? "" });
}

const unknownKey = (accessKeyId: string) =>
  new OssError(403, "InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist in our records.", {
    details: { OSSAccessKeyId: accessKeyId },
  });

/** A key of STS needs its own token; any other key must have none. */
function assertToken(credential: Credential, claim: Claim, now: number): void {
  if ((credential.sessionToken === undefined) !== (claim.sessionToken === undefined)) throw unknownKey(claim.accessKeyId);
  if (credential.sessionToken !== claim.sessionToken)
    throw new OssError(403, "InvalidSecurityToken", "The security token you provided is invalid.");
  if (credential.expiresAt !== undefined && now >= credential.expiresAt)
    throw new OssError(403, "SecurityTokenExpired", "The security token you provided has expired.");
}

/**
 * Undefined for an anonymous request.
 * @throws OssError `InvalidAccessKeyId`, `SignatureDoesNotMatch`, `AccessDenied` (expired), `RequestTimeTooSkewed`,
 * `InvalidSecurityToken`, `SecurityTokenExpired`, `InvalidArgument`.
 */
export function authenticate(request: SignedRequest, credentials: CredentialStore, now: number): Caller | undefined {
  const claim = readClaim(request, now);
  return claim === undefined ? undefined : callerOf(claim, credentials, now);
}

/** @throws OssError as `authenticate` */
function callerOf(claim: Claim, credentials: CredentialStore, now: number): Caller {
  const credential = credentials.find(claim.accessKeyId);
  if (credential === undefined) throw unknownKey(claim.accessKeyId);
  assertToken(credential, claim, now);
  claim.verify(credential.secret);
  return {
    principal: credential.principal,
    accessKeyId: claim.accessKeyId,
    sessionPolicy: credential.policy,
    signedRegion: claim.region,
  };
}

/** The same for the fields of a form, by lower-case name. */
export function authenticateForm(
  fields: ReadonlyMap<string, string>,
  credentials: CredentialStore,
  now: number,
): Caller | undefined {
  const claim = readFormClaim(fields, now);
  return claim === undefined ? undefined : callerOf(claim, credentials, now);
}

/** A V4 signature must name the bucket's region, also at the accelerate endpoint. */
export function assertSignedRegion(caller: Caller | undefined, region: string): void {
  if (caller?.signedRegion === undefined || caller.signedRegion === region) return;
  throw new OssError(400, "InvalidArgument", "Invalid signing region in Authorization header.", {
    details: { Region: region },
    ec: EC.signingRegion,
  });
}
