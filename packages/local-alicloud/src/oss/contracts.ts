/** Types that OSS shares with the other services: identities, permissions, events. */

/** Who signed a request. */
export interface Principal {
  /** The Alibaba Cloud account (uid) that pays and owns. */
  accountId: string;
  /** `acs:ram::<uid>:root`, `acs:ram::<uid>:user/<name>` or `acs:ram::<uid>:assumed-role/<role>/<session>`. */
  arn: string;
}

export interface Credential {
  secret: string;
  principal: Principal;
  /** For credentials of STS: a request without this token is refused. */
  sessionToken?: string;
  /** Milliseconds since the epoch. */
  expiresAt?: number;
  /** A session policy that restricts the role, passed to `authorize`. */
  policy?: unknown;
}

export interface CredentialStore {
  find(accessKeyId: string): Credential | undefined;
}

/** Values for the conditions of policies, by condition key, e.g. `acs:SourceIp`, `acs:SecureTransport`, `oss:Prefix`. */
export interface AuthorizationContext {
  conditions: Readonly<Record<string, string>>;
  sessionPolicy?: unknown;
}

/** `deny`: a statement denies it. `none`: no statement applies, so that the bucket's policy and ACL decide. */
export type Decision = "allow" | "deny" | "none";

/** Asks RAM. `action` is e.g. `oss:PutObject`, `resource` e.g. `acs:oss:cn-shanghai:<uid>:bucket/key`. */
export type Authorize = (principal: Principal, action: string, resource: string, context: AuthorizationContext) => Decision;

export type EndpointKind = "public" | "internal" | "accelerate";

/** One permission that a request needed. A test can prove with these records that a policy is sufficient and minimal. */
export interface RequestRecord {
  requestId: string;
  /** Undefined for an anonymous request. */
  principal: Principal | undefined;
  /** As in RAM, e.g. `oss:PutObject`. */
  action: string;
  resource: string;
  allowed: boolean;
  endpoint: EndpointKind;
}

/**
 * One element of `events` as OSS delivers it to Function Compute.
 * https://www.alibabacloud.com/help/en/oss/user-guide/event-notification
 */
export interface OssEvent {
  /** E.g. `ObjectCreated:PutObject`, `ObjectRemoved:DeleteObject`. */
  eventName: string;
  eventSource: "acs:oss";
  eventTime: string;
  eventVersion: "1.0";
  region: string;
  oss: {
    bucket: { arn: string; name: string; ownerIdentity: string };
    /** `key` is not encoded; `size` and `deltaSize` are bytes. */
    object: { deltaSize: number; eTag: string; key: string; size: number };
    ossSchemaVersion: "1.0";
    /** Empty here; the trigger that delivers the event sets it. */
    ruleId: string;
  };
  requestParameters: { sourceIPAddress: string };
  responseElements: { requestId: string };
  userIdentity: { principalId: string };
}

export interface OssHooks {
  /** Called after the change is stored and before the request is answered. Must not throw. */
  onEvent?: (event: OssEvent) => void;
  onRequest?: (record: RequestRecord) => void;
}
