/** The bridges inside Alibaba Cloud that the test of its policies deploys. They share one local cloud. */
import { ensureCertificate } from "../../../local/aws/certificate";
import { ends } from "../../../local/cli/ends";
import type { LocalClouds } from "../../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../../local/local-stack";
import { DEFAULT_STATE_DIR } from "../../../local/paths";
import { openPairEnd, type PairEnd } from "../pairs/pair-end";
import { type SourceEvents, sourceEvents } from "../pairs/source-events";
import { startTlsProxy, type TlsProxy } from "../support/tls-proxy";
import { type CrcLiar, startCrcLiar } from "./ram-crc-liar";

export const PREFIX = "copies/";
export const MIB = 1024 * 1024;
export const SOURCE_KEY = "key-source";
export const DESTINATION_KEY = "key-destination";

export type Mode = "push" | "pull" | "native";

export interface BridgeSpec {
  name: string;
  mode: Mode;
  /** Whether each bucket keeps versions. Tagging and taking back are other actions in a bucket without versions. */
  versioned: { source: boolean; destination: boolean };
}

/** The examples of the repository whose regions and endpoints the bridges use. */
export const STACKS: Record<Mode, string> = { push: "oss-accelerated", pull: "oss-pull", native: "oss-native" };
export const REGIONS: Record<Mode, { source: string; destination: string }> = {
  push: { source: "cn-shanghai", destination: "us-west-1" },
  pull: { source: "eu-central-1", destination: "cn-hangzhou" },
  native: { source: "cn-shanghai", destination: "ap-southeast-1" },
};

/** Push and pull together have each kind of bucket at each side. Native replication needs the same kind at both. */
export const BRIDGES: readonly BridgeSpec[] = [
  { name: "push", mode: "push", versioned: { source: false, destination: true } },
  { name: "pull", mode: "pull", versioned: { source: true, destination: false } },
  { name: "native", mode: "native", versioned: { source: true, destination: true } },
];

export interface Bridge extends BridgeSpec {
  local: LocalStack;
  source: PairEnd;
  destination: PairEnd;
  buckets: { source: string; destination: string };
  events: SourceEvents;
}

/** Proxies between the functions and OSS. */
export interface Wires {
  /** For objects at the source. */
  reads: TlsProxy;
  /** For objects at the destination. */
  writes: TlsProxy;
  liar: CrcLiar;
}

export type AllWires = Record<Exclude<Mode, "native">, Wires> & { close(): Promise<void> };

/** Starts the proxies. Call it before the first deployment. */
export async function startWires({ alicloud }: LocalClouds): Promise<AllWires> {
  const certificate = await ensureCertificate(DEFAULT_STATE_DIR);
  const endpoints = alicloud.endpoints;
  const start = async (readHost: string, writeHost: string): Promise<Wires> => {
    const liar = await startCrcLiar(endpoints[writeHost] ?? "", certificate);
    const reads = await startTlsProxy(endpoints[readHost] ?? "", certificate);
    const writes = await startTlsProxy(liar.origin, certificate);
    endpoints[readHost] = reads.origin;
    endpoints[writeHost] = writes.origin;
    return { reads, writes, liar };
  };
  const push = await start("oss-cn-shanghai-internal.aliyuncs.com", "oss-accelerate.aliyuncs.com");
  const pull = await start("oss-eu-central-1.aliyuncs.com", "oss-cn-hangzhou-internal.aliyuncs.com");
  // The bucket reports its public endpoint: presigned URLs may lead there.
  const open = alicloud.oss.endpoints["eu-central-1"];
  if (open !== undefined) open.public = pull.reads.origin.replace("//127.0.0.1:", "//localhost:");
  const all = [push, pull].flatMap(({ reads, writes, liar }) => [reads, writes, liar]);
  return { push, pull, close: async () => void (await Promise.all(all.map((one) => one.close()))) };
}

export async function deploy(clouds: LocalClouds, spec: BridgeSpec): Promise<Bridge> {
  const { name, mode, versioned } = spec;
  const side = (at: "source" | "destination", kmsKeyId: string) => ({
    cloud: "alicloud",
    region: REGIONS[mode][at],
    bucket: `ram-${name}-${at}`,
    versioning: versioned[at],
    kmsKeyId,
  });
  const local = await startLocalStack({
    stack: STACKS[mode],
    clouds,
    settings: {
      "crossborderbridge:name": name,
      "crossborderbridge:source": side("source", SOURCE_KEY),
      "crossborderbridge:destination": {
        ...side("destination", DESTINATION_KEY),
        // With a prefix, the bridge's own objects and the replicas are different resources.
        ...(mode === "native" ? {} : { prefix: PREFIX }),
        ...(mode === "push" ? { acceleration: "global" } : {}),
      },
      "crossborderbridge:scope": { prefixes: ["in/"] },
      "crossborderbridge:deletes": "replicate",
      // The probers run only when the test sends an event.
      "crossborderbridge:probe": { enabled: true, everyMinutes: 60 },
      ...(mode === "native"
        ? {}
        : {
            "crossborderbridge:statusTags": true,
            "crossborderbridge:inlineLimitBytes": MIB,
            // No copy waits for another one to end.
            "crossborderbridge:copy": { partSizeBytes: 5 * MIB, partsAtOnce: 2, concurrency: 7, timeoutSeconds: 60 },
            "crossborderbridge:timeouts": { receiverSeconds: 10, ...(mode === "pull" ? { senderSeconds: 60 } : {}) },
            // Most paths wait, and they are independent of each other.
            "crossborderbridge:concurrency": 8,
          }),
    },
  });
  const both = ends(local);
  return {
    ...spec,
    local,
    source: openPairEnd(both.source),
    destination: openPairEnd(both.destination),
    buckets: { source: both.source.bucket, destination: both.destination.bucket },
    events: mode === "native" ? NO_EVENTS : sourceEvents(local),
  };
}

const NO_EVENTS: SourceEvents = {
  repeat: () => Promise.reject(new Error("nothing of the bridge runs")),
  settled: () => Promise.resolve(),
  deadLetters: () => Promise.resolve([]),
  close: () => undefined,
};
