/** Stacks over fake clouds that are in order, and a run of the doctor on them. */
import { CHECKS } from "../../../operator/doctor/catalogue";
import type { CheckedStack } from "../../../operator/doctor/check";
import { checkedStack, closeStack } from "../../../operator/doctor/doctor";
import { type Finding, type Outcome, runChecks } from "../../../operator/doctor/run-checks";
import type { OperatedOutputs } from "../../../operator/operated-bridge";
import { configOf } from "../../../operator/stack-settings";
import { type FakeAlicloud, ossReplicationTo, startFakeAlicloud } from "./fake-alicloud";
import { type FakeAws, notifications, type Rule, replicationTo, startFakeAws } from "./fake-aws";

export const SECRET = Buffer.alloc(32, 7).toString("base64");
export const KEY = "arn:aws:kms:us-east-1:111111111111:key/11111111-2222-3333-4444-555555555555";

/** The clouds of both sides, and the settings and outputs that a test may change. */
export interface Clinic<S, D> {
  source: S;
  destination: D;
  settings: Record<string, unknown>;
  /** Undefined before the first deployment. */
  outputs: OperatedOutputs | undefined;
  /** How far the clock of this machine is ahead of the true time. */
  aheadMs: number;
}

type Base = Pick<Clinic<unknown, unknown>, "settings" | "outputs">;
const setting = (settings: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries({ name: "prod", ...settings }).map(([name, value]) => [`crossborderbridge:${name}`, value]));

const queueUrls = {
  queueUrl: "https://sqs.us-east-1.amazonaws.com/111111111111/crossborderbridge-prod-queue",
  outageQueueUrl: "https://sqs.us-east-1.amazonaws.com/111111111111/crossborderbridge-prod-outage",
  deadLetterQueueUrl: "https://sqs.us-east-1.amazonaws.com/111111111111/crossborderbridge-prod-dead-letters",
};
const smqUrls = Object.fromEntries(
  Object.entries(queueUrls).map(([name, url]) => [
    name,
    `https://3333333333333333.mns.cn-shanghai.aliyuncs.com/queues/${url.split("/").at(-1)}`,
  ]),
) as typeof queueUrls;
const pullFunctions = {
  senderFunctionName: "crossborderbridge-prod-sender",
  receiverFunctionName: "crossborderbridge-prod-receiver",
  copierFunctionName: "crossborderbridge-prod-copier",
};
const buckets = { sourceBucket: "from-here", destinationBucket: "to-there" };

const AWS = {
  source: { cloud: "aws", region: "us-east-1", accountId: "111111111111", bucket: "from-here", secret: SECRET },
  destination: { cloud: "aws-cn", region: "cn-north-1", accountId: "222222222222", bucket: "to-there", secret: SECRET },
} as const;
const OSS = {
  source: { region: "cn-shanghai", accountId: "3333333333333333", bucket: "from-here", secret: SECRET },
  destination: { region: "ap-southeast-1", accountId: "3333333333333333", bucket: "to-there", secret: SECRET },
};

const keyStatement = (role: string) =>
  JSON.stringify({
    ...{ Sid: "CrossBorderBridgeReads", Effect: "Allow", Action: ["kms:Decrypt"], Resource: KEY },
    Principal: { AWS: [`arn:aws:iam::111111111111:role/${role}`] },
  });

/** Pull from AWS Global to AWS China. */
export async function pullClinic(): Promise<Clinic<FakeAws, FakeAws>> {
  const [source, destination] = [await startFakeAws(AWS.source), await startFakeAws(AWS.destination)];
  const base: Base = {
    settings: {
      source: {
        cloud: "aws",
        region: "us-east-1",
        bucket: "from-here",
        accountId: "111111111111",
        kmsKeyArn: KEY,
        profile: "global",
      },
      destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there", profile: "china" },
      allowedCidrs: ["192.0.2.0/24", "198.51.100.7/32"],
    },
    outputs: {
      ...{ ...buckets, ...queueUrls, ...pullFunctions },
      receiverUrl: `${destination.server.origin}/_aws/execute-api/abc123/v1/notices`,
      kmsKeyPolicyStatements: { source: keyStatement("crossborderbridge-prod-sender") },
    },
  };
  return { source, destination, aheadMs: 0, ...base };
}

/** Pull inside Alibaba Cloud, from the mainland to Singapore. */
export async function ossClinic(): Promise<Clinic<FakeAlicloud, FakeAlicloud>> {
  const [source, destination] = [await startFakeAlicloud(OSS.source), await startFakeAlicloud(OSS.destination)];
  destination.answers.receiver = { status: 403, body: { error: { code: "address-not-allowed" } } };
  return {
    ...{ source, destination, aheadMs: 0 },
    settings: {
      source: { cloud: "alicloud", region: "cn-shanghai", bucket: "from-here", kmsKeyId: "key-1" },
      destination: { cloud: "alicloud", region: "ap-southeast-1", bucket: "to-there" },
      ...{ mode: "pull", allowedCidrs: ["192.0.2.0/24"] },
    },
    outputs: { ...buckets, ...smqUrls, ...pullFunctions, receiverUrl: `${destination.server.origin}/receiver` },
  };
}

/** Push inside Alibaba Cloud, with transfer acceleration of the destination. */
export async function pushClinic(): Promise<Clinic<FakeAlicloud, FakeAlicloud>> {
  const [source, destination] = [
    await startFakeAlicloud(OSS.source),
    await startFakeAlicloud({ ...OSS.destination, region: "cn-beijing" }),
  ];
  return {
    ...{ source, destination, aheadMs: 0 },
    settings: {
      source: { cloud: "alicloud", region: "cn-shanghai", bucket: "from-here" },
      destination: { cloud: "alicloud", region: "cn-beijing", bucket: "to-there" },
    },
    outputs: {
      ...{ ...buckets, ...smqUrls, flowName: "crossborderbridge-prod-flow" },
      ...{ dispatcherFunctionName: "crossborderbridge-prod-dispatcher", pusherFunctionName: "crossborderbridge-prod-pusher" },
    },
  };
}

/** S3's own replication between two accounts, into an adopted bucket. */
export async function nativeClinic(): Promise<Clinic<FakeAws, FakeAws>> {
  const source = await startFakeAws(AWS.source);
  const destination = await startFakeAws({ ...AWS.destination, cloud: "aws", region: "eu-west-1" });
  source.answers["bucket:replication"] = replicationTo({ id: "bridge", status: "Enabled", bucket: "to-there" });
  const statement = {
    ...{ Sid: "CrossBorderBridgeReplicates", Effect: "Allow", Action: ["s3:ReplicateObject", "s3:ReplicateTags"] },
    ...{
      Principal: { AWS: "arn:aws:iam::111111111111:role/crossborderbridge-prod-replication" },
      Resource: "arn:aws:s3:::to-there/*",
    },
  };
  destination.answers["bucket:policy"] = { body: { Version: "2012-10-17", Statement: [statement] } };
  return {
    ...{ source, destination, aheadMs: 0 },
    settings: {
      source: { cloud: "aws", region: "us-east-1", bucket: "from-here", accountId: "111111111111" },
      destination: { cloud: "aws", region: "eu-west-1", bucket: "to-there", accountId: "222222222222", adopt: true },
      mode: "native",
    },
    outputs: { ...buckets, requiredBucketPolicyStatements: { destination: JSON.stringify([statement]) } },
  };
}

/** OSS's own replication. */
export async function ossNativeClinic(): Promise<Clinic<FakeAlicloud, FakeAlicloud>> {
  const clinic = await pushClinic();
  clinic.source.answers["bucket:replication"] = ossReplicationTo("doing", "to-there");
  clinic.settings.mode = "native";
  clinic.outputs = { ...buckets };
  return clinic;
}

/** Pull from an adopted bucket, before its first deployment: nothing of the bridge is there. */
export function beforeUp<C extends Clinic<FakeAws, FakeAws>>(clinic: C): C {
  clinic.outputs = undefined;
  Object.assign(clinic.settings.source as object, { adopt: true });
  clinic.source.answers["bucket:notification"] = notifications();
  clinic.destination.answers.HeadBucket = { status: 404 };
  return clinic;
}

/** The rule of another program in the bucket. */
export const FOREIGN: Rule = {
  id: "thumbnails",
  queueArn: "arn:aws:sqs:us-east-1:111111111111:thumbnails",
  events: ["s3:ObjectCreated:*"],
};

export interface Examined {
  findings: Finding[];
  unchecked: string[];
  unavailable: string[];
  passed: string[];
}

interface Closable {
  server: { close(): Promise<void> };
}

/** Runs every check. */
export async function examine(clinic: Clinic<FakeAws | FakeAlicloud, FakeAws | FakeAlicloud>): Promise<Examined> {
  const stack = stackOf(clinic);
  try {
    return examined(await runChecks(CHECKS, stack, { limit: 8, timeoutMs: 20_000, signal: new AbortController().signal }));
  } finally {
    await closeStack(stack);
  }
}

export function stackOf({
  settings,
  outputs,
  source,
  destination,
  aheadMs,
}: Clinic<FakeAws | FakeAlicloud, FakeAws | FakeAlicloud>): CheckedStack {
  const config = configOf("prod", setting(settings));
  const access = { source: source.access, destination: destination.access };
  return checkedStack({ stack: "prod", config, outputs, access }, { local: false, now: () => Date.now() + aheadMs });
}

function examined(outcomes: readonly Outcome[]): Examined {
  const named = (state: Outcome["state"]) =>
    outcomes
      .filter((one) => one.state === state)
      .map(({ check, side, reason }) => `${check.name} (${side})${reason ? `: ${reason}` : ""}`);
  return {
    findings: outcomes.flatMap(({ findings }) => findings),
    ...{ unchecked: named("unchecked"), unavailable: named("unavailable"), passed: named("passed") },
  };
}

export async function closeClinic({ source, destination }: { source: Closable; destination: Closable }): Promise<void> {
  await Promise.all([source.server.close(), destination.server.close()]);
}
