import { randomBytes } from "node:crypto";
import type { Caller } from "./auth/authenticate";
import type { Authorize, CredentialStore, OssHooks } from "./contracts";
import type { CustomDomains } from "./custom-domains";
import { type ChangedObject, ossEvent } from "./event";
import type { Exchange } from "./exchange";
import { accessDenied, noSuchBucket } from "./oss-error";
import { isPermitted } from "./permissions";
import type { Replicator } from "./replication/replicator";
import type { Bucket } from "./store/bucket";
import type { DiskStore } from "./store/disk-store";
import { currentObject, NULL_VERSION } from "./store/versions";

export interface Service {
  store: DiskStore;
  replicator: Replicator;
  domains: CustomDomains;
  regions: readonly string[];
  credentials: CredentialStore;
  authorize: Authorize;
  hooks: OssHooks;
  now: () => number;
  /** The connection is closed when a body sends nothing for this long. */
  bodyIdleMs: number;
  /** How long the restore of an archived object takes. */
  restoreMs: number;
  newBucketsBlockPublicAccess: boolean;
  /** How long a server may take to answer an upload callback. */
  callbackTimeoutMs: number;
}

/** One request to the service, a bucket or an object: its caller, its target, and the services it uses. */
export class Operation {
  readonly exchange: Exchange;
  readonly caller: Caller | undefined;
  private readonly service: Service;
  private readonly found: Bucket | undefined;
  private readonly bucketName: string | undefined;
  private readonly objectKey: string | undefined;
  private readonly domain: string | undefined;

  constructor(parts: {
    exchange: Exchange;
    caller: Caller | undefined;
    service: Service;
    bucketName: string | undefined;
    bucket: Bucket | undefined;
    key: string | undefined;
    domain: string | undefined;
  }) {
    this.exchange = parts.exchange;
    this.caller = parts.caller;
    this.service = parts.service;
    this.found = parts.bucket;
    this.bucketName = parts.bucketName;
    this.objectKey = parts.key;
    this.domain = parts.domain;
  }

  get store(): DiskStore {
    return this.service.store;
  }

  get replicator(): Replicator {
    return this.service.replicator;
  }

  get domains(): CustomDomains {
    return this.service.domains;
  }

  /** Whether the request came from outside by a host name of OSS itself, not by a custom domain. */
  get byDefaultHost(): boolean {
    return this.domain === undefined && this.exchange.entry.kind !== "internal";
  }

  /** All regions of this server. */
  get regions(): readonly string[] {
    return this.service.regions;
  }

  get bodyIdleMs(): number {
    return this.service.bodyIdleMs;
  }

  get newBucketsBlockPublicAccess(): boolean {
    return this.service.newBucketsBlockPublicAccess;
  }

  get restoreMs(): number {
    return this.service.restoreMs;
  }

  get callbackTimeoutMs(): number {
    return this.service.callbackTimeoutMs;
  }

  get credentials(): CredentialStore {
    return this.service.credentials;
  }

  get now(): number {
    return this.service.now();
  }

  get name(): string {
    return this.bucketName ?? "";
  }

  /** The operation on the object that a form names, by the one who signed the form. */
  ofForm(caller: Caller | undefined, key: string): Operation {
    const { exchange, service, bucketName, domain } = this;
    return new Operation({ exchange, caller, service, bucketName, bucket: this.found, key, domain });
  }

  /** @throws OssError `NoSuchBucket`. */
  get bucket(): Bucket {
    if (this.found === undefined) throw noSuchBucket(this.name);
    return this.found;
  }

  get key(): string {
    return this.objectKey ?? "";
  }

  /** A new id, or `null` unless versioning is enabled. */
  newVersionId(): string {
    return this.bucket.record.versioning === "Enabled" ? `CAEQ${randomBytes(24).toString("hex")}` : NULL_VERSION;
  }

  resource(bucket: Bucket | undefined = this.found, key: string | undefined = this.objectKey): string {
    const region = bucket?.record.region ?? this.exchange.entry.region ?? "*";
    const owner = bucket?.record.ownerId ?? this.caller?.principal.accountId ?? "*";
    const name = bucket?.name ?? this.bucketName ?? "*";
    return `acs:oss:${region}:${owner}:${name}${key === undefined ? "" : `/${key}`}`;
  }

  /** Checks a permission on the given bucket and key, by default those of the request. @throws OssError `AccessDenied` */
  permit(action: string, bucket: Bucket | undefined = this.found, key: string | undefined = this.objectKey): void {
    const { exchange, caller, service } = this;
    const resource = this.resource(bucket, key);
    if (caller === undefined && exchange.isOfForeignPage)
      throw accessDenied("A web page of another machine may use this bucket by a CORS rule or with a signature only.");
    const conditions: Record<string, string> = {
      "acs:SourceIp": exchange.sourceIp,
      "acs:SecureTransport": String(exchange.secure),
      "acs:CurrentTime": new Date(this.now).toISOString(),
      "acs:UserAgent": exchange.header("user-agent") ?? "",
    };
    for (const [name, parameter] of [
      ["oss:Prefix", "prefix"],
      ["oss:Delimiter", "delimiter"],
    ] as const) {
      const value = exchange.query.get(parameter);
      if (value !== undefined) conditions[name] = value;
    }
    const objectAcl = bucket !== undefined && key !== undefined ? currentObject(bucket.keys.versions(key))?.acl : undefined;
    const blocked = bucket !== undefined && service.store.blocksPublicAccess(bucket.record.ownerId);
    const record = blocked ? { ...bucket.record, publicAccessBlock: true } : bucket?.record;
    const allowed = isPermitted({ caller, bucket: record, action, resource, conditions, objectAcl }, service.authorize);
    service.hooks.onRequest?.({
      requestId: exchange.requestId,
      principal: caller?.principal,
      action,
      resource,
      allowed,
      endpoint: exchange.entry.kind,
    });
    if (allowed) return;
    const message =
      caller === undefined
        ? "Anonymous access is forbidden for this operation."
        : bucket !== undefined && bucket.record.ownerId !== caller.principal.accountId
          ? "The bucket you access does not belong to you."
          : "You have no right to access this object because of bucket acl.";
    throw accessDenied(message, { AuthAction: action, AuthResource: resource });
  }

  /** Emits the event of a changed object. `eventName` is e.g. `ObjectCreated:PutObject`. */
  emit(eventName: string, object: Omit<ChangedObject, "key"> & { key?: string }): void {
    const { exchange, caller } = this;
    const cause = {
      at: this.now,
      requestId: exchange.requestId,
      sourceIp: exchange.sourceIp,
      accountId: caller?.principal.accountId ?? "",
    };
    this.service.hooks.onEvent?.(ossEvent(eventName, this.bucket.record, { key: this.key, ...object }, cause));
  }
}
