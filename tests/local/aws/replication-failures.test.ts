/**
 * Compares the emulator's replication with S3: deletes, two-way replication and failures.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
 */
import {
  DeleteBucketCommand,
  DeleteBucketReplicationCommand,
  DeleteObjectCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectTaggingCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { CreateJobCommand, S3ControlClient } from "@aws-sdk/client-s3-control";
import { clientConfig } from "../../../local/aws/client-config";
import { arnOf, replicationSuite } from "./replication-fixture";

/** The differences of the emulator from S3. The local provider checks what it can check before a deployment. */
const { check, cloud, replication } = replicationSuite("S3 replication, deletes and failures", {
  "tag-changes": "a change of tags alone is not replicated",
  "replica-modifications": "changes of a replica's tags do not go back",
  "marker-second-rule": "a rule with a tag filter hides the next one from delete markers",
  role: "the role's policy is not asked for (the provider does, when the rules are put)",
  "versioning-state": "versions can be suspended under a replication configuration (the provider refuses)",
  "batch-operations": "S3 Control has no jobs",
});

describe("deletes", () => {
  const ENABLED = { DeleteMarkerReplication: { Status: "Enabled" as const } };

  check("marker", "a delete marker is replicated where the rule says so", async () => {
    for (const [rule, markers] of [
      [ENABLED, 1],
      [{}, 0],
    ] as const) {
      const [from, to] = await replication().pair(rule);
      await replication().put(from, "key");
      await replication().s3.send(new DeleteObjectCommand({ Bucket: from, Key: "key" }));
      expect(await replication().versions(from, "key")).toEqual({ versions: 1, markers: 1 });
      expect(await replication().versions(to, "key")).toEqual({ versions: 1, markers });
    }
  });

  check("marker-second-rule", "also when a rule for tags stands before that rule", async () => {
    const [from, to] = [await replication().bucket(), await replication().bucket()];
    const Destination = { Bucket: arnOf(to) };
    const tagged = { Filter: { Tag: { Key: "team", Value: "a" } }, Priority: 2, Destination };
    await replication().replicate(from, [tagged, { ...ENABLED, Priority: 1, Destination }]);
    await replication().put(from, "key");
    await replication().s3.send(new DeleteObjectCommand({ Bucket: from, Key: "key" }));
    expect(await replication().versions(to, "key")).toEqual({ versions: 1, markers: 1 });
  });

  check("version-delete", "the deletion of a version never is", async () => {
    const [from, to] = await replication().pair(ENABLED);
    const VersionId = await replication().put(from, "key");
    await replication().s3.send(new DeleteObjectCommand({ Bucket: from, Key: "key", VersionId }));
    expect(await replication().versions(from, "key")).toEqual({ versions: 0, markers: 0 });
    expect(await replication().versions(to, "key")).toEqual({ versions: 1, markers: 0 });
  });
});

describe("two-way replication and more buckets", () => {
  check("bounce", "replicas and their delete markers do not come back", async () => {
    const [a, b] = [await replication().bucket(), await replication().bucket()];
    const DeleteMarkerReplication = { Status: "Enabled" as const };
    const SourceSelectionCriteria = { ReplicaModifications: { Status: "Enabled" as const } };
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const)
      await replication().replicate(from, [
        { DeleteMarkerReplication, SourceSelectionCriteria, Destination: { Bucket: arnOf(to) } },
      ]);
    await replication().put(a, "from-a");
    await replication().put(b, "from-b");
    await replication().s3.send(new DeleteObjectCommand({ Bucket: a, Key: "from-a" }));
    for (const bucket of [a, b]) {
      expect(await replication().versions(bucket, "from-a")).toEqual({ versions: 1, markers: 1 });
      expect(await replication().versions(bucket, "from-b")).toEqual({ versions: 1, markers: 0 });
    }
    expect([await replication().status(b, "from-b"), await replication().status(a, "from-b")]).toEqual(["COMPLETED", "REPLICA"]);
    await replication().put(b, "from-a", { Body: "new" });
    expect([await replication().status(b, "from-a"), await replication().status(a, "from-a")]).toEqual(["COMPLETED", "REPLICA"]);
  });

  check("chain", "a replica is not replicated on", async () => {
    const [a, b, c] = [await replication().bucket(), await replication().bucket(), await replication().bucket()];
    await replication().replicate(a, [{ Destination: { Bucket: arnOf(b) } }]);
    await replication().replicate(b, [{ Destination: { Bucket: arnOf(c) } }]);
    await replication().put(a, "key");
    expect([await replication().status(b, "key"), await replication().status(c, "key")]).toEqual(["REPLICA", "absent"]);
  });

  check("tag-changes", "a changed tag reaches the replica", async () => {
    const [from, to] = await replication().pair();
    await replication().put(from, "key", { Tagging: "state=old" });
    await retag(from);
    expect(await replication().tags(to, "key")).toEqual({ state: "new" });
  });

  check("replica-modifications", "with replica modifications a replica's changed tag reaches its source", async () => {
    const [a, b] = [await replication().bucket(), await replication().bucket()];
    const SourceSelectionCriteria = { ReplicaModifications: { Status: "Enabled" as const } };
    await replication().replicate(a, [{ SourceSelectionCriteria, Destination: { Bucket: arnOf(b) } }]);
    await replication().replicate(b, [{ SourceSelectionCriteria, Destination: { Bucket: arnOf(a) } }]);
    await replication().put(a, "key", { Tagging: "state=old" });
    await retag(b);
    expect(await replication().tags(a, "key")).toEqual({ state: "new" });
  });

  check("other-account", "a bucket of another account has to let the role in", async () => {
    const accountId = "333333333333";
    const theirs = new S3Client(clientConfig(cloud(), { ...cloud().credentials, accessKeyId: accountId }));
    const [from, to] = [await replication().bucket(), await replication().bucket(theirs)];
    const Destination = { Bucket: arnOf(to), Account: accountId, AccessControlTranslation: { Owner: "Destination" as const } };
    await replication().replicate(from, [{ Destination }]);
    await replication().put(from, "refused");
    expect(await replication().status(from, "refused")).toBe("FAILED");
    const Principal = { AWS: `arn:aws:iam::${cloud().accountId}:role/replication` };
    const Action = ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"];
    const Statement = [{ Effect: "Allow", Principal, Action, Resource: `${arnOf(to)}/*` }];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await theirs.send(new PutBucketPolicyCommand({ Bucket: to, Policy }));
    await replication().put(from, "let-in");
    expect(await replication().status(from, "let-in")).toBe("COMPLETED");
    expect(await replication().status(to, "let-in", theirs)).toBe("REPLICA");
    theirs.destroy();
  });
});

describe("failures", () => {
  check(
    "failed",
    "FAILED without a destination that keeps versions, and COMPLETED when it is written again after that",
    async () => {
      const [from, to] = await replication().pair();
      await replication().version(to, "Suspended");
      await replication().put(from, "key");
      expect(await replication().status(from, "key")).toBe("FAILED");
      await replication().version(to, "Enabled");
      await replication().touch(from, "key");
      expect(await replication().status(from, "key")).toBe("COMPLETED");
      await replication().s3.send(
        new DeleteObjectCommand({ Bucket: to, Key: "key", VersionId: (await replication().head(to, "key")).VersionId }),
      );
      await replication().s3.send(new DeleteBucketCommand({ Bucket: to }));
      await replication().put(from, "key");
      expect(await replication().status(from, "key")).toBe("FAILED");
    },
  );

  check("role", "FAILED with a role that may not read or write", async () => {
    const [from] = await replication().pair();
    await replication().put(from, "key");
    expect(await replication().status(from, "key")).toBe("FAILED");
  });

  check("versioning-state", "the source keeps its versions while it replicates", async () => {
    const [Bucket] = await replication().pair();
    const suspend = new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } });
    await expect(replication().s3.send(suspend)).rejects.toMatchObject({ name: "InvalidBucketState" });
    await replication().s3.send(new DeleteBucketReplicationCommand({ Bucket }));
    await replication().s3.send(suspend);
  });

  check("batch-operations", "S3 Batch Operations replicate what is there", async () => {
    const control = new S3ControlClient({ ...clientConfig(cloud()), endpoint: "https://localhost" });
    // The client adds the account to the host name, and the result does not resolve here.
    control.middlewareStack.add((next) => (args) => next({ ...args, request: Object.assign(args.request as object, here) }), {
      step: "build",
    });
    const here = { hostname: "127.0.0.1", port: cloud().port };
    const [from] = await replication().pair();
    const AccountId = cloud().accountId;
    const S3JobManifestGenerator = {
      SourceBucket: arnOf(from),
      EnableManifestOutput: false,
      Filter: { EligibleForReplication: true },
    };
    const job = new CreateJobCommand({
      AccountId,
      ClientRequestToken: "token",
      Operation: { S3ReplicateObject: {} },
      ManifestGenerator: { S3JobManifestGenerator },
      Report: { Enabled: false },
      Priority: 1,
      RoleArn: `arn:aws:iam::${AccountId}:role/backfill`,
    });
    expect((await control.send(job)).JobId).toEqual(expect.any(String));
  });
});

async function retag(Bucket: string): Promise<void> {
  const Tagging = { TagSet: [{ Key: "state", Value: "new" }] };
  await replication().s3.send(new PutObjectTaggingCommand({ Bucket, Key: "key", Tagging }));
}
