/**
 * An account of Alibaba Cloud that is in order. The forms of the answers are those of the API references of OSS, STS, Function Compute, CloudFlow, KMS,
 * OOS, Simple Message Queue and Simple Log Service.
 */

import type { AlicloudAccess } from "../../../operator/operated-bridge";
import { encodeEnv, type ReceiverConfig } from "../../../runtime/protocol/env";
import type { SeenRequest } from "../../runtime/support/https-server";
import { type Answer, type Answers, type FakeCloud, refusal, startFake } from "./fake-cloud";

export interface FakeAlicloud extends FakeCloud {
  access: AlicloudAccess;
}

export interface AlicloudFacts {
  region: string;
  accountId: string;
  bucket: string;
  secret: string;
}

function operationOf({ url, headers }: SeenRequest): string {
  const action = headers["x-acs-action"];
  if (action !== undefined) return String(action);
  const { pathname, searchParams } = new URL(url, "https://fake");
  if (pathname.startsWith("/queues/")) return "GetQueueAttributes";
  if (pathname.startsWith("/logstores/")) return "GetLogs";
  if (pathname === "/receiver") return "receiver";
  const [subresource = ""] = [...searchParams.keys()];
  return pathname === "/" ? "ListBuckets" : `bucket:${subresource}`;
}

const xml = (name: string, inner: string): Answer => ({
  body: `<?xml version="1.0" encoding="UTF-8"?><${name}>${inner}</${name}>`,
});

/** A refusal of a control API in RPC style. */
export const rpcError = (status: number, Code: string): Answer => ({
  status,
  body: { Code, Message: "refused", RequestId: "r1" },
});

export const ossVersions = (status: string): Answer => xml("VersioningConfiguration", status && `<Status>${status}</Status>`);
export const ossEncryptedBy = (key: string): Answer =>
  xml(
    "ServerSideEncryptionRule",
    `<ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>${key}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>`,
  );
export const accelerated = (enabled: boolean): Answer =>
  xml("TransferAccelerationConfiguration", `<Enabled>${enabled}</Enabled>`);
export const located = (region: string): Answer => xml("BucketInfo", `<Bucket><Location>oss-${region}</Location></Bucket>`);
export const ossReplicationTo = (status: string, bucket: string, role = "crossborderbridge-prod-replication"): Answer =>
  xml(
    "ReplicationConfiguration",
    `<Rule><ID>rule-1</ID><Status>${status}</Status><Destination><Bucket>${bucket}</Bucket><Location>oss-cn-beijing</Location></Destination><SyncRole>${role}</SyncRole></Rule>`,
  );

export const ossTrigger = (bucket: string, events: readonly string[]): Answer => ({
  body: {
    triggerName: "crossborderbridge-prod-events",
    sourceArn: `acs:oss:cn-shanghai:3333333333333333:${bucket}`,
    triggerConfig: JSON.stringify({ events, filter: { key: { prefix: "", suffix: "" } } }),
  },
});

/** A function with the environment that the components give a receiver. */
export const receiverFunction = (...allowedCidrs: string[]): Answer => ({
  body: {
    state: "Active",
    lastUpdateStatus: "Successful",
    environmentVariables: encodeEnv("receiver", receiverConfig(allowedCidrs)),
  },
});

const receiverConfig = (allowedCidrs: string[]): ReceiverConfig => ({
  ...{ bridgeId: "prod", sourceId: "alicloud:from-here", destinationId: "alicloud:to-there", logLevel: "info" },
  destination: { kind: "oss", bucket: "to-there", region: "ap-southeast-1", versioned: true, network: "internal" },
  ...{ destinationPrefix: "", controlBucket: "to-there-prod-bridge-control", allowedCidrs },
  allowedSources: [{ origin: "https://from-here.oss-cn-shanghai.aliyuncs.com", pathPrefix: "/" }],
  auth: { kind: "token", parameter: "crossborderbridge/prod/destination/token" },
  ...{ inlineLimitBytes: 1, timeoutSeconds: 29, copiesAtOnce: 3 },
  copier: { functionName: "crossborderbridge-prod-copier", timeoutSeconds: 900 },
});

function healthy({ accountId, region, bucket, secret }: AlicloudFacts): Answers {
  return {
    ListBuckets: refusal(403, "AccessDenied"),
    GetCallerIdentity: { body: { AccountId: accountId, IdentityType: "RAMUser", RequestId: "r1" } },
    "bucket:bucketInfo": located(region),
    "bucket:versioning": ossVersions("Enabled"),
    "bucket:encryption": refusal(404, "NoSuchServerSideEncryptionRule"),
    "bucket:policy": { body: { Version: "1", Statement: [secureTransport(accountId, bucket)] } },
    "bucket:transferAcceleration": accelerated(true),
    "bucket:replication": refusal(404, "NoSuchReplicationConfiguration"),
    "bucket:list-type": xml("ListBucketResult", `<Name>${bucket}</Name><KeyCount>0</KeyCount>`),
    DescribeKey: { body: { KeyMetadata: { KeyId: "key-1", KeyState: "Enabled" } } },
    GetFunction: receiverFunction("192.0.2.0/24"),
    GetConcurrencyConfig: { body: { reservedConcurrency: 3 } },
    ListConcurrencyConfigs: { body: { configs: [] } },
    GetTrigger: ossTrigger(bucket, ["oss:ObjectCreated:PutObject"]),
    DescribeFlow: { body: { Name: "crossborderbridge-prod-flow", RequestId: "r1" } },
    ListFlows: { body: { Flows: [], RequestId: "r1" } },
    GetSecretParameter: { body: { Parameter: { Name: "token", Value: secret }, RequestId: "r1" } },
    GetQueueAttributes: xml(
      "Queue",
      "<ActiveMessages>0</ActiveMessages><InactiveMessages>0</InactiveMessages><DelayMessages>0</DelayMessages>",
    ),
    GetLogs: { body: [], headers: { "x-log-progress": "Complete" } },
  };
}

const secureTransport = (accountId: string, bucket: string) => ({
  ...{ Effect: "Deny", Principal: ["*"], Action: ["oss:*"] },
  Resource: [`acs:oss:*:${accountId}:${bucket}`, `acs:oss:*:${accountId}:${bucket}/*`],
  Condition: { Bool: { "acs:SecureTransport": ["false"] } },
});

export async function startFakeAlicloud(facts: AlicloudFacts): Promise<FakeAlicloud> {
  const fake = await startFake(healthy(facts), operationOf);
  const credentials = async () => ({ accessKeyId: "LTAIexample", accessKeySecret: "secret" });
  return {
    ...fake,
    access: { cloud: "alicloud", region: facts.region, credentials, originOf: () => fake.server.origin, ca: fake.server.ca },
  };
}
