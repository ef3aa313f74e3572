/** The provider checks replication rules as S3 does; the emulator does not. */
import { GetBucketReplicationCommand, GetBucketVersioningCommand, HeadObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { type LocalAws, startLocalAws } from "../../../../local/aws/local-aws";
import { makeClients } from "../../../../local/provider/aws/clients";
import type { AwsContext } from "../../../../local/provider/aws/context";
import { awsPackage } from "../../../../local/provider/aws-provider";
import { Session } from "../../../../local/provider/session";
import { isObject, type Properties } from "../../../../local/provider/values";

const BUCKET = "aws:s3/bucket:Bucket";
const CONFIG = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
const VERSIONING = "aws:s3/bucketVersioning:BucketVersioning";
const enabled = { status: "Enabled" };
const disabled = { status: "Disabled" };

const rule = (more: Properties = {}): Properties => ({
  id: "one",
  priority: 1,
  status: "Enabled",
  filter: { prefix: "" },
  deleteMarkerReplication: disabled,
  destination: destination(),
  ...more,
});
const destination = (more: Properties = {}): Properties => ({ bucket: "arn:aws-cn:s3:::replica", ...more });
const config = (...rules: Properties[]): Properties => ({
  bucket: "source",
  role: "arn:aws-cn:iam::222222222222:role/s3",
  rules,
});

describe("checks of the configuration, also in a preview without a cloud", () => {
  let session: Session<AwsContext>;

  beforeAll(async () => {
    const pack = awsPackage({ partitions: "preview" });
    session = new Session(pack, await pack.configure({ region: "cn-north-1" }));
  });

  const failures = (inputs: Properties) =>
    session.check(CONFIG, { name: "replication", inputs, olds: {}, seed: new Uint8Array() }).failures;

  test("valid rules are accepted", () => {
    const and = { prefix: "logs/", tags: { team: "a" } };
    const override = { account: "222222222222", accessControlTranslation: { owner: "Destination" } };
    const rules = [
      rule({ deleteMarkerReplication: enabled }),
      rule({ id: "two", priority: 2, filter: { tag: { key: "team", value: "a" } } }),
      rule({ id: "three", priority: 3, filter: { and }, destination: destination({ storageClass: "GLACIER_IR", ...override }) }),
      rule({ id: "four", priority: 4, filter: {}, status: "Disabled" }),
    ];
    expect(failures(config(...rules))).toEqual([]);
  });

  const tagged = { tag: { key: "team", value: "a" } };
  test.each<[string, Properties[], string, RegExp]>([
    ["no rule", [], "rules", /MalformedXML: .* 1 to 1000 rules, not 0/],
    ["two of one id", [rule(), rule({ priority: 2 })], "rules[1].id", /InvalidArgument: Rule Id must be unique: one/],
    ["a long id", [rule({ id: "x".repeat(256) })], "rules[0].id", /Rule Id cannot be greater than 255/],
    ["two of one priority", [rule(), rule({ id: "two" })], "rules[1].priority", /InvalidRequest: Found duplicate priority 1/],
    ["two without priority", ["a", "b"].map((id) => rule({ id, priority: 0 })), "rules[1].priority", /duplicate priority 0/],
    ["a negative priority", [rule({ priority: -1 })], "rules[0].priority", /between 0 and 2147483647/],
    ["no filter", [rule({ filter: undefined })], "rules[0].filter", /is required/],
    ["the older form", [rule({ prefix: "a" })], "rules[0].prefix", /no input rules\[0\]\.prefix/],
    ["existing objects", [rule({ existingObjectReplication: enabled })], "rules[0].existingObjectReplication", /no input/],
    ["two filters in one", [rule({ filter: { prefix: "a", ...tagged } })], "rules[0].filter", /MalformedXML/],
    ["and with one condition", [rule({ filter: { and: { tags: { team: "a" } } } })], "rules[0].filter.and", /MalformedXML/],
    [
      "silence on delete markers",
      [rule({ deleteMarkerReplication: undefined })],
      "rules[0].deleteMarkerReplication",
      /must be specified/,
    ],
    [
      "delete markers by tags",
      [rule({ filter: tagged, deleteMarkerReplication: enabled })],
      "rules[0].deleteMarkerReplication",
      /Delete marker replication is not supported if any Tag filter is specified/,
    ],
    ["another status", [rule({ status: "On" })], "rules[0].status", /"On" is neither Enabled nor Disabled/],
    [
      "another status inside",
      [rule({ sourceSelectionCriteria: { replicaModifications: { status: "On" } } })],
      "rules[0].sourceSelectionCriteria.replicaModifications.status",
      /"On"/,
    ],
    [
      "a name for an ARN",
      [rule({ destination: { bucket: "replica" } })],
      "rules[0].destination.bucket",
      /Invalid bucket ARN: replica/,
    ],
    [
      "itself",
      [rule({ destination: { bucket: "arn:aws-cn:s3:::source" } })],
      "rules[0].destination.bucket",
      /cannot be the same/,
    ],
    ["another partition", [rule({ destination: { bucket: "arn:aws:s3:::replica" } })], "rules", /an ARN of the partition aws/],
    ["a class", [rule({ destination: destination({ storageClass: "COLD" }) })], "rules[0].destination.storageClass", /COLD/],
    [
      "an owner without account",
      [rule({ destination: destination({ accessControlTranslation: { owner: "Destination" } }) })],
      "rules[0].destination.account",
      /Account must be specified/,
    ],
    [
      "another owner",
      [rule({ destination: destination({ account: "222222222222", accessControlTranslation: { owner: "Source" } }) })],
      "rules[0].destination.accessControlTranslation.owner",
      /"Source" is not Destination/,
    ],
  ])("%s is refused", (_name, rules, property, reason) => {
    expect(failures(config(...rules))).toEqual([{ property, reason: expect.stringMatching(reason) }]);
  });
});

describe("checks of the source, the destination and the role", () => {
  let local: LocalAws;
  let session: Session<AwsContext>;
  const s3 = () => makeClients(local["aws-cn"], "cn-north-1").s3;

  beforeAll(async () => {
    local = await startLocalAws();
    const pack = awsPackage({ partitions: local });
    session = new Session(pack, await pack.configure({ region: "cn-north-1" }));
    for (const bucket of ["source", "replica", "unversioned"]) await session.create(BUCKET, { bucket });
    for (const bucket of ["source", "replica"]) await session.create(VERSIONING, { bucket, versioningConfiguration: enabled });
    await session.create("aws:iam/role:Role", { name: "s3", assumeRolePolicy: trust("s3.amazonaws.com") });
    await session.create("aws:iam/rolePolicy:RolePolicy", policyOf(ALL));
  }, 300_000);

  afterAll(() => local?.stop());

  const allow = (...statements: Properties[]) =>
    JSON.stringify({ Version: "2012-10-17", Statement: statements.map((one) => ({ Effect: "Allow", ...one })) });
  const trust = (Service: string, SourceAccount = "222222222222") =>
    allow({
      Principal: { Service },
      Action: "sts:AssumeRole",
      Condition: { StringEquals: { "aws:SourceAccount": SourceAccount }, ArnLike: { "aws:SourceArn": "arn:aws-cn:s3:::source" } },
    });
  const READ = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"];
  const WRITE = ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ReplicateDelete"];
  const ALL = [...READ, ...WRITE];
  const policyOf = (actions: string[], prefix = "") => ({
    name: "replication",
    role: "s3",
    policy: allow(
      { Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource: "arn:aws-cn:s3:::source" },
      { Action: actions, Resource: ["source", "replica"].map((bucket) => `arn:aws-cn:s3:::${bucket}/${prefix}*`) },
    ),
  });
  const create = (...rules: Properties[]) => session.create(CONFIG, config(...rules));

  test.each([
    ["gone", /InvalidRequest: Destination bucket must exist: gone/],
    ["unversioned", /InvalidRequest: Destination bucket must have versioning enabled: unversioned/],
  ])("a destination that is %s is refused", async (name, reason) => {
    await expect(create(rule({ destination: { bucket: `arn:aws-cn:s3:::${name}` } }))).rejects.toThrow(reason);
  });

  test("a source without versioning is refused", async () => {
    const read = { Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource: "arn:aws-cn:s3:::unversioned" };
    const objects = { Action: ALL, Resource: ["unversioned", "replica"].map((bucket) => `arn:aws-cn:s3:::${bucket}/*`) };
    const assumeRolePolicy = allow({ Principal: { Service: "s3.amazonaws.com" }, Action: "sts:AssumeRole" });
    await session.create("aws:iam/role:Role", { name: "other", assumeRolePolicy });
    await session.create("aws:iam/rolePolicy:RolePolicy", { name: "other", role: "other", policy: allow(read, objects) });
    const inputs = { bucket: "unversioned", role: "arn:aws-cn:iam::222222222222:role/other", rules: [rule()] };
    await expect(session.create(CONFIG, inputs)).rejects.toThrow(/Versioning must be 'Enabled' on the bucket/);
  });

  test("a role that does not exist or that S3 cannot assume is refused", async () => {
    const given = config(rule());
    await expect(session.create(CONFIG, { ...given, role: "arn:aws-cn:iam::222222222222:role/gone" })).rejects.toThrow(/gone/);
    for (const [name, document] of [
      ["lambda", trust("lambda.amazonaws.com")],
      ["foreign", trust("s3.amazonaws.com", "999999999999")],
    ]) {
      await session.create("aws:iam/role:Role", { name, assumeRolePolicy: document });
      const role = `arn:aws-cn:iam::222222222222:role/${name}`;
      await expect(session.create(CONFIG, { ...given, role })).rejects.toThrow(/S3 cannot assume arn:.*: its trust policy must/);
    }
  });

  test("the role's policy must allow every action of each rule under its prefix", async () => {
    const put = (actions: string[], prefix?: string) =>
      session.update("aws:iam/rolePolicy:RolePolicy", "s3:replication", {
        news: policyOf(actions, prefix),
        olds: policyOf(ALL),
        outputs: {},
      });
    for (const missing of ALL) {
      await put(ALL.filter((action) => action !== missing));
      await expect(create(rule({ deleteMarkerReplication: enabled }))).rejects.toThrow(`must be allowed ${missing}`);
    }
    await put(ALL, "in/");
    await expect(create(rule({ filter: { prefix: "out/" } }))).rejects.toThrow(
      /GetObjectVersionForReplication on .*source\/out\//,
    );
    const override = { account: "222222222222", accessControlTranslation: { owner: "Destination" } };
    const owned = rule({ filter: { prefix: "in/" }, destination: destination(override) });
    await expect(create(owned)).rejects.toThrow(/must be allowed s3:ObjectOwnerOverrideToBucketOwner/);
    await create(rule({ filter: { prefix: "in/" } }));
    await session.delete(CONFIG, "source", config());
    await put(ALL);
  });

  test.each<[string, Properties, RegExp]>([
    [
      "time control without metrics",
      { replicationTime: { ...enabled, time: { minutes: 15 } } },
      /both ReplicationTime and Metrics/,
    ],
    ["another time", { replicationTime: { ...enabled, time: { minutes: 5 } }, metrics: enabled }, /Invalid time minute value/],
    [
      "a key alone",
      { encryptionConfiguration: { replicaKmsKeyId: "arn:aws-cn:kms:cn-north-1:222222222222:key/k" } },
      /SseKmsEncrypted/,
    ],
  ])("the emulator itself refuses %s", async (_name, more, reason) => {
    await expect(create(rule({ destination: destination(more) }))).rejects.toThrow(reason);
  });

  test("S3 gets the rules as declared, the highest priority first", async () => {
    const kms = { encryptionConfiguration: { replicaKmsKeyId: "arn:aws-cn:kms:cn-north-1:222222222222:key/k" } };
    const minutes = { minutes: 15 };
    const timed = { replicationTime: { ...enabled, time: minutes }, metrics: { ...enabled, eventThreshold: minutes } };
    const low = rule({ deleteMarkerReplication: enabled, destination: destination({ storageClass: "STANDARD_IA" }) });
    const high = rule({
      id: "two",
      priority: 2,
      filter: { and: { prefix: "in/", tags: { team: "a" } } },
      sourceSelectionCriteria: { replicaModifications: enabled, sseKmsEncryptedObjects: enabled },
      destination: destination({ storageClass: "ONEZONE_IA", ...kms, ...timed }),
    });
    await create(low, high);
    const { ReplicationConfiguration: told } = await s3().send(new GetBucketReplicationCommand({ Bucket: "source" }));
    expect(told).toMatchObject({
      Role: "arn:aws:iam::222222222222:role/s3",
      Rules: [
        {
          ID: "two",
          Priority: 2,
          Filter: { And: { Prefix: "in/", Tags: [{ Key: "team", Value: "a" }] } },
          DeleteMarkerReplication: { Status: "Disabled" },
          SourceSelectionCriteria: { ReplicaModifications: { Status: "Enabled" }, SseKmsEncryptedObjects: { Status: "Enabled" } },
          Destination: {
            Bucket: "arn:aws:s3:::replica",
            StorageClass: "ONEZONE_IA",
            EncryptionConfiguration: { ReplicaKmsKeyID: "arn:aws:kms:cn-north-1:222222222222:key/k" },
            ReplicationTime: { Status: "Enabled", Time: { Minutes: 15 } },
            Metrics: { Status: "Enabled", EventThreshold: { Minutes: 15 } },
          },
        },
        { ID: "one", Priority: 1, Filter: { Prefix: "" }, DeleteMarkerReplication: { Status: "Enabled" } },
      ],
    });
    await s3().send(new PutObjectCommand({ Bucket: "source", Key: "in/1", Body: "1", Tagging: "team=a" }));
    const replica = await s3().send(new HeadObjectCommand({ Bucket: "replica", Key: "in/1" }));
    expect([replica.ReplicationStatus, replica.StorageClass]).toEqual(["REPLICA", "ONEZONE_IA"]);
  });

  test("versioning can be suspended only after the replication is removed", async () => {
    const suspend = { bucket: "source", versioningConfiguration: { status: "Suspended" } };
    const versions = { bucket: "source", versioningConfiguration: enabled };
    await expect(session.update(VERSIONING, "source", { news: suspend, olds: versions, outputs: {} })).rejects.toThrow(
      /^InvalidBucketState: .*: source$/,
    );
    await expect(session.delete(VERSIONING, "source", versions)).rejects.toThrow(/first delete the replication configuration/);
    await session.delete(CONFIG, "source", config());
    expect(await session.read(CONFIG, "source", config(), {})).toBeUndefined();
    await session.delete(VERSIONING, "source", versions);
    expect((await s3().send(new GetBucketVersioningCommand({ Bucket: "source" }))).Status).toBe("Suspended");
  });

  test("a resource of another region is made there", async () => {
    const alarm = {
      name: "far",
      comparisonOperator: "GreaterThanThreshold",
      evaluationPeriods: 1,
      namespace: "AWS/S3",
      metricName: "ReplicationLatency",
      period: 60,
      statistic: "Maximum",
      threshold: 900,
    };
    const ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm";
    const { outputs } = await session.create(ALARM, { ...alarm, region: "cn-northwest-1" });
    expect(outputs.arn).toBe("arn:aws-cn:cloudwatch:cn-northwest-1:222222222222:alarm:far");
    expect(await session.read(ALARM, "far", alarm, {})).toBeUndefined();
    expect(isObject(await session.read(ALARM, "far", { ...alarm, region: "cn-northwest-1" }, {}))).toBe(true);
    await session.delete(ALARM, "far", { ...alarm, region: "cn-northwest-1" });
    expect(await session.read(ALARM, "far", { ...alarm, region: "cn-northwest-1" }, {})).toBeUndefined();
  });
});
