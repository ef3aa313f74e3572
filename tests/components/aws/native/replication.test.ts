import { ConfigInvalid } from "../../../../components/config";
import { type Recording, settled } from "../../../support/record-resources";
import { policyOf } from "../../bridge-fixture";
import { allow, deploymentOrder, KEYS, only, replicate, statementsOf } from "./fixture";

const OWN = [
  "aws:iam/role:Role pair-role",
  "aws:iam/rolePolicy:RolePolicy pair-policy",
  "aws:s3/bucketReplicationConfig:BucketReplicationConfig pair",
  "crossborder:index:NativeReplication pair",
];
const GIVEN = [
  "aws:s3/bucket:Bucket from-bucket",
  "aws:s3/bucket:Bucket to-bucket",
  "aws:s3/bucketVersioning:BucketVersioning from-versioning",
  "aws:s3/bucketVersioning:BucketVersioning to-versioning",
  "pulumi:providers:aws from",
  "pulumi:providers:aws to",
];
const CONFIGURATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
const ruleOf = (recording: Recording) =>
  (recording.get("pair", CONFIGURATION).inputs.rules as { destination: object; sourceSelectionCriteria?: object }[])[0];

describe("between two buckets of one account", () => {
  test("a role, its policy and the configuration", async () => {
    const recording = await replicate();
    expect(recording.list()).toEqual([...GIVEN, ...OWN].sort());
    const children = recording.resources.filter(({ parent }) => parent === "pair");
    expect(children.map(({ name }) => name).sort()).toEqual(["pair", "pair-policy", "pair-role"]);
    expect(new Set(children.map(({ provider }) => provider))).toEqual(new Set(["from"]));
    expect(recording.get("pair", "crossborder:index:NativeReplication").outputsRegistered).toBe(true);
  });

  test("S3 is told when both buckets keep versions and the role may do its work", async () => {
    const { get, resources } = await replicate();
    expect(get("pair", CONFIGURATION).dependsOn).toEqual(
      expect.arrayContaining(["from-versioning", "to-versioning", "pair-policy", "pair-role"]),
    );
    const order = deploymentOrder(resources);
    expect(order.indexOf("pair")).toBeGreaterThan(order.indexOf("to-versioning"));
  });

  test("S3 takes the role on, and may do this", async () => {
    const recording = await replicate({ rules: [{ id: "in", priority: 3, prefix: "in/", deletes: "replicate" }] });
    expect(policyOf(recording, "pair-role", "assumeRolePolicy")).toEqual({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    expect(policyOf(recording, "pair-policy")).toEqual({
      Version: "2012-10-17",
      Statement: [
        allow("ReadConfiguration", ["s3:GetReplicationConfiguration", "s3:ListBucket"], ["arn:aws:s3:::from"]),
        allow(
          "ReadSource",
          ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
          ["arn:aws:s3:::from/in/*"],
        ),
        allow("WriteReplicas", ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ReplicateDelete"], ["arn:aws:s3:::to/in/*"]),
      ],
    });
    expect(recording.get("pair", CONFIGURATION).inputs).toEqual({
      bucket: "from",
      role: await settled(recording.made.roleArn),
      rules: [
        {
          id: "in",
          status: "Enabled",
          priority: 3,
          filter: { prefix: "in/" },
          deleteMarkerReplication: { status: "Enabled" },
          destination: { bucket: "arn:aws:s3:::to" },
        },
      ],
    });
  });

  test("nobody else has to allow anything", async () => {
    const { made } = await replicate();
    expect(await settled(made.requiredBucketPolicyStatements)).toEqual([]);
    expect(await settled(made.kmsKeyPolicyStatements.source)).toEqual([]);
    expect(await settled(made.kmsKeyPolicyStatements.destination)).toEqual([]);
  });

  test("with keys both may be used, and their policies are told so", async () => {
    const recording = await replicate({
      source: { kmsKeyArn: KEYS["us-east-1"] },
      destination: { kmsKeyArn: KEYS["eu-west-1"] },
    });
    expect(ruleOf(recording)).toMatchObject({
      sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } },
      destination: { encryptionConfiguration: { replicaKmsKeyId: KEYS["eu-west-1"] } },
    });
    const [decrypt, encrypt] = statementsOf(recording, "pair-policy").slice(-2);
    const { kmsKeyPolicyStatements } = recording.made;
    const role = await settled(recording.made.roleArn);
    expect(await settled(kmsKeyPolicyStatements.source)).toEqual([
      { ...decrypt, Sid: "CrossBorderBridgeReads", ...only(role, decrypt?.Condition) },
    ]);
    expect(await settled(kmsKeyPolicyStatements.destination)).toEqual([
      { ...encrypt, Sid: "CrossBorderBridgeWrites", ...only(role, encrypt?.Condition) },
    ]);
  });

  test("a key for the replicas alone is used too: theirs is the bucket's", async () => {
    const recording = await replicate({ destination: { kmsKeyArn: KEYS["eu-west-1"] } });
    expect(statementsOf(recording, "pair-policy").map(({ Sid }) => Sid)).toEqual([
      "ReadConfiguration",
      "ReadSource",
      "WriteReplicas",
      "EncryptReplicas",
    ]);
  });

  test("class, time control, metadata changes and a name", async () => {
    const recording = await replicate({
      destination: { storageClass: "STANDARD_IA" },
      timeControl: true,
      replicaModifications: true,
      name: "ours",
    });
    expect(recording.get("pair-role").inputs.name).toBe("ours");
    expect(ruleOf(recording)).toMatchObject({
      sourceSelectionCriteria: { replicaModifications: { status: "Enabled" } },
      destination: {
        storageClass: "STANDARD_IA",
        replicationTime: { status: "Enabled", time: { minutes: 15 } },
        metrics: { status: "Enabled", eventThreshold: { minutes: 15 } },
      },
    });
  });

  test("in China nothing speaks of another partition", async () => {
    const recording = await replicate({ from: "cn-north-1", to: "cn-northwest-1", metrics: true });
    const text = JSON.stringify(recording.resources.map(({ inputs }) => inputs));
    expect(text).toContain("arn:aws-cn:s3:::from");
    expect(text).not.toContain("arn:aws:");
  });
});

test("bad arguments are refused, all at once", async () => {
  const refusal = await replicate({
    rules: [],
    to: "cn-north-1",
    timeControl: true,
    metrics: false,
    source: { kmsKeyArn: KEYS["us-east-1"] },
  }).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(ConfigInvalid);
  expect((refusal as ConfigInvalid).problems).toEqual([
    expect.stringContaining("nothing would be replicated"),
    expect.stringContaining("cn-north-1 is not in the partition of us-east-1"),
    expect.stringContaining("metrics: false"),
    expect.stringContaining("destination.kmsKeyArn"),
  ]);
});
