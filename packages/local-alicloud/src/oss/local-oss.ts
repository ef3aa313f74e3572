import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Authorize, CredentialStore, EndpointKind, OssHooks, Principal } from "./contracts";
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
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  /** The connection is closed when a body sends nothing for this long. @default 60 s */
  bodyIdleMs?: number;
  /** How long the restore of an archived object takes. OSS takes from one minute to two days. @default 2 s */
  restoreMs?: number;
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
  /** PEM of the certificate that clients have to trust. */
  caPath: string;
  /** Resolves when replication has nothing to do. Work that a role may not do is tried once more before. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an OSS for this machine on 127.0.0.1. */
export async function startLocalOss(options: LocalOssOptions): Promise<LocalOss> {
  const { regions, tls, ports = {} } = options;
  const [cert, key] = await Promise.all([readFile(tls.certPath), readFile(tls.keyPath)]);
  const { onEvent, onRequest } = options;
  const { now = Date.now, authorize = rootOnly, replicationRetryMs: retryMs = 2000, assumeRole } = options;
  const hooks = { ...(onEvent === undefined ? {} : { onEvent }), ...(onRequest === undefined ? {} : { onRequest }) };
  const onFailure = options.onFailure ?? ((error: unknown, what: string) => console.error(`local OSS: ${what} failed:`, error));
  const store = await DiskStore.open(join(options.dataDir, "buckets"));
  const replicator = new Replicator({ store, authorize, assumeRole, hooks, now, retryMs, onFailure });
  const surroundings = {
    store,
    replicator,
    regions,
    credentials: options.credentials,
    authorize,
    hooks,
    now,
    bodyIdleMs: options.bodyIdleMs ?? 60_000,
    restoreMs: options.restoreMs ?? 2_000,
    onFailure,
  };
  const listeners: Listener[] = [];
  const stop = async () => {
    await Promise.all(listeners.splice(0).map((listener) => listener.close()));
    await replicator.stop();
  };
  const open = async (kind: EndpointKind, region: string | undefined, port: number | undefined) => {
    const handler = requestHandler({ kind, region }, surroundings);
    const listener = await listen(handler, { cert, key, port });
    listeners.push(listener);
    return `https://localhost:${listener.port}`;
  };
  try {
    const accelerate = await open("accelerate", undefined, ports.accelerate);
    const endpoints: LocalOss["endpoints"] = {};
    for (const region of regions) {
      const chosen = ports.regions?.[region] ?? {};
      endpoints[region] = {
        public: await open("public", region, chosen.public),
        internal: await open("internal", region, chosen.internal),
        accelerate,
      };
    }
    replicator.start();
    return { endpoints, caPath: tls.certPath, settled: () => replicator.settled(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
