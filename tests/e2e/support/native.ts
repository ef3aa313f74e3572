/** A stack whose buckets S3 itself keeps in step, seen from outside. */
import { DeleteObjectCommand, GetBucketReplicationCommand, GetObjectCommand, HeadObjectCommand, ListObjectVersionsCommand, type ReplicationRule, S3Client } from "@aws-sdk/client-s3";
import { clientConfig } from "../../../local/aws/client-config";
import { ends } from "../../../local/cli/ends";
import type { LocalClouds } from "../../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../../local/local-stack";
import { errorName } from "../../../local/provider/aws/context";
import { registerStatus } from "../../../operator/status/command";
import { runBridge } from "./bridge-command";
import { eventually } from "./eventually";
import { put } from "./objects";
import type { TestEnd } from "./stack";

export interface NativeStack {
  readonly local: LocalStack;
  readonly source: TestEnd;
  readonly destination: TestEnd;
  /** What `npm run bridge -- status` says, a value for each line. */
  status(...args: string[]): Promise<{ exitCode: number; printed: unknown[]; noted: string[] }>;
  stop(): Promise<void>;
}

/** Without the latency probe, whose functions take most of a deployment's time and have tests of their own. */
export async function startNativeStack(
  stack: string,
  clouds: LocalClouds,
  settings: Record<string, unknown> = {},
): Promise<NativeStack> {
  const local = await startLocalStack({ stack, clouds, settings: { "crossborderbridge:probe": {}, ...settings } });
  const { source, destination } = ends(local);
  const sides = [source, destination].map(({ cloud: name, region, bucket, prefix }) => {
    if (name === "alicloud") throw new Error("this fixture is for bridges inside a partition of AWS");
    const cloud = local.clouds[name];
    return { cloud, bucket, prefix, s3: new S3Client({ ...clientConfig(cloud), region }) };
  }) as [TestEnd, TestEnd];
  return {
    local,
    source: sides[0],
    destination: sides[1],
    async status(...args) {
      const run = await runBridge(registerStatus, local, stack, ["status", "--json", ...args]);
      return { ...run, printed: run.printed.map((line) => JSON.parse(line) as unknown) };
    },
    async stop() {
      for (const { s3 } of sides) s3.destroy();
      await local.stop();
    },
  };
}

/** What a bucket keeps of one key. */
export interface History {
  /** `<body> <replication status>` of each version, newest first; the status is NONE where S3 tells of none. */
  versions: string[];
  markers: number;
  /** Whether the newest of all is an object. */
  visible: boolean;
}

export async function history({ s3, bucket: Bucket }: TestEnd, Key: string): Promise<History> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  const ofKey = Versions.filter((version) => version.Key === Key);
  const told = ofKey.map(async ({ VersionId }) => {
    const { Body, ReplicationStatus = "NONE" } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    return `${await Body?.transformToString()} ${ReplicationStatus}`;
  });
  return {
    versions: await Promise.all(told),
    markers: DeleteMarkers.filter((marker) => marker.Key === Key).length,
    visible: ofKey.some(({ IsLatest }) => IsLatest),
  };
}

/** Waits until the bucket keeps exactly these versions of the key, as in `History`, and no delete marker. */
export async function arrives(end: TestEnd, key: string, versions: string[]): Promise<void> {
  await eventually(async () => expect(await history(end, key)).toEqual({ versions, markers: 0, visible: true }), {
    deadlineMs: 60_000,
    what: `${key} is in ${end.bucket}`,
  });
}

/** `x-amz-replication-status` of the current version; "absent" where none is visible. */
export async function statusOf({ s3, bucket: Bucket }: TestEnd, Key: string): Promise<string> {
  try {
    return (await s3.send(new HeadObjectCommand({ Bucket, Key }))).ReplicationStatus ?? "NONE";
  } catch (error) {
    if (errorName(error) === "NotFound") return "absent";
    throw error;
  }
}

/** Deletes without a version: a delete marker remains. */
export async function remove({ s3, bucket: Bucket }: TestEnd, Key: string, VersionId?: string): Promise<void> {
  await s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }));
}

let legs = 0;

/**
 * Sends an object through each leg after the other and waits for each to arrive: what was on its way before, and would come back,
 * is there by then.
 */
export async function settled(...route: TestEnd[]): Promise<void> {
  for (const [index, to] of route.entries()) {
    const from = route[index - 1];
    if (from === undefined) continue;
    const key = `settled/${++legs}`;
    await put(from, key, "after everything else");
    await eventually(async () => expect(await statusOf(to, key)).toBe("REPLICA"), {
      deadlineMs: 60_000,
      what: `${key} is in ${to.bucket}`,
    });
  }
}

/** Undefined for a bucket that does not replicate. */
export async function rulesOf({ s3, bucket: Bucket }: TestEnd): Promise<ReplicationRule[] | undefined> {
  try {
    const { ReplicationConfiguration } = await s3.send(new GetBucketReplicationCommand({ Bucket }));
    return ReplicationConfiguration?.Rules ?? [];
  } catch (error) {
    if (errorName(error) === "ReplicationConfigurationNotFoundError") return undefined;
    throw error;
  }
}
