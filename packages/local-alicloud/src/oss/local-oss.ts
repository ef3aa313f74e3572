import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Authorize, CredentialStore, EndpointKind, OssHooks, Principal } from "./contracts";
import { CustomDomains, isTestDomain } from "./custom-domains";
import type { Entry } from "./exchange";
import { type Listener, listen } from "./listen";
import { rootOnly } from "./permissions";
import { Replicator } from "./replication/replicator";
import { requestHandler } from "./server";
import { DiskStore } from "./store/disk-store";

export interface LocalOssOptions extends OssHooks {
  /** E.g. `cn-shanghai`, `us-west-1`. */
  regions: readonly string[];
  /** Buckets and objects stay here across restarts. One process at a time may use it. */
  dataDir: string;
  tls: { certPath: string; keyPath: string };
  credentials: CredentialStore;
  /** Asks RAM. @default an account's root may do everything with its own buckets; users and roles may do nothing */
  authorize?: Authorize;
  /**
   * Assumes the role of a replication rule; returns undefined when the role does not trust `oss.aliyuncs.com`. `authorize` decides what the
   * role may do. @default every role may replicate everything
   */
  assumeRole?: (roleArn: string) => Principal | undefined;
  /** Wait before a replication that its role may not do is tried again. @default 2 s */
  replicationRetryMs?: number;
  /** How long a new replication rule is `starting`, and a deleted one `closing`. With OSS it can be minutes. @default 0.5 s */
  replicationStateMs?: number;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  /** The connection is closed when a body sends nothing for this long. @default 60 s */
  bodyIdleMs?: number;
  /** How long the restore of an archived object takes. OSS takes from one minute to two days. @default 2 s */
  restoreMs?: number;
  /**
   * Refuse data of buckets in the Chinese mainland at the public endpoints with `PublicEndpointForbidden`, as OSS does for accounts that
   * activated it on or after 2025-03-20. Internal endpoints, acceleration and custom domains serve the data. @default false
   */
  blockMainlandPublicData?: boolean | undefined;
  /**
   * Whether a new private bucket blocks public access. It is so for buckets that are created today. @default true
   */
  newBucketsBlockPublicAccess?: boolean | undefined;
  /** Whether the ownership of a custom domain is verified, so that a bucket may have it. @default only names that end with `.test` */
  ownsDomain?: ((domain: string) => boolean) | undefined;
  /** Called when a custom domain gets its port, also for the domains that the data folder has, and without an origin when it loses it. */
  onDomain?: ((domain: string, origin: string | undefined) => void) | undefined;
  /** An upload callback fails when the called server takes longer. @default 5 s, as with OSS */
  callbackTimeoutMs?: number;
  /** `accelerate` is one port for all regions. @default free ports */
  ports?: {
    accelerate?: number | undefined;
    regions?: Record<string, { public?: number | undefined; internal?: number | undefined }>;
  };
  /** Called for unexpected errors: a bug or a full disk. @default prints them */
  onFailure?: (error: unknown, what: string) => void;
}

export interface LocalOss {
  /**
   * `https://localhost:PORT` by region; the same port answers plain http. Path style (`/bucket/key`). The accelerate endpoint is the same in
   * all regions.
   */
  endpoints: Record<string, Record<EndpointKind, string>>;
  /** The origin of each custom domain that was bound, `https://localhost:PORT`. The path has the key alone (`/key`). */
  domains(): Record<string, string>;
  /** PEM of the certificate that clients have to trust. */
  caPath: string;
  /** Resolves when replication has nothing to do. Work that a role may not do is tried once more before. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

const originOf = ({ port }: Listener): string => `https://localhost:${port}`;

/** Starts an OSS for this machine on 127.0.0.1. */
export async function startLocalOss(options: LocalOssOptions): Promise<LocalOss> {
  const { regions, tls, ports = {} } = options;
  const [cert, key] = await Promise.all([readFile(tls.certPath), readFile(tls.keyPath)]);
  const { onEvent, onRequest } = options;
  const { now = Date.now, authorize = rootOnly, replicationRetryMs: retryMs = 2000, assumeRole } = options;
  const { replicationStateMs: stateMs = 500 } = options;
  const hooks = { ...(onEvent === undefined ? {} : { onEvent }), ...(onRequest === undefined ? {} : { onRequest }) };
  const onFailure = options.onFailure ?? ((error: unknown, what: string) => console.error(`local OSS: ${what} failed:`, error));
  const store = await DiskStore.open(join(options.dataDir, "buckets"));
  const replicator = new Replicator({ store, authorize, assumeRole, hooks, now, retryMs, stateMs, onFailure });
  const domains = new CustomDomains({
    store,
    owns: options.ownsDomain ?? isTestDomain,
    listen: async (domain) => {
      const listener = await openPort({ kind: "public", region: undefined, domain });
      const origin = originOf(listener);
      options.onDomain?.(domain, origin);
      const retire = () => {
        listener.retire();
        options.onDomain?.(domain, undefined);
      };
      return { origin, retire };
    },
  });
  const surroundings = {
    store,
    replicator,
    domains,
    regions,
    credentials: options.credentials,
    authorize,
    hooks,
    now,
    bodyIdleMs: options.bodyIdleMs ?? 60_000,
    restoreMs: options.restoreMs ?? 2_000,
    blockMainlandPublicData: options.blockMainlandPublicData ?? false,
    newBucketsBlockPublicAccess: options.newBucketsBlockPublicAccess ?? true,
    callbackTimeoutMs: options.callbackTimeoutMs ?? 5_000,
    onFailure,
  };
  const listeners: Listener[] = [];
  const stop = async () => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
    await replicator.stop();
  };
  const openPort = async (entry: Entry, port?: number | undefined) => {
    const handler = requestHandler(entry, surroundings);
    const listener = await listen(handler, { cert, key, port });
    listeners.push(listener);
    return listener;
  };
  const open = async (entry: Entry, port?: number | undefined) => originOf(await openPort(entry, port));
  try {
    const accelerate = await open({ kind: "accelerate", region: undefined }, ports.accelerate);
    const endpoints: LocalOss["endpoints"] = {};
    for (const region of regions) {
      const chosen = ports.regions?.[region] ?? {};
      endpoints[region] = {
        public: await open({ kind: "public", region }, chosen.public),
        internal: await open({ kind: "internal", region }, chosen.internal),
        accelerate,
      };
    }
    await domains.start();
    replicator.start();
    return {
      endpoints,
      domains: () => domains.origins(),
      caPath: tls.certPath,
      settled: () => replicator.settled(),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
