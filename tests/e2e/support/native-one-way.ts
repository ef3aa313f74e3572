/** Tests of `Pulumi.one-way.yaml`. native.test.ts runs them on its clouds. */
import {
  CreateBucketCommand,
  DeleteBucketReplicationCommand,
  GetBucketLifecycleConfigurationCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
} from "@aws-sdk/client-s3";
import type { LocalClouds } from "../../../local/local-clouds";
import { eventually } from "./eventually";
import { arrives, type NativeStack, settled, startNativeStack, statusOf } from "./native";
import { GONE, leftovers } from "./native-leftovers";
import { head, listKeys, put } from "./objects";
import { START_MS, started, type TestEnd, UP_MS } from "./stack";

export function oneWayTests(clouds: () => LocalClouds): void {
  const REGIONS = ["cn-north-1", "cn-northwest-1"];
  let stack: NativeStack | undefined;
  const running = (): NativeStack => started(stack);

  beforeAll(async () => {
    stack = await startNativeStack("one-way", clouds());
  }, START_MS);

  afterAll(() => stack?.stop());

  test("applies the matching rule with the highest priority", async () => {
    const { source, destination } = running();
    const classes: Record<string, [tagging: string, storageClass: string | undefined]> = {
      plain: ["temperature=warm", undefined],
      "logs/plain": ["", "STANDARD_IA"],
      cold: ["temperature=cold", "GLACIER_IR"],
      "logs/cold": ["temperature=cold&more=1", "GLACIER_IR"],
    };
    for (const [key, [Tagging]] of Object.entries(classes)) await put(source, key, key, Tagging === "" ? {} : { Tagging });
    for (const [key, [, storageClass]] of Object.entries(classes)) {
      await arrives(destination, key, [`${key} REPLICA`]);
      const replica = await head(destination, key);
      expect([key, replica.StorageClass]).toEqual([key, storageClass]);
      expect([key, await statusOf(source, key)]).toEqual([key, "COMPLETED"]);
    }
  });

  test("does not replicate objects that are written at the destination", async () => {
    const { source, destination } = running();
    await put(destination, "theirs", "written there");
    await settled(source, destination);
    expect(await listKeys(source)).not.toContain("theirs");
    await arrives(destination, "theirs", ["written there NONE"]);
  });

  test("has replicas that a replication of the destination does not replicate again", async () => {
    const { local, source, destination } = running();
    const third = { ...destination, bucket: "example-one-way-third" };
    const { s3 } = third;
    const CreateBucketConfiguration = { LocationConstraint: "cn-northwest-1" } as const;
    await s3.send(new CreateBucketCommand({ Bucket: third.bucket, CreateBucketConfiguration }));
    const VersioningConfiguration = { Status: "Enabled" } as const;
    await s3.send(new PutBucketVersioningCommand({ Bucket: third.bucket, VersioningConfiguration }));
    const { replicationRoleArn } = local.outputs as unknown as { replicationRoleArn: string };
    const Rules = [
      {
        ID: "on",
        Priority: 1,
        Status: "Enabled",
        Filter: {},
        DeleteMarkerReplication: { Status: "Disabled" },
        // The local cloud uses the partition aws in ARNs.
        Destination: { Bucket: `arn:aws:s3:::${third.bucket}` },
      } as const,
    ];
    const ReplicationConfiguration = { Role: replicationRoleArn.replace("arn:aws-cn:", "arn:aws:"), Rules };
    await s3.send(new PutBucketReplicationCommand({ Bucket: destination.bucket, ReplicationConfiguration }));
    await put(source, "two-legs", "1");
    await arrives(destination, "two-legs", ["1 REPLICA"]);
    await settled(destination, third);
    expect(await statusOf(third, "two-legs")).toBe("absent");
    await s3.send(new DeleteBucketReplicationCommand({ Bucket: destination.bucket }));
  });

  test("has the lifecycle rules of its settings at the destination, and the bridge's own rules", async () => {
    const { source, destination } = running();
    const rules = async ({ s3, bucket: Bucket }: TestEnd) => {
      const { Rules = [] } = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }));
      return Rules;
    };
    const own = ["abort-abandoned-uploads", "expire-bridge-records"];
    expect((await rules(source)).map(({ ID }) => ID)).toEqual(own);
    expect((await rules(destination)).map(({ ID }) => ID)).toEqual([...own, "old-logs"]);
    expect((await rules(destination)).at(-1)).toEqual({
      ID: "old-logs",
      Status: "Enabled",
      Filter: { Prefix: "logs/" },
      Expiration: { Days: 730 },
      NoncurrentVersionExpiration: { NoncurrentDays: 30 },
      Transitions: [{ Days: 90, StorageClass: "GLACIER_IR" }],
    });
  });

  test("marks an object that the destination does not accept as FAILED, and `status` lists it", async () => {
    const { source, destination } = running();
    const { s3, bucket: Bucket } = destination;
    const keepsVersions = (Status: "Enabled" | "Suspended") =>
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
    await put(source, "refusals/before", "1");
    await arrives(destination, "refusals/before", ["1 REPLICA"]);
    await keepsVersions("Suspended");
    await put(source, "refusals/refused", "22");
    await eventually(async () => expect(await statusOf(source, "refusals/refused")).toBe("FAILED"), {
      deadlineMs: 60_000,
      what: "S3 stops trying",
    });
    expect(await statusOf(destination, "refusals/refused")).toBe("absent");
    expect(await running().status("--prefix", "refusals/")).toMatchObject({
      exitCode: 1,
      printed: [{ objects: 2, statuses: { COMPLETED: { objects: 1, bytes: 1 }, FAILED: { objects: 1, bytes: 2 } } }],
    });
    expect(await running().status("--failed")).toMatchObject({
      exitCode: 1,
      printed: [{ key: "refusals/refused", status: "FAILED", reason: expect.stringContaining("gave it up") }],
    });
    expect(await running().status("--side", "destination")).toMatchObject({
      exitCode: 2,
      noted: ["nothing is replicated from the destination of one-way: it is a one-way bridge"],
    });
    await keepsVersions("Enabled");
    await put(source, "refusals/refused", "333");
    await arrives(destination, "refusals/refused", ["333 REPLICA"]);
    expect(await running().status("--failed")).toMatchObject({ exitCode: 0, printed: [] });
  });

  test(
    "leaves nothing after `pulumi destroy`: buckets, role and alarms of both regions are deleted",
    async () => {
      const { local, source, destination } = running();
      const before = await leftovers(source.cloud, REGIONS);
      const alarms = (what: string) => [1, 2, 3].map((priority) => `crossborderbridge-one-way-replication-${priority}-${what}`);
      expect(before).toEqual({
        ...GONE,
        buckets: [source.bucket, destination.bucket, "example-one-way-third"].sort(),
        roles: { "crossborderbridge-one-way-replication": ["replication"] },
        alarms: { "cn-north-1": alarms("failures"), "cn-northwest-1": alarms("lag") },
      });
      await local.destroy();
      const after = { ...GONE, buckets: ["example-one-way-third"], alarms: { "cn-north-1": [], "cn-northwest-1": [] } };
      expect(await leftovers(source.cloud, REGIONS)).toEqual(after);
    },
    UP_MS,
  );
}
