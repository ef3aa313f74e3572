import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { OnProgress } from "../install-once";
import { createRunDir, DEFAULT_STATE_DIR, runsDir, toolsDir } from "../paths";
import { ensureCertificate } from "./certificate";
import { installMinistack, type Ministack, type MinistackOptions, type Partition, startMinistack } from "./ministack";

export interface LocalPartition extends Ministack {
  /** PEM of the endpoint's certificate. */
  caPath: string;
  /**
   * The account's root. The emulator allows it everything, even against an explicit denial: test a denial with an IAM user.
   */
  credentials: { accessKeyId: string; secretAccessKey: string };
  /** After `stop` or `kill`: starts a new instance on the same port and data. This object then describes the new one. */
  restart(): Promise<void>;
}

export interface LocalAws {
  /** AWS Global: us-east-1, account 111111111111. */
  aws: LocalPartition;
  /** AWS China: cn-north-1, account 222222222222. */
  "aws-cn": LocalPartition;
  /** PEM; give it to clients as `NODE_EXTRA_CA_CERTS` or as an https agent's `ca`. */
  caPath: string;
  /** Folder of this run. `stop` removes it. */
  runDir: string;
  /** Resolves once both instances have exited and the run's folder is removed. */
  stop(): Promise<void>;
}

export interface LocalAwsOptions {
  /** @default `.local` at the repository root */
  stateDir?: string;
  /** Record every request in each partition's `callsPath`. */
  recordCalls?: boolean | undefined;
  /** The real length of a minute in schedule rates. @default 60_000 */
  scheduleMinuteMs?: number | undefined;
  /** The home region of each instance. S3 delivers events to queues and functions of that region only. @default as above */
  regions?: Partial<Record<Partition, string>> | undefined;
  /** Keep the state of a partition across `stop` and `restart`. */
  persist?: boolean | undefined;
  /** @default free ones */
  ports?: Partial<Record<Partition, number>>;
  onProgress?: OnProgress | undefined;
  /** Aborts the start and stops what was started. */
  signal?: AbortSignal | undefined;
}

const ACCOUNTS = {
  aws: { region: "us-east-1", accountId: "111111111111" },
  "aws-cn": { region: "cn-north-1", accountId: "222222222222" },
} as const;

/** Starts both AWS partitions, isolated from each other. Installs missing tools. */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const stateDir = options.stateDir ?? DEFAULT_STATE_DIR;
  const { onProgress, signal } = options;
  const [installation, tls] = await Promise.all([
    installMinistack({ stateDir: toolsDir(stateDir), onProgress, signal }),
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
    const one = await startPartition({
      accountId: ACCOUNTS[partition].accountId,
      // With a known secret any page that finds the port could sign.
      rootSecret: randomBytes(20).toString("hex"),
      region: options.regions?.[partition] ?? ACCOUNTS[partition].region,
      installation,
      partition,
      tls,
      dataDir: join(runDir, partition),
      recordCalls: options.recordCalls,
      persist: options.persist,
      scheduleMinuteMs: options.scheduleMinuteMs,
      port: options.ports?.[partition],
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

async function startPartition(options: MinistackOptions & { rootSecret: string }): Promise<LocalPartition> {
  const first = await startMinistack(options);
  const partition: LocalPartition = {
    ...first,
    caPath: options.tls.certPath,
    credentials: { accessKeyId: options.accountId, secretAccessKey: options.rootSecret },
    restart: async () => {
      // Deployed resources hold the address.
      Object.assign(partition, await startMinistack({ ...options, port: first.port }));
    },
  };
  return partition;
}
