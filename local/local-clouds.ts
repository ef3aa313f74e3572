/** Starts the local clouds that a stack needs. */
import { type LocalAlicloud, startLocalAlicloud } from "local-alicloud";
import { ensureCertificate } from "./aws/certificate";
import { type LocalAws, type LocalPartition, startLocalAws } from "./aws/local-aws";
import { createClosers, settled } from "./closers";
import type { OnProgress } from "./install-once";
import { createRunDir, DEFAULT_STATE_DIR, runsDir } from "./paths";
import type { AlicloudAccount } from "./provider/alicloud/account";

export const LOCAL_CLOUDS = ["aws", "aws-cn", "alicloud"] as const;
export type CloudName = (typeof LOCAL_CLOUDS)[number];

export interface LocalClouds {
  /** @throws Error when this cloud was not started, as do the others */
  readonly aws: LocalPartition;
  readonly "aws-cn": LocalPartition;
  readonly alicloud: LocalAlicloud;
  has(cloud: CloudName): boolean;
  /** PEM of the certificate of all endpoints. */
  readonly caPath: string;
  /** Folder of this run. `stop` removes it. */
  readonly runDir: string;
  /** How long, in ms, new roles, users, attachments of policies and log stores stay unknown to other services. */
  readonly propagationMs: number;
  /** Resolves to the first cloud whose process ends. The local Alibaba Cloud runs in this process. */
  readonly ended: Promise<CloudName>;
  stop(): Promise<void>;
}

export interface LocalCloudsOptions {
  clouds: readonly CloudName[];
  /** @default `.local` at the repository root */
  stateDir?: string;
  /** Record the requests: in `callsPath` of each AWS partition, and in `alicloud.calls`. */
  recordCalls?: boolean | undefined;
  /** Regions of the AWS partitions. @default us-east-1 and cn-north-1 */
  regions?: { aws?: string; "aws-cn"?: string };
  /** The real length of a minute in the rates of schedules. @default the environment variable SCHEDULE_MINUTE_MS, or 60_000 */
  scheduleMinuteMs?: number | undefined;
  /** OSS refuses objects of the mainland at its public hosts, as for accounts that activated OSS since 2025-03-20. @default false */
  blockMainlandPublicData?: boolean | undefined;
  /** Keep the state of an AWS partition across its restart. */
  persist?: boolean | undefined;
  /** See `LocalClouds`. @default the environment variable PROPAGATION_MS, or 0 */
  propagationMs?: number | undefined;
  onProgress?: OnProgress | undefined;
  /** Aborts the start and stops what was started. */
  signal?: AbortSignal | undefined;
}

/** Starts both AWS partitions when one of them is wanted. */
export async function startLocalClouds({
  clouds,
  stateDir = DEFAULT_STATE_DIR,
  ...options
}: LocalCloudsOptions): Promise<LocalClouds> {
  const wants = (...names: CloudName[]) => names.some((name) => clouds.includes(name));
  const closers = createClosers();
  const closed = <T extends { stop(): Promise<void> }>(started: T): T => {
    closers.add(() => started.stop());
    return started;
  };
  const { propagationMs = millisecondsIn("PROPAGATION_MS") ?? 0, scheduleMinuteMs = millisecondsIn("SCHEDULE_MINUTE_MS") } =
    options;
  try {
    const [aws, alicloud] = await settled(
      wants("aws", "aws-cn") ? startLocalAws({ stateDir, ...options, scheduleMinuteMs }).then(closed) : undefined,
      wants("alicloud") ? startAlicloud(stateDir, { ...options, propagationMs, scheduleMinuteMs }).then(closed) : undefined,
    );
    return localClouds(aws, alicloud, { propagationMs, stop: closers.closeAll });
  } catch (error) {
    return closers.closeAfter(error);
  }
}

/** Undefined for a variable that is not set. @throws Error for a text that is no whole number of milliseconds */
function millisecondsIn(variable: "PROPAGATION_MS" | "SCHEDULE_MINUTE_MS"): number | undefined {
  const text = process.env[variable];
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`${variable} is ${JSON.stringify(text)}: it must be a whole number of milliseconds, such as 5000`);
}

async function startAlicloud(
  stateDir: string,
  options: Pick<LocalCloudsOptions, "recordCalls" | "scheduleMinuteMs" | "propagationMs" | "blockMainlandPublicData">,
): Promise<LocalAlicloud> {
  return startLocalAlicloud({
    certificate: await ensureCertificate(stateDir),
    runDir: await createRunDir(runsDir(stateDir)),
    recordCalls: options.recordCalls,
    scheduleMinuteMs: options.scheduleMinuteMs,
    propagationMs: options.propagationMs,
    blockMainlandPublicData: options.blockMainlandPublicData,
    // A local stack has no DNS, so each domain counts as the account's own.
    ownsDomain: () => true,
    // The functions of a bridge read the vendor's endpoints from this variable.
    functionEnvironment: (endpoints) => ({ CROSSBORDERBRIDGE_ENDPOINTS: JSON.stringify(endpoints) }),
  });
}

/** What a client of the local Alibaba Cloud needs: where it is, and the key of the account's root. */
export const alicloudAccount = ({ endpoints, caPath, ram }: LocalAlicloud): AlicloudAccount => ({
  endpoints,
  caPath,
  credentials: ram.root,
});

function localClouds(
  aws: LocalAws | undefined,
  alicloud: LocalAlicloud | undefined,
  shared: Pick<LocalClouds, "propagationMs" | "stop">,
): LocalClouds {
  const started = <T>(name: CloudName, cloud: T | undefined): T => {
    if (cloud === undefined) throw new Error(`the local ${name} was not started: no side of the stack is in it`);
    return cloud;
  };
  const first = started<LocalAws | LocalAlicloud>("aws", aws ?? alicloud);
  return {
    get aws() {
      return started("aws", aws).aws;
    },
    get "aws-cn"() {
      return started("aws-cn", aws)["aws-cn"];
    },
    get alicloud() {
      return started("alicloud", alicloud);
    },
    has: (cloud) => (cloud === "alicloud" ? alicloud : aws) !== undefined,
    caPath: first.caPath,
    runDir: first.runDir,
    ended: firstToEnd(aws),
    ...shared,
  };
}

function firstToEnd(aws: LocalAws | undefined): Promise<CloudName> {
  if (aws === undefined) return new Promise(() => undefined);
  return Promise.race((["aws", "aws-cn"] as const).map((name) => aws[name].exited.then(() => name)));
}
