/** Alarms of S3's own replication, rules that are off, and replication across accounts. */
import type * as pulumi from "@pulumi/pulumi";
import { NativeReplication } from "../../../../components/aws/native/replication";
import type { ReplicationRule } from "../../../../components/aws/native/rules";
import { type Recording, settled } from "../../../support/record-resources";
import { ACCOUNT, allow, ELSEWHERE, KEYS, only, ownBucket, type PairVariation, record, replicate, statementsOf } from "./fixture";

jest.mock("../../../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./second-account")>("./second-account")
    .withSecondAccount(jest.requireActual("../../../support/mock-aws")),
);

const CONFIGURATION = "aws:s3/bucketReplicationConfig:BucketReplicationConfig";
const ruleOf = (recording: Recording) =>
  (recording.get("pair", CONFIGURATION).inputs.rules as { destination: object; sourceSelectionCriteria?: object }[])[0];

describe("alarms", () => {
  const rules = [
    { id: "first", priority: 1, prefix: "a/" },
    { id: "second", priority: 5, prefix: "b/" },
    { id: "off", priority: 9, prefix: "c/", enabled: false },
  ];
  const topics = {
    source: { alarmTopicArn: `arn:aws:sns:us-east-1:${ACCOUNT}:ops` },
    destination: { alarmTopicArn: `arn:aws:sns:eu-west-1:${ACCOUNT}:ops` },
  };

  test("with metrics: two for every rule that is on", async () => {
    const recording = await replicate({ rules, metrics: true });
    expect(recording.list().filter((line) => line.includes("MetricAlarm"))).toEqual([
      "aws:cloudwatch/metricAlarm:MetricAlarm pair-1-failure-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm pair-1-lag-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm pair-5-failure-alarm",
      "aws:cloudwatch/metricAlarm:MetricAlarm pair-5-lag-alarm",
    ]);
    expect((await replicate({ rules })).list().join()).not.toContain("MetricAlarm");
  });

  test("each where its metric is, at a topic of that region", async () => {
    const { get } = await replicate({ rules, metrics: true, lagAlarmSeconds: 60, name: "ours", ...topics });
    const dimensions = { SourceBucket: "from", DestinationBucket: "to", RuleId: "second" };
    const common = {
      namespace: "AWS/S3",
      dimensions,
      period: 300,
      evaluationPeriods: 1,
      comparisonOperator: "GreaterThanThreshold",
    };
    const { inputs: lag, provider: there } = get("pair-5-lag-alarm");
    expect(there).toBe("to");
    expect(lag).toEqual({
      ...common,
      name: "ours-5-lag",
      alarmDescription:
        "Replication from from to to by rule second is more than 60 s behind. S3 works on it by itself: see how much is pending, and whether S3 is allowed to write. See docs/runbook.md#replication-lag",
      metricName: "ReplicationLatency",
      statistic: "Maximum",
      threshold: 60,
      treatMissingData: "ignore",
      alarmActions: [topics.destination.alarmTopicArn],
      okActions: [topics.destination.alarmTopicArn],
    });
    const { inputs: failures, provider: here } = get("pair-5-failure-alarm");
    expect(here).toBe("from");
    expect(failures).toEqual({
      ...common,
      name: "ours-5-failures",
      alarmDescription:
        "Replication from from to to by rule second gave up on objects: their replication status is FAILED. S3 does not try them again: mend the cause, then send them again by a backfill. See docs/runbook.md#replication-failures",
      metricName: "OperationsFailedReplication",
      statistic: "Sum",
      threshold: 0,
      treatMissingData: "notBreaching",
      alarmActions: [topics.source.alarmTopicArn],
      okActions: [topics.source.alarmTopicArn],
    });
  });

  test("in the source's account, where the destination is another's", async () => {
    const { get } = await replicate({
      rules,
      metrics: true,
      to: ELSEWHERE.region,
      source: { accountId: ACCOUNT },
      destination: { accountId: ELSEWHERE.account },
    });
    expect(get("pair-1-lag-alarm")).toMatchObject({ provider: "from", inputs: { region: ELSEWHERE.region } });
  });
});

test("a rule that is off is granted nothing", async () => {
  const off = { id: "off", priority: 9, prefix: "c/", enabled: false, deletes: "replicate" as const };
  const granted = async (...some: ReplicationRule[]) => {
    const keys = { source: { kmsKeyArn: KEYS["us-east-1"] }, destination: { kmsKeyArn: KEYS["eu-west-1"] } };
    const recording = await replicate({ ...keys, rules: some });
    const { source, destination } = recording.made.kmsKeyPolicyStatements;
    return JSON.stringify([statementsOf(recording, "pair-policy"), await settled(source), await settled(destination)]);
  };
  const text = await granted({ id: "on", priority: 1, prefix: "a/" }, off);
  expect(text).toContain("arn:aws:s3:::to/a/*");
  expect(text).not.toContain("/c/");
  expect(text).not.toContain("s3:ReplicateDelete");
  // A policy of no objects could not be written.
  expect(await granted(off)).toContain("arn:aws:s3:::to/c/*");
});

describe("across accounts", () => {
  const ACROSS = {
    to: ELSEWHERE.region,
    source: { accountId: ACCOUNT },
    destination: { accountId: ELSEWHERE.account },
  } satisfies PairVariation;

  test("replicas belong to the destination, which has to allow it", async () => {
    const recording = await replicate(ACROSS);
    expect(ruleOf(recording)?.destination).toEqual({
      bucket: "arn:aws:s3:::to",
      account: ELSEWHERE.account,
      accessControlTranslation: { owner: "Destination" },
    });
    const write = ["s3:ReplicateObject", "s3:ReplicateTags", "s3:ObjectOwnerOverrideToBucketOwner"];
    expect(statementsOf(recording, "pair-policy").at(-1)).toEqual(allow("WriteReplicas", write, ["arn:aws:s3:::to/*"]));
    const role = await settled(recording.made.roleArn);
    expect(await settled(recording.made.requiredBucketPolicyStatements)).toEqual([
      { ...allow("CrossBorderBridgeReplicas", write, ["arn:aws:s3:::to/*"]), ...only(role) },
      {
        ...allow("CrossBorderBridgeReplicaBucket", ["s3:ListBucket", "s3:GetBucketVersioning"], ["arn:aws:s3:::to"]),
        ...only(role),
      },
    ]);
  });

  test("or keep their owner and their ACL", async () => {
    const recording = await replicate({ ...ACROSS, ownership: "source" });
    expect(ruleOf(recording)?.destination).toEqual({ bucket: "arn:aws:s3:::to" });
    expect(statementsOf(recording, "pair-policy").at(-1)?.Action).toEqual(["s3:ReplicateObject", "s3:ReplicateTags"]);
  });

  test("a policy that the program writes is waited for", async () => {
    const { get } = await record(() => {
      const source = ownBucket("from", "us-east-1", { accountId: ACCOUNT });
      const destination = ownBucket("to", ELSEWHERE.region, { accountId: ELSEWHERE.account });
      const given: pulumi.Output<object[]>[] = [];
      const [ready] = ownBucket("policy", "us-west-2").dependsOn ?? [];
      if (ready === undefined) throw new Error("no resource to wait for");
      destination.allow = (statements) => {
        given.push(statements);
        return ready;
      };
      new NativeReplication("pair", { source, destination, rules: [{ id: "everything", priority: 1 }] });
      return given;
    });
    expect(get("pair", CONFIGURATION).dependsOn).toContain("policy-versioning");
  });
});
