import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Authorize, CredentialStore, EndpointKind, OssHooks } from "./contracts";
import { type Listener, listen } from "./listen";
import { rootOnly } from "./permissions";
import { requestHandler } from "./server";
import { DiskStore } from "./store/disk-store";

export interface LocalOssOptions extends OssHooks {
  /** E.g. `cn-shanghai`, `us-west-1`. */
  regions: readonly string[];
  /** Keeps buckets over restarts; one process at a time. */
  dataDir: string;
  tls: { certPath: string; keyPath: string };
  credentials: CredentialStore;
  /** RAM. @default an account's root may do everything with its own, users and roles nothing */
  authorize?: Authorize;
  /** Ms since the epoch. @default the system's clock */
  now?: () => number;
  /** How long a body may stand still before its client is given up. @default 60 s */
  bodyIdleMs?: number;
  /** @default free ones; `accelerate` has one for all regions */
  ports?: { accelerate?: number; regions?: Record<string, { public?: number; internal?: number }> };
  /** Told of what should not happen: a bug or a full disk. @default prints it */
  onFailure?: (error: unknown, requestId: string) => void;
}

export interface LocalOss {
  /**
   * `https://localhost:PORT`; plain http is answered on the same port. Path style (`/bucket/key`). The accelerate endpoint is one
   * for all regions, as OSS's is.
   */
  endpoints: Record<string, Record<EndpointKind, string>>;
  /** PEM of the certificate that clients have to trust. */
  caPath: string;
  stop(): Promise<void>;
}

/** Starts an OSS for this machine on 127.0.0.1. */
export async function startLocalOss(options: LocalOssOptions): Promise<LocalOss> {
  const { regions, tls, ports = {} } = options;
  const [cert, key] = await Promise.all([readFile(tls.certPath), readFile(tls.keyPath)]);
  const { onEvent, onRequest } = options;
  const surroundings = {
    store: await DiskStore.open(join(options.dataDir, "buckets")),
    credentials: options.credentials,
    authorize: options.authorize ?? rootOnly,
    hooks: { ...(onEvent === undefined ? {} : { onEvent }), ...(onRequest === undefined ? {} : { onRequest }) },
    now: options.now ?? Date.now,
    bodyIdleMs: options.bodyIdleMs ?? 60_000,
    onFailure:
      options.onFailure ??
      ((error: unknown, requestId: string) => console.error(`local OSS: request ${requestId} failed:`, error)),
  };
  const listeners: Listener[] = [];
  const stop = async () => {
    await Promise.all(listeners.map((listener) => listener.close()));
  };
  const open = async (kind: EndpointKind, region: string | undefined, port: number | undefined) => {
    const handler = requestHandler({ kind, region }, surroundings);
    const listener = await listen(handler, { cert, key, ...(port === undefined ? {} : { port }) });
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
    return { endpoints, caPath: tls.certPath, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
