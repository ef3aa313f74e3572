/**
 * Compares the emulator's replication with S3: which objects it copies, and by which rule.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
 */
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAclCommand,
  PutBucketOwnershipControlsCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { arnOf, replicationSuite } from "./replication-fixture";

/** The differences of the emulator from S3. The local provider checks what it can check before a deployment. */
const { check, cloud, replication } = replicationSuite("S3 replication, what and when", {
  "version-ids": "a replica gets a version id of its own",
  acl: "ACLs are not copied",
  "sse-kms": "objects under KMS are replicated whatever the rule says",
  "sse-kms-key": "a replica names the key of its source, not the rule's",
  priority: "the first matching rule wins, whatever its priority (the provider puts them in order)",
  "several-destinations": "only the first matching rule counts, not one for each destination",
});

describe("copies", () => {
  check("status", "the source says COMPLETED, its replica REPLICA, each version too", async () => {
    const [from, to] = await replication().pair();
    const version = await replication().put(from, "a b/ü+c");
    expect(await replication().status(from, "a b/ü+c")).toBe("COMPLETED");
    expect(await replication().status(to, "a b/ü+c")).toBe("REPLICA");
    expect((await replication().head(from, "a b/ü+c", version)).ReplicationStatus).toBe("COMPLETED");
  });

  check("attributes", "headers, metadata, tags and the time of the source", async () => {
    const [from, to] = await replication().pair();
    const more = {
      ContentType: "text/css",
      CacheControl: "no-store",
      Metadata: { colour: "blue" },
      Tagging: "team=a&kind=b%20c",
    };
    await replication().put(from, "key", more);
    const [source, replica] = [await replication().head(from, "key"), await replication().head(to, "key")];
    expect(replica).toMatchObject({ ContentType: "text/css", CacheControl: "no-store", Metadata: { colour: "blue" } });
    expect(replica.ETag).toBe(source.ETag);
    expect(replica.LastModified).toEqual(source.LastModified);
    expect(await replication().tags(to, "key")).toEqual({ team: "a", kind: "b c" });
  });

  check("version-ids", "the version id of the source", async () => {
    const [from, to] = await replication().pair();
    const version = await replication().put(from, "key");
    expect((await replication().head(to, "key")).VersionId).toBe(version);
  });

  check("acl", "the ACL, where buckets have any", async () => {
    const [from, to] = await replication().pair();
    for (const Bucket of [from, to]) {
      const OwnershipControls = { Rules: [{ ObjectOwnership: "ObjectWriter" as const }] };
      await replication().s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
    }
    await replication().put(from, "key", { GrantRead: `id="${"ab".repeat(32)}"` });
    const { Grants = [] } = await replication().s3.send(new GetObjectAclCommand({ Bucket: to, Key: "key" }));
    expect(Grants.map((grant) => grant.Permission)).toContain("READ");
  });

  check("storage-class", "the rule's storage class, else the object's own", async () => {
    const [from, to] = await replication().pair({}, "STANDARD_IA");
    await replication().put(from, "key");
    expect((await replication().head(to, "key")).StorageClass).toBe("STANDARD_IA");
    const [other, kept] = await replication().pair();
    await replication().put(other, "key", { StorageClass: "GLACIER_IR" });
    expect((await replication().head(kept, "key")).StorageClass).toBe("GLACIER_IR");
  });

  check("upload", "an upload in parts", async () => {
    const [Bucket, to] = await replication().pair();
    expect(await upload(Bucket, {})).toBe("COMPLETED");
    expect(await replication().status(to, "upload")).toBe("REPLICA");
  });

  check("upload-tags", "an upload in parts whose tags a rule asks for", async () => {
    const [Bucket] = await replication().pair({ Filter: { Tag: { Key: "team", Value: "a" } } });
    expect(await upload(Bucket, { Tagging: "team=a" })).toBe("COMPLETED");
  });

  check("sse-kms", "no object under KMS unless the rule selects them", async () => {
    const [from, to] = await replication().pair();
    await replication().put(from, "key", { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey("1") });
    expect(await replication().status(to, "key")).toBe("absent");
  });

  check("sse-kms-key", "objects under KMS with the rule's key, where it selects them", async () => {
    const [from, to] = [await replication().bucket(), await replication().bucket()];
    const SourceSelectionCriteria = { SseKmsEncryptedObjects: { Status: "Enabled" as const } };
    const Destination = { Bucket: arnOf(to), EncryptionConfiguration: { ReplicaKmsKeyID: kmsKey("2") } };
    await replication().replicate(from, [{ SourceSelectionCriteria, Destination }]);
    await replication().put(from, "key", { ServerSideEncryption: "aws:kms", SSEKMSKeyId: kmsKey("1") });
    expect(await replication().status(to, "key")).toBe("REPLICA");
    expect((await replication().head(to, "key")).SSEKMSKeyId).toBe(kmsKey("2"));
  });

  check("existing", "nothing that was there before the rule, until it is written again in place", async () => {
    const [from, to] = [await replication().bucket(), await replication().bucket()];
    await replication().put(from, "old", { Metadata: { colour: "blue" } });
    await replication().replicate(from, [{ Destination: { Bucket: arnOf(to) } }]);
    expect([await replication().status(from, "old"), await replication().status(to, "old")]).toEqual([undefined, "absent"]);
    await replication().touch(from, "old");
    expect([await replication().status(from, "old"), await replication().status(to, "old")]).toEqual(["COMPLETED", "REPLICA"]);
    expect((await replication().head(to, "old")).Metadata).toEqual({ colour: "blue" });
  });
});

describe("the choice of the rule", () => {
  check("prefix", "a prefix leaves the rest alone", async () => {
    const [from, to] = await replication().pair({ Filter: { Prefix: "in/" } });
    for (const key of ["in/1", "out/1"]) await replication().put(from, key);
    expect([await replication().status(from, "in/1"), await replication().status(to, "in/1")]).toEqual(["COMPLETED", "REPLICA"]);
    expect([await replication().status(from, "out/1"), await replication().status(to, "out/1")]).toEqual([undefined, "absent"]);
  });

  check("and", "prefix and every tag have to match", async () => {
    const tags = [
      { Key: "team", Value: "a" },
      { Key: "kind", Value: "b" },
    ];
    const [from, to] = await replication().pair({ Filter: { And: { Prefix: "in/", Tags: tags } } });
    await replication().put(from, "in/both", { Tagging: "team=a&kind=b&more=c" });
    await replication().put(from, "in/one", { Tagging: "team=a" });
    await replication().put(from, "out/both", { Tagging: "team=a&kind=b" });
    const found = ["in/both", "in/one", "out/both"].map((key) => replication().status(to, key));
    expect(await Promise.all(found)).toEqual(["REPLICA", "absent", "absent"]);
  });

  check("disabled", "a disabled rule does not", async () => {
    const [from, to] = await replication().pair({ Status: "Disabled" });
    await replication().put(from, "key");
    expect([await replication().status(from, "key"), await replication().status(to, "key")]).toEqual([undefined, "absent"]);
  });

  check("priority", "of two for one destination the higher priority", async () => {
    const [from, to] = [await replication().bucket(), await replication().bucket()];
    const destination = (StorageClass: "STANDARD_IA" | "ONEZONE_IA") => ({ Bucket: arnOf(to), StorageClass });
    await replication().replicate(from, [
      { Priority: 1, Destination: destination("STANDARD_IA") },
      { Priority: 2, Destination: destination("ONEZONE_IA") },
    ]);
    await replication().put(from, "key");
    expect((await replication().head(to, "key")).StorageClass).toBe("ONEZONE_IA");
  });

  check("several-destinations", "one for each destination", async () => {
    const [from, one, two] = [await replication().bucket(), await replication().bucket(), await replication().bucket()];
    await replication().replicate(from, [{ Destination: { Bucket: arnOf(one) } }, { Destination: { Bucket: arnOf(two) } }]);
    await replication().put(from, "key");
    expect([await replication().status(one, "key"), await replication().status(two, "key")]).toEqual(["REPLICA", "REPLICA"]);
  });
});

const kmsKey = (digit: string) =>
  `arn:aws:kms:${cloud().region}:${cloud().accountId}:key/${digit.repeat(8)}-1111-4111-8111-111111111111`;

async function upload(Bucket: string, more: { Tagging?: string }): Promise<string | undefined> {
  const { s3 } = replication();
  const Key = "upload";
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...more }));
  const { ETag } = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: "part" }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }));
  return replication().status(Bucket, Key);
}
