/** Buckets with replication on one running emulator. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteMarkerReplicationStatus,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutBucketReplicationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type ReplicationRule,
  S3Client,
  type StorageClass,
} from "@aws-sdk/client-s3";
import { clientConfig } from "../../../local/aws/client-config";
import { type LocalAws, type LocalPartition, startLocalAws } from "../../../local/aws/local-aws";
import { errorName } from "../../../local/provider/aws/context";

export class Replication {
  readonly s3: S3Client;
  private buckets = 0;

  constructor(readonly partition: LocalPartition) {
    this.s3 = new S3Client(clientConfig(partition));
  }

  close(): void {
    this.s3.destroy();
  }

  async bucket(s3 = this.s3): Promise<string> {
    const Bucket = `replication-${++this.buckets}`;
    await s3.send(new CreateBucketCommand({ Bucket }));
    await this.version(Bucket, "Enabled", s3);
    return Bucket;
  }

  async version(Bucket: string, Status: "Enabled" | "Suspended", s3 = this.s3): Promise<void> {
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }));
  }

  async replicate(from: string, rules: Partial<ReplicationRule>[]): Promise<void> {
    const Role = `arn:aws:iam::${this.partition.accountId}:role/replication`;
    const Rules = rules.map((one, index) => ({ ...ruleOf(index), ...one }));
    await this.s3.send(new PutBucketReplicationCommand({ Bucket: from, ReplicationConfiguration: { Role, Rules } }));
  }

  /** Two fresh buckets, the first replicated to the second. */
  async pair(rule: Partial<ReplicationRule> = {}, StorageClass?: StorageClass): Promise<[string, string]> {
    const [from, to] = [await this.bucket(), await this.bucket()];
    await this.replicate(from, [{ ...rule, Destination: { Bucket: arnOf(to), StorageClass } }]);
    return [from, to];
  }

  async put(Bucket: string, Key: string, more: Partial<PutObjectCommandInput> = {}): Promise<string> {
    const { VersionId = "" } = await this.s3.send(new PutObjectCommand({ Bucket, Key, Body: Key, ...more }));
    return VersionId;
  }

  /** Copies an object onto itself. S3 requires a change; to name the storage class is enough. */
  async touch(Bucket: string, Key: string): Promise<void> {
    const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
    await this.s3.send(new CopyObjectCommand({ Bucket, Key, CopySource, StorageClass: "STANDARD", MetadataDirective: "COPY" }));
  }

  head(Bucket: string, Key: string, VersionId?: string) {
    return this.s3.send(new HeadObjectCommand({ Bucket, Key, VersionId }));
  }

  /** `x-amz-replication-status`; "absent" when there is no object. */
  async status(bucket: string, key: string, s3 = this.s3): Promise<string | undefined> {
    try {
      return (await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }))).ReplicationStatus;
    } catch (error) {
      if (errorName(error) === "NotFound") return "absent";
      throw error;
    }
  }

  async tags(Bucket: string, Key: string): Promise<Record<string, string>> {
    const { TagSet = [] } = await this.s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    return Object.fromEntries(TagSet.map((tag) => [tag.Key ?? "", tag.Value ?? ""]));
  }

  /** Number of versions and delete markers of the key. */
  async versions(Bucket: string, Prefix: string): Promise<{ versions: number; markers: number }> {
    const { Versions = [], DeleteMarkers = [] } = await this.s3.send(new ListObjectVersionsCommand({ Bucket, Prefix }));
    return { versions: Versions.length, markers: DeleteMarkers.length };
  }
}

export const arnOf = (bucket: string) => `arn:aws:s3:::${bucket}`;

function ruleOf(index: number): ReplicationRule {
  return {
    ID: `rule-${index}`,
    Priority: index,
    Status: "Enabled",
    Filter: {},
    DeleteMarkerReplication: { Status: DeleteMarkerReplicationStatus.Disabled },
    Destination: undefined,
  };
}

/** One sentence about S3, by the id that `knownGaps` uses. */
export type Check = (id: string, sentence: string, body: () => Promise<void>) => void;

/** Starts an emulator for the checks of the file. At the end it reports the known failures. */
export function replicationSuite(name: string, knownGaps: Readonly<Record<string, string>>) {
  let local: LocalAws | undefined;
  let replication: Replication | undefined;
  const met: string[] = [];
  let checks = 0;

  beforeAll(async () => {
    local = await startLocalAws();
    replication = new Replication(local.aws);
  }, 300_000);

  afterAll(async () => {
    replication?.close();
    await local?.stop();
    const gaps = met.map((id) => `\n  ${id}: ${knownGaps[id]}`).join("");
    process.stdout.write(
      `${name}: ${checks - met.length} checks, ${met.length} more that the emulator is known to fail${gaps}\n`,
    );
  });

  test("every known gap has its check", () => {
    expect([...met].sort()).toEqual(Object.keys(knownGaps).sort());
  });

  const check: Check = (id, sentence, body) => {
    checks += 1;
    const gap = knownGaps[id];
    if (gap === undefined) {
      test(sentence, body);
    } else {
      met.push(id);
      test.failing(`known gap, ${gap}: ${sentence}`, body);
    }
  };
  return { check, cloud: () => started(local).aws, replication: () => started(replication) };
}

function started<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the emulator is there inside a check only");
  return value;
}
