import { OssError } from "./oss-error";
import type { Bucket } from "./store/bucket";
import type { DiskStore } from "./store/disk-store";
import { KeyLock } from "./store/key-lock";
import type { BoundDomain } from "./store/model";

/** A name that is reserved for tests belongs to everybody. https://www.rfc-editor.org/rfc/rfc6761#section-6.2 */
export const isTestDomain = (domain: string): boolean => domain.endsWith(".test");

export interface CustomDomainsOptions {
  store: DiskStore;
  /** Whether the account has proven that it owns the domain. At OSS a TXT record proves it. */
  owns: (domain: string) => boolean;
  /** Opens a port for a domain. */
  listen: (domain: string) => Promise<DomainPort>;
}

export interface DomainPort {
  origin: string;
  /** Takes no more connections, and ends each open one after its answer. */
  retire(): void;
}

/**
 * The custom domains of all buckets. Nothing resolves them on this machine, so each domain has a port of its own, where every request with a
 * name of this machine is for its bucket. A request with the domain as its Host is for the bucket on every port.
 */
export class CustomDomains {
  private readonly lock = new KeyLock();
  private readonly ports = new Map<string, DomainPort>();

  constructor(private readonly options: CustomDomainsOptions) {}

  /** Opens the ports of the domains that the last process left. */
  async start(): Promise<void> {
    for (const { record } of this.options.store.all())
      for (const { domain } of record.domains ?? []) await this.lock.run(domain, () => this.open(domain));
  }

  find(domain: string): Bucket | undefined {
    return this.options.store.all().find(({ record }) => record.domains?.some((bound) => bound.domain === domain));
  }

  /** Origins of the ports, by domain. */
  origins(): Record<string, string> {
    return Object.fromEntries([...this.ports].map(([domain, { origin }]) => [domain, origin]));
  }

  /**
   * Binds a domain to the bucket, or changes its certificate.
   * @param record is called when the bucket may have the domain
   * @throws OssError `NeedVerifyDomainOwnership`, `CnameDenied` and `CnameAlreadyExists` for a domain of another bucket
   */
  bind(bucket: Bucket, domain: string, record: (known: BoundDomain | undefined) => BoundDomain): Promise<void> {
    return this.lock.run(domain, async () => {
      const holder = this.find(domain);
      if (holder !== undefined && holder.record.ownerId !== bucket.record.ownerId)
        throw new OssError(403, "CnameDenied", "The cname belongs to another user.", { details: { Cname: domain } });
      if (holder !== undefined && holder !== bucket)
        throw new OssError(409, "CnameAlreadyExists", "The cname is already bound to another bucket.", {
          details: { Cname: domain, BucketName: holder.name },
        });
      if (holder === undefined && !this.options.owns(domain))
        throw new OssError(
          403,
          "NeedVerifyDomainOwnership",
          `The ownership of ${domain} is not verified: a TXT record _dnsauth.${domain} must have the token of CreateCnameToken.`,
          { details: { Cname: domain } },
        );
      const bound = record(bucket.record.domains?.find((known) => known.domain === domain));
      await this.open(domain);
      await bucket.configure(({ domains = [] }) => ({
        domains: [...domains.filter((other) => other.domain !== domain), bound],
      }));
    });
  }

  /** Unbinds the domain if the bucket has it, and frees its port. */
  unbind(bucket: Bucket, domain: string): Promise<void> {
    return this.lock.run(domain, async () => {
      await bucket.configure(({ domains = [] }) => ({ domains: domains.filter((other) => other.domain !== domain) }));
      this.retire(domain);
    });
  }

  /** Frees the ports of a bucket that was deleted. */
  async forget({ record: { domains = [] } }: Bucket): Promise<void> {
    for (const { domain } of domains) await this.lock.run(domain, async () => this.retire(domain));
  }

  private retire(domain: string): void {
    if (this.find(domain) !== undefined) return;
    this.ports.get(domain)?.retire();
    this.ports.delete(domain);
  }

  private async open(domain: string): Promise<void> {
    if (!this.ports.has(domain)) this.ports.set(domain, await this.options.listen(domain));
  }
}
