/** What a bridge in mode native tells its operator, and what it needs from other accounts. */
import type * as pulumi from "@pulumi/pulumi";
import { settled } from "../../../support/record-resources";
import { policyOf, quietly, type Variation } from "../../bridge-fixture";
import { ACROSS, allow, deploymentOrder, ELSEWHERE, KEYS, native, only, ROLE, statementsOf, TWO_WAY } from "./fixture";

jest.mock("../../../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./second-account")>("./second-account")
    .withSecondAccount(jest.requireActual("../../../support/mock-aws")),
);

beforeEach(quietly);

const CONFIGURATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
const parsed = async (output: pulumi.Output<string> | undefined): Promise<unknown> =>
  output === undefined ? undefined : JSON.parse(await settled(output));

describe("another account", () => {
  const TLS = { Sid: "DenyInsecureTransport" };

  test("a created destination lets the role in, and is ready before replication is", async () => {
    const recording = await native(ACROSS);
    const [transport, replicas, bucket] = statementsOf(recording, "b-destination-policy");
    expect(transport).toMatchObject(TLS);
    expect(replicas).toEqual({
      ...allow(
        "CrossBorderBridgeReplicas",
        ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"],
        ["arn:aws:s3:::to-there/*"],
      ),
      ...only(`${ROLE}-replication`),
    });
    expect(bucket).toMatchObject({ Sid: "CrossBorderBridgeReplicaBucket" });
    expect(statementsOf(recording, "b-source-policy")).toEqual([expect.objectContaining(TLS)]);
    expect(recording.get("b-destination-policy").dependsOn).toContain("b-replication-role");
    expect(recording.get("b-replication", CONFIGURATION).dependsOn).toContain("b-destination-policy");
    deploymentOrder(recording.resources);
    expect(recording.bridge.requiredBucketPolicyStatements).toBeUndefined();
  });

  test("an adopted one is told what it must let in", async () => {
    const { bridge } = await native({ ...ACROSS, destination: { ...ACROSS.destination, adopt: true } });
    const { source, destination } = bridge.requiredBucketPolicyStatements ?? {};
    expect(source).toBeUndefined();
    expect(await parsed(destination)).toEqual([
      expect.objectContaining({ Sid: "CrossBorderBridgeReplicas", ...only(`${ROLE}-replication`) }),
      expect.objectContaining({ Sid: "CrossBorderBridgeReplicaBucket" }),
    ]);
  });

  test("two ways let each other's role in, without a cycle", async () => {
    const recording = await native({ ...ACROSS, ...TWO_WAY, source: { ...ACROSS.source, adopt: true } });
    const backRole = `arn:aws:iam::${ELSEWHERE.account}:role/crossborderbridge-b-backward`;
    expect(statementsOf(recording, "b-destination-policy")[1]).toMatchObject(only(`${ROLE}-replication`));
    const { source, destination } = recording.bridge.requiredBucketPolicyStatements ?? {};
    expect(await parsed(source)).toEqual([
      expect.objectContaining({ ...only(backRole), Resource: ["arn:aws:s3:::from-here/*"] }),
      expect.objectContaining({ ...only(backRole), Resource: ["arn:aws:s3:::from-here"] }),
    ]);
    expect(destination).toBeUndefined();
    deploymentOrder(recording.resources);
  });

  test("inside one account nobody is let in, and nobody told", async () => {
    const recording = await native({ destination: { adopt: true }, source: { adopt: true }, ...TWO_WAY });
    expect(recording.bridge.requiredBucketPolicyStatements).toBeUndefined();
    expect(statementsOf(await native(TWO_WAY), "b-destination-policy")).toEqual([expect.objectContaining(TLS)]);
  });
});

describe("outputs", () => {
  const KMS = { source: { kmsKeyArn: KEYS["us-east-1"] }, destination: { kmsKeyArn: KEYS["eu-west-1"] } } satisfies Variation;

  test("of one way", async () => {
    const { bridge } = await native();
    expect(Object.keys(bridge.outputs).sort()).toEqual([
      "destinationBucket",
      "estimatedCost",
      "kmsKeyPolicyStatements",
      "notices",
      "replicationRoleArn",
      "sourceBucket",
    ]);
    expect(await parsed(bridge.replicationRoleArn?.apply((arn) => JSON.stringify(arn)))).toBe(`${ROLE}-replication`);
    expect(bridge.kmsKeyPolicyStatements).toEqual({});
  });

  test("of two, with keys and a backfill: whatever takes a key is in its policy", async () => {
    const { bridge } = await native({ ...TWO_WAY, ...KMS, existingObjects: "replicate" });
    const { backwardReplicationRoleArn, backfillRoleArn } = bridge;
    expect(await Promise.all([backwardReplicationRoleArn, backfillRoleArn].map((one) => one && settled(one)))).toEqual([
      `${ROLE}-backward`,
      `${ROLE}-backfill`,
    ]);
    const who = async (statements: pulumi.Output<string> | undefined) =>
      ((await parsed(statements)) as { Sid: string; Condition: { StringEquals: Record<string, string> } }[]).map((one) => [
        one.Sid,
        one.Condition.StringEquals["aws:PrincipalArn"],
      ]);
    expect(await who(bridge.kmsKeyPolicyStatements.source)).toEqual([
      ["CrossBorderBridgeReads", `${ROLE}-replication`],
      ["CrossBorderBridgeWrites", `${ROLE}-backward`],
      ["CrossBorderBridgeReports", `${ROLE}-backfill`],
    ]);
    expect(await who(bridge.kmsKeyPolicyStatements.destination)).toEqual([
      ["CrossBorderBridgeWrites", `${ROLE}-replication`],
      ["CrossBorderBridgeReads", `${ROLE}-backward`],
    ]);
  });

  test("the backfill's role is S3 Batch Operations' own, within the rules", async () => {
    const recording = await native({ existingObjects: "replicate", scope: { prefixes: ["in/"] } });
    expect(policyOf(recording, "b-backfill-role", "assumeRolePolicy")).toEqual({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Principal: { Service: "batchoperations.s3.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
    const records = ["arn:aws:s3:::from-here/.crossborderbridge/backfill/*"];
    expect(statementsOf(recording, "b-backfill-policy")).toEqual([
      allow("StartReplication", ["s3:InitiateReplication"], ["arn:aws:s3:::from-here/in/*"]),
      allow("ListWhatIsMissing", ["s3:GetReplicationConfiguration", "s3:PutInventoryConfiguration"], ["arn:aws:s3:::from-here"]),
      allow("ReadManifest", ["s3:GetObject", "s3:GetObjectVersion"], records),
      allow("WriteReport", ["s3:PutObject"], records),
    ]);
  });
});
