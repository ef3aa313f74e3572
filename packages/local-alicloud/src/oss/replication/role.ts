import { randomBytes } from "node:crypto";
import type { Authorize, OssHooks, Principal } from "../contracts";
import { isPermitted } from "../permissions";
import type { Bucket } from "../store/bucket";
import type { ReplicationRule } from "../store/model";

/** @param key undefined for an action on the bucket itself */
export type Permit = (action: ReplicationAction, bucket: Bucket, key?: string) => boolean;

/** https://www.alibabacloud.com/help/en/oss/user-guide/introduction-to-data-replication-permissions */
export type ReplicationAction = "oss:ReplicateList" | "oss:ReplicateGet" | "oss:ReplicatePut" | "oss:ReplicateDelete";

export interface Roles {
  authorize: Authorize;
  hooks: OssHooks;
  /** Returns undefined for a role that OSS may not assume. @default every role may do everything */
  assumeRole?: ((roleArn: string) => Principal | undefined) | undefined;
  now: () => number;
}

/** Returns a check of what the role of a rule may do. Every check is recorded like the permissions of a request. */
export function permitOf(rule: ReplicationRule, source: Bucket, { authorize, hooks, assumeRole, now }: Roles): Permit {
  if (assumeRole === undefined || rule.syncRole === undefined) return () => true;
  const principal = assumeRole(`acs:ram::${source.record.ownerId}:role/${rule.syncRole}`);
  const caller = principal && { principal, accessKeyId: "", sessionPolicy: undefined, signedRegion: undefined };
  return (action, bucket, key) => {
    const { region, ownerId, name } = bucket.record;
    const resource = `acs:oss:${region}:${ownerId}:${name}${key === undefined ? "" : `/${key}`}`;
    const conditions = { "acs:SecureTransport": "true", "acs:CurrentTime": new Date(now()).toISOString() };
    const request = { caller, bucket: bucket.record, action, resource, conditions };
    const allowed = principal !== undefined && isPermitted(request, authorize);
    hooks.onRequest?.({
      requestId: randomBytes(12).toString("hex").toUpperCase(),
      principal,
      action,
      resource,
      allowed,
      endpoint: rule.destination.transferType === "oss_acc" ? "accelerate" : "internal",
    });
    return allowed;
  };
}
