import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { OnProgress } from "../install-once";
import { DEFAULT_STATE_DIR, runsDir, toolsDir } from "../paths";
import { createRunDir } from "../run-dir";
import { ensureCertificate } from "./certificate";
import { installMinistack, type Ministack, type MinistackOptions, type Partition, startMinistack } from "./ministack";

export interface LocalPartition extends Ministack {
  /** PEM of the certificate that the endpoint shows. */
  caPath: string;
  /**
   * The account's root-like credentials. They pass every check, explicit denials included: prove a denial with an IAM user.
   */
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** Starts a new instance on the same port and data after `stop` or `kill`; this object then describes the new one. */
  restart(): Promise<void>;
}

export interface LocalAws {
  /** AWS Global: us-east-1, account 111111111111. */
  aws: LocalPartition;
  /** AWS China: cn-north-1, account 222222222222. */
  "aws-cn": LocalPartition;
  /** PEM; give it to clients as `NODE_EXTRA_CA_CERTS` or as an https agent's `ca`. */
  caPath: string;
  /** The run's own folder, removed by `stop`. */
  runDir: string;
  /** Resolves once both instances are gone and the run's folder is. */
  stop(): Promise<void>;
}

export interface LocalAwsOptions {
  /** @default `.local` at the repository root */
  stateDir?: string;
  /** Record every request in each partition's `callsPath`. */
  recordCalls?: boolean;
  /** How long a minute of an EventBridge rate takes, for tests that cannot wait for one. @default 60,000 */
  scheduleMinuteMs?: number;
  /** The region that each instance calls its own: S3 delivers events to queues and functions of that one. @default as above */
  regions?: Partial<Record<Partition, string>>;
  /** Keep state over `stop` and `restart` of one partition. */
  persist?: boolean;
  /** @default free ones */
  ports?: Partial<Record<Partition, number>>;
  onProgress?: OnProgress;
  /** Ends the start; whatever was started is stopped. */
  signal?: AbortSignal;
}

const ACCOUNTS = {
  aws: { region: "us-east-1", accountId: "111111111111" },
  "aws-cn": { region: "cn-north-1", accountId: "222222222222" },
} as const;

/** Starts both AWS partitions on this machine, isolated from each other, installing what is missing. */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const stateDir = options.stateDir ?? DEFAULT_STATE_DIR;
  const { onProgress, signal } = options;
  const [installation, tls] = await Promise.all([
    installMinistack({
      stateDir: toolsDir(stateDir),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    }),
    ensureCertificate(stateDir),
  ]);
  signal?.throwIfAborted();
  const runDir = await createRunDir(runsDir(stateDir));
  const started: LocalPartition[] = [];
  const stop = async () => {
    await Promise.all(started.map((partition) => partition.stop()));
    await rm(runDir, { recursive: true, force: true });
  };
  const start = async (partition: Partition) => {
    const port = options.ports?.[partition];
    const one = await startPartition({
      ...ACCOUNTS[partition],
      ...(options.regions?.[partition] === undefined ? {} : { region: options.regions[partition] }),
      installation,
      partition,
      tls,
      dataDir: join(runDir, partition),
      recordCalls: options.recordCalls ?? false,
      persist: options.persist ?? false,
      ...(options.scheduleMinuteMs === undefined ? {} : { scheduleMinuteMs: options.scheduleMinuteMs }),
      ...(port === undefined ? {} : { port }),
    });
    started.push(one);
    return one;
  };
  const [aws, china] = await Promise.allSettled([start("aws"), start("aws-cn")]);
  if (aws.status === "rejected" || china.status === "rejected") {
    await stop();
    throw aws.status === "rejected" ? aws.reason : (china as PromiseRejectedResult).reason;
  }
  return { aws: aws.value, "aws-cn": china.value, caPath: tls.certPath, runDir, stop };
}

async function startPartition(options: MinistackOptions): Promise<LocalPartition> {
  const first = await startMinistack(options);
  const partition: LocalPartition = {
    ...first,
    caPath: options.tls.certPath,
    // The emulator's own: with it presigned URLs hold, whose signatures it checks for every key.
    credentials: { accessKeyId: options.accountId, secretAccessKey: "test" },
    restart: async () => {
      // The address is in what was deployed, so it has to stay.
      Object.assign(partition, await startMinistack({ ...options, port: first.port }));
    },
  };
  return partition;
}
