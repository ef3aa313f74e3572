/** What the OSS endpoint needs from the rest of the local cloud, and what it tells it. */

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
  /** Set for credentials of STS: a request that lacks it is refused. */
  sessionToken?: string;
  /** Milliseconds since the epoch. */
  expiresAt?: number;
  /** The session policy that narrows the role's rights, passed on to `authorize`. */
  policy?: unknown;
}

export interface CredentialStore {
  find(accessKeyId: string): Credential | undefined;
}

/** What a policy may condition on. Keys as in RAM, e.g. `acs:SourceIp`, `acs:SecureTransport`, `oss:Prefix`. */
export interface AuthorizationContext {
  conditions: Readonly<Record<string, string>>;
  sessionPolicy?: unknown;
}

/** `deny` is an explicit denial; `none` leaves the answer to the bucket's policy and ACL. */
export type Decision = "allow" | "deny" | "none";

/** RAM: `action` is e.g. `oss:PutObject`, `resource` e.g. `acs:oss:cn-shanghai:<uid>:bucket/key`. */
export type Authorize = (principal: Principal, action: string, resource: string, context: AuthorizationContext) => Decision;

export type EndpointKind = "public" | "internal" | "accelerate";

/** One line per permission that a request needed: the proof that a policy is sufficient and minimal is made of these. */
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
    /** Empty: the trigger that delivers the event names its rule. */
    ruleId: string;
  };
  requestParameters: { sourceIPAddress: string };
  responseElements: { requestId: string };
  userIdentity: { principalId: string };
}

export interface OssHooks {
  /** Once the change is durable and before the request is answered. Must not throw. */
  onEvent?: (event: OssEvent) => void;
  onRequest?: (record: RequestRecord) => void;
}
