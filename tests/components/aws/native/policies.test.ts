import fc from "fast-check";
import {
  backfillKeyStatements,
  backfillPolicy,
  bucketStatements,
  keyStatements,
  type ReplicationPolicyArgs,
  replicationPolicy,
} from "../../../../components/aws/native/policies";
import { allow, only } from "./fixture";

const FROM = "arn:aws:s3:::from";
const TO = "arn:aws:s3:::to";
const KEY = "arn:aws:kms:us-east-1:111111111111:key/k1";
const REPLICA_KEY = "arn:aws:kms:eu-west-1:111111111111:key/k2";
const ROLE = "arn:aws:iam::111111111111:role/replication";

const PLAIN: ReplicationPolicyArgs = {
  source: { bucketArn: FROM, region: "us-east-1" },
  destination: { bucketArn: TO, region: "eu-west-1" },
  prefixes: [""],
  deletes: false,
  ownerOverride: false,
  dnsSuffix: "amazonaws.com",
};
const WITH_KEYS: ReplicationPolicyArgs = {
  ...PLAIN,
  source: { ...PLAIN.source, kmsKeyArn: KEY },
  destination: { ...PLAIN.destination, kmsKeyArn: REPLICA_KEY },
};

const READ = ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"];
const WRITE = ["s3:ReplicateObject", "s3:ReplicateTags"];
const ENCRYPT = ["kms:Encrypt", "kms:GenerateDataKey", "kms:Decrypt"];
const through = (service: string, ...contexts: string[]) => ({
  StringLike: { "kms:ViaService": [service], "kms:EncryptionContext:aws:s3:arn": contexts },
});

describe("what S3 may do while it replicates", () => {
  test("in one account, without keys", () => {
    expect(replicationPolicy(PLAIN)).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow("ReadConfiguration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [FROM]),
        allow("ReadSource", READ, [`${FROM}/*`]),
        allow("WriteReplicas", WRITE, [`${TO}/*`]),
      ],
    });
  });

  test("only what the rules reach, a prefix read literally", () => {
    const { Statement } = replicationPolicy({ ...PLAIN, prefixes: ["in/", "odd*$x/", "in/"] });
    expect(Statement.slice(1)).toEqual([
      allow("ReadSource", READ, [`${FROM}/in/*`, `${FROM}/odd\${*}\${$}x/*`]),
      allow("WriteReplicas", WRITE, [`${TO}/in/*`, `${TO}/odd\${*}\${$}x/*`]),
    ]);
  });

  test.each([
    ["nothing more", {}, []],
    ["delete markers", { deletes: true }, ["s3:ReplicateDelete"]],
    ["another owner", { ownerOverride: true }, ["s3:ObjectOwnerOverrideToBucketOwner"]],
    ["both", { deletes: true, ownerOverride: true }, ["s3:ReplicateDelete", "s3:ObjectOwnerOverrideToBucketOwner"]],
  ])("with %s", (_, more, actions) => {
    const { Statement } = replicationPolicy({ ...PLAIN, ...more });
    expect(Statement.at(-1)).toEqual(allow("WriteReplicas", [...WRITE, ...actions], [`${TO}/*`]));
  });

  test("with keys on both sides: each through its own S3, for its own bucket", () => {
    const { Statement } = replicationPolicy({ ...WITH_KEYS, prefixes: ["in/"] });
    expect(Statement.slice(3)).toEqual([
      {
        ...allow("DecryptSource", ["kms:Decrypt"], [KEY]),
        Condition: through("s3.us-east-1.amazonaws.com", FROM, `${FROM}/in/*`),
      },
      {
        ...allow("EncryptReplicas", ENCRYPT, [REPLICA_KEY]),
        Condition: through("s3.eu-west-1.amazonaws.com", TO, `${TO}/in/*`),
      },
    ]);
  });

  test("in China S3 may have either name", () => {
    const { Statement } = replicationPolicy({
      ...PLAIN,
      destination: { bucketArn: "arn:aws-cn:s3:::to", region: "cn-northwest-1", kmsKeyArn: "k" },
      dnsSuffix: "amazonaws.com.cn",
    });
    expect(Statement.at(-1)?.Condition?.StringLike?.["kms:ViaService"]).toEqual([
      "s3.cn-northwest-1.amazonaws.com",
      "s3.cn-northwest-1.amazonaws.com.cn",
    ]);
  });
});

describe("what others must allow", () => {
  test("the destination's bucket, in another account", () => {
    expect(bucketStatements(ROLE, { ...PLAIN, prefixes: ["in/"], deletes: true, ownerOverride: true })).toEqual([
      {
        ...allow(
          "CrossBorderBridgeReplicas",
          [...WRITE, "s3:ReplicateDelete", "s3:ObjectOwnerOverrideToBucketOwner"],
          [`${TO}/in/*`],
        ),
        ...only(ROLE),
      },
      {
        ...allow("CrossBorderBridgeReplicaBucket", ["s3:ListBucket", "s3:GetBucketVersioning"], [TO]),
        ...only(ROLE),
      },
    ]);
  });

  test("the keys, just what the role's own policy says", () => {
    expect(keyStatements(ROLE, WITH_KEYS)).toEqual({
      source: [
        {
          ...allow("CrossBorderBridgeReads", ["kms:Decrypt"], [KEY]),
          ...only(ROLE, through("s3.us-east-1.amazonaws.com", FROM, `${FROM}/*`)),
        },
      ],
      destination: [
        {
          ...allow("CrossBorderBridgeWrites", ENCRYPT, [REPLICA_KEY]),
          ...only(ROLE, through("s3.eu-west-1.amazonaws.com", TO, `${TO}/*`)),
        },
      ],
    });
    expect(keyStatements(ROLE, PLAIN)).toEqual({ source: [], destination: [] });
  });
});

describe("what a job of S3 Batch Operations may do", () => {
  const args = { source: PLAIN.source, prefixes: ["in/"], dnsSuffix: "amazonaws.com" };
  const records = [`${FROM}/.crossborderbridge/backfill/*`];

  test("without a key", () => {
    expect(backfillPolicy(args)).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow("StartReplication", ["s3:InitiateReplication"], [`${FROM}/in/*`]),
        allow("ListWhatIsMissing", ["s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"], [FROM]),
        allow("ReadManifest", ["s3:GetObject", "s3:GetObjectVersion"], records),
        allow("WriteReport", ["s3:PutObject"], records),
      ],
    });
    expect(backfillKeyStatements(ROLE, args)).toEqual([]);
  });

  test("with one, for its lists and reports alone", () => {
    const encrypted = { ...args, source: WITH_KEYS.source };
    const condition = through("s3.us-east-1.amazonaws.com", FROM, ...records);
    const statement = (Sid: string) => ({ ...allow(Sid, ["kms:GenerateDataKey", "kms:Decrypt"], [KEY]), Condition: condition });
    expect(backfillPolicy(encrypted).Statement.at(-1)).toEqual(statement("EncryptReports"));
    expect(backfillKeyStatements(ROLE, encrypted)).toEqual([
      { ...statement("CrossBorderBridgeReports"), ...only(ROLE, condition) },
    ]);
  });
});

test("whatever the prefixes are, each policy stays within IAM's 10,240 characters", () => {
  const bucketArn = `arn:aws-cn:s3:::${"b".repeat(63)}`;
  const kmsKeyArn = `arn:aws-cn:kms:cn-northwest-1:111111111111:key/${"k".repeat(36)}`;
  const end = { bucketArn, kmsKeyArn, region: "cn-northwest-1" };
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1, maxLength: 40 }), { maxLength: 60 }), (prefixes) => {
      const args = {
        source: end,
        destination: end,
        prefixes,
        deletes: true,
        ownerOverride: true,
        dnsSuffix: "amazonaws.com.cn",
      };
      for (const policy of [replicationPolicy(args), backfillPolicy(args)])
        expect(JSON.stringify(policy).length).toBeLessThan(10_240);
    }),
  );
});
