import type { Caller } from "./auth/authenticate";
import type { Authorize, Decision } from "./contracts";
import { type BucketPolicy, evaluate, withoutPublicAccess } from "./policy";
import type { Acl, BucketRecord } from "./store/model";

/** The actions that each ACL allows to everyone. */
const OPEN_ACTIONS: Record<Acl, ReadonlySet<string>> = {
  private: new Set(),
  "public-read": new Set(["oss:GetObject", "oss:GetObjectVersion"]),
  "public-read-write": new Set([
    "oss:GetObject",
    "oss:GetObjectVersion",
    "oss:PutObject",
    "oss:DeleteObject",
    "oss:AbortMultipartUpload",
  ]),
};

/** The default without a RAM: an account may do everything with its own buckets; its users and roles may do nothing. */
export const rootOnly: Authorize = (principal) => (principal.arn.endsWith(":root") ? "allow" : "none");

export interface PermissionRequest {
  caller: Caller | undefined;
  /** Undefined for operations on the service. */
  bucket: Readonly<BucketRecord> | undefined;
  action: string;
  resource: string;
  conditions: Readonly<Record<string, string>>;
  /** The object's ACL, which takes precedence over the bucket's. */
  objectAcl?: Acl | undefined;
}

/**
 * A denial by RAM or the bucket's policy wins. Otherwise one of these must allow it: RAM (in the owner's account), the bucket's policy, the ACL.
 * https://www.alibabacloud.com/help/en/oss/user-guide/authentication-process
 */
export function isPermitted(request: PermissionRequest, authorize: Authorize): boolean {
  const { caller, bucket, action, resource, conditions } = request;
  const written = bucket?.policy as BucketPolicy | undefined;
  const policy = written !== undefined && bucket?.publicAccessBlock === true ? withoutPublicAccess(written) : written;
  const byPolicy = evaluate(policy, { principal: caller?.principal, action, resource, conditions });
  const byRam: Decision =
    caller === undefined
      ? "none"
      : authorize(caller.principal, action, resource, { conditions, sessionPolicy: caller.sessionPolicy });
  if (byPolicy === "deny" || byRam === "deny") return false;
  const own = caller !== undefined && (bucket === undefined || caller.principal.accountId === bucket.ownerId);
  if (own && byRam === "allow") return true;
  if (byPolicy === "allow") return true;
  if (bucket === undefined || bucket.publicAccessBlock) return false;
  return OPEN_ACTIONS[request.objectAcl ?? bucket.acl].has(action);
}
