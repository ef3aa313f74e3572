/** Starts a native stack and reads its buckets from outside. */
import {
  GetBucketReplicationCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  type ReplicationRule,
} from "@aws-sdk/client-s3";
import type { LocalClouds } from "../../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../../local/local-stack";
import { errorName } from "../../../local/provider/aws/context";
import { registerStatus } from "../../../operator/status/command";
import { runBridge } from "./bridge-command";
import { eventually } from "./eventually";
import { put } from "./objects";
import { openEnds, type TestEnd } from "./stack";

export interface NativeStack {
  readonly local: LocalStack;
  readonly source: TestEnd;
  readonly destination: TestEnd;
  /** Runs `npm run bridge -- status --json` and parses each line. */
  status(...args: string[]): Promise<{ exitCode: number; printed: unknown[]; noted: string[] }>;
  stop(): Promise<void>;
}

/** Starts the stack without the latency probe: its functions take most of the deployment time and have their own tests. */
export async function startNativeStack(
  stack: string,
  clouds: LocalClouds,
  settings: Record<string, unknown> = {},
): Promise<NativeStack> {
  const local = await startLocalStack({ stack, clouds, settings: { "crossborderbridge:probe": {}, ...settings } });
  const { source, destination } = openEnds(local);
  return {
    local,
    source,
    destination,
    async status(...args) {
      const run = await runBridge(registerStatus, local, stack, ["status", "--json", ...args]);
      return { ...run, printed: run.printed.map((line) => JSON.parse(line) as unknown) };
    },
    async stop() {
      for (const { s3 } of [source, destination]) s3.destroy();
      await local.stop();
    },
  };
}

/** Versions of one key in a bucket. */
export interface History {
  /** `<body> <replication status>` of each version, newest first. The status is NONE if S3 returns none. */
  versions: string[];
  markers: number;
  /** Whether the newest version is an object, not a delete marker. */
  visible: boolean;
}

export async function history({ s3, bucket: Bucket }: TestEnd, Key: string): Promise<History> {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key }));
  const ofKey = Versions.filter((version) => version.Key === Key);
  const texts = ofKey.map(async ({ VersionId }) => {
    const { Body, ReplicationStatus = "NONE" } = await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }));
    return `${await Body?.transformToString()} ${ReplicationStatus}`;
  });
  return {
    versions: await Promise.all(texts),
    markers: DeleteMarkers.filter((marker) => marker.Key === Key).length,
    visible: ofKey.some(({ IsLatest }) => IsLatest),
  };
}

/** Waits until the bucket has exactly these versions of the key, as in `History`, and no delete marker. */
export async function arrives(end: TestEnd, key: string, versions: string[]): Promise<void> {
  await eventually(async () => expect(await history(end, key)).toEqual({ versions, markers: 0, visible: true }), {
    deadlineMs: 60_000,
    what: `${key} is in ${end.bucket}`,
  });
}

/** `x-amz-replication-status` of the current version; "absent" if no object is visible. */
export async function statusOf({ s3, bucket: Bucket }: TestEnd, Key: string): Promise<string> {
  try {
    return (await s3.send(new HeadObjectCommand({ Bucket, Key }))).ReplicationStatus ?? "NONE";
  } catch (error) {
    if (errorName(error) === "NotFound") return "absent";
    throw error;
  }
}

let legs = 0;

/**
 * Sends an object from each end of the route to the next and waits until it arrives. Earlier objects have arrived by then, also those that
 * would be sent back.
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

/** Replication rules of a bucket; undefined if it does not replicate. */
export async function rulesOf({ s3, bucket: Bucket }: TestEnd): Promise<ReplicationRule[] | undefined> {
  try {
    const { ReplicationConfiguration } = await s3.send(new GetBucketReplicationCommand({ Bucket }));
    return ReplicationConfiguration?.Rules ?? [];
  } catch (error) {
    if (errorName(error) === "ReplicationConfigurationNotFoundError") return undefined;
    throw error;
  }
}
