/**
 * An account of AWS that is in order. The forms of the answers are those of the API references of S3, STS, EC2, KMS, SQS, SSM, Lambda, API Gateway
 * and CloudWatch Logs.
 */
import type { AwsAccess } from "../../../operator/operated-bridge";
import type { SeenRequest } from "../../runtime/support/https-server";
import { type Answer, type Answers, type FakeCloud, refusal, startFake } from "./fake-cloud";

export interface FakeAws extends FakeCloud {
  access: AwsAccess;
}

export interface AwsFacts {
  cloud: "aws" | "aws-cn";
  region: string;
  accountId: string;
  bucket: string;
  /** Text of the SecureString with the signing secrets. */
  secret: string;
}

/** In the JSON protocols the operation is in a header, in the query protocols in the body, and in REST in the path. */
function operationOf({ method, url, headers, body }: SeenRequest): string {
  const target = headers["x-amz-target"];
  if (target !== undefined) return String(target).split(".")[1] ?? "";
  const action = new URLSearchParams(body.toString()).get("Action");
  if (action !== null) return action;
  const { pathname, searchParams } = new URL(url, "https://fake");
  const rest = REST.find(({ pattern }) => pattern.test(pathname));
  if (rest !== undefined) return rest.operation;
  if (method === "HEAD") return "HeadBucket";
  const [subresource] = [...searchParams.keys()].filter((name) => name !== "x-id");
  return pathname === "/" ? "ListBuckets" : `bucket:${subresource ?? ""}`;
}

const REST = [
  { pattern: /\/functions\/[^/]+\/configuration$/, operation: "GetFunctionConfiguration" },
  { pattern: /\/functions\/[^/]+\/concurrency$/, operation: "GetFunctionConcurrency" },
  { pattern: /\/event-source-mappings\/?$/, operation: "ListEventSourceMappings" },
  { pattern: /\/account-settings\/?$/, operation: "GetAccountSettings" },
  { pattern: /^\/restapis\//, operation: "GetRestApi" },
  { pattern: /\/execute-api\//, operation: "receiver" },
];

export const jsonError = (type: string, status = 400): Answer => ({
  status,
  headers: { "x-amzn-errortype": type },
  body: { __type: type, message: "refused" },
});
const xml = (name: string, inner: string): Answer => ({
  body: `<?xml version="1.0" encoding="UTF-8"?><${name}>${inner}</${name}>`,
});

export const statusOfVersions = (status: string): Answer =>
  xml("VersioningConfiguration", status && `<Status>${status}</Status>`);
export const encryptedBy = (key: string): Answer =>
  xml(
    "ServerSideEncryptionConfiguration",
    `<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>${key}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>`,
  );

/** A policy that denies everything where the condition holds. */
export const denyOutside = (bucket: string, condition: object) => ({
  body: {
    Version: "2012-10-17",
    Statement: [
      {
        ...{ Sid: "OnlyFromOurNetwork", Effect: "Deny", Principal: "*", Action: "s3:*", Condition: condition },
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
      },
    ],
  },
});

export interface Rule {
  id: string;
  queueArn: string;
  events: readonly string[];
  prefix?: string;
}
export const notifications = (...rules: Rule[]): Answer =>
  xml(
    "NotificationConfiguration",
    rules
      .map(({ id, queueArn, events, prefix }) => {
        const filter = `<Filter><S3Key><FilterRule><Name>prefix</Name><Value>${prefix}</Value></FilterRule></S3Key></Filter>`;
        const named = events.map((event) => `<Event>${event}</Event>`).join("");
        return `<QueueConfiguration><Id>${id}</Id><Queue>${queueArn}</Queue>${named}${prefix === undefined ? "" : filter}</QueueConfiguration>`;
      })
      .join(""),
  );

export const replicationTo = (...rules: { id: string; status: string; bucket: string }[]): Answer =>
  xml(
    "ReplicationConfiguration",
    `<Role>arn:aws:iam::111111111111:role/replication</Role>${rules
      .map(
        ({ id, status, bucket }) =>
          `<Rule><ID>${id}</ID><Priority>1</Priority><Status>${status}</Status><Filter><Prefix></Prefix></Filter><Destination><Bucket>arn:aws:s3:::${bucket}</Bucket></Destination></Rule>`,
      )
      .join("")}`,
  );

export const keyState = (state: string, more: object = {}): Answer => ({
  body: { KeyMetadata: { KeyId: "1234", KeyState: state, KeyUsage: "ENCRYPT_DECRYPT", KeySpec: "SYMMETRIC_DEFAULT", ...more } },
});

/** The policy that KMS gives a new key: the account delegates to its own policies. */
export const keyPolicy = (...statements: object[]): Answer => ({
  body: { Policy: JSON.stringify({ Version: "2012-10-17", Statement: statements }) },
});
export const delegation = (accountId: string) => ({
  Effect: "Allow",
  Principal: { AWS: `arn:aws:iam::${accountId}:root` },
  Action: "kms:*",
  Resource: "*",
});

export const parameter = (value: string, type = "SecureString"): Answer => ({
  body: { Parameter: { Name: "token", Type: type, Value: value } },
});

export const mapping = (state: string, queueArn: string): Answer => ({
  body: { EventSourceMappings: [{ UUID: "6f3c", State: state, EventSourceArn: queueArn, LastProcessingResult: "OK" }] },
});

/** API Gateway returns the policy as the inside of a JSON text. */
export const restApi = (...cidrs: string[]): Answer => {
  const statement = {
    Effect: "Deny",
    Principal: "*",
    Action: "execute-api:Invoke",
    Resource: "*",
    Condition: { NotIpAddress: { "aws:SourceIp": cidrs } },
  };
  const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  return { body: { id: "abc123", name: "receiver", policy: JSON.stringify(policy).slice(1, -1) } };
};

export const queuePolicy = (bucket: string) => ({
  Version: "2012-10-17",
  Statement: [
    {
      ...{ Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sqs:SendMessage", Resource: "*" },
      Condition: { ArnEquals: { "aws:SourceArn": `arn:aws:s3:::${bucket}` } },
    },
  ],
});

export const QUEUE_ARN = "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-prod-queue";
const EVENTS = ["s3:ObjectCreated:*", "s3:ObjectTagging:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:Completed"];
export const OWN_RULE: Rule = { id: "crossborderbridge-prod-queue", queueArn: QUEUE_ARN, events: EVENTS };

function healthy({ accountId, bucket, region, secret }: AwsFacts): Answers {
  return {
    ListBuckets: refusal(403, "AccessDenied"),
    GetCallerIdentity: xml(
      "GetCallerIdentityResponse",
      `<GetCallerIdentityResult><Arn>arn:aws:iam::${accountId}:user/operator</Arn><UserId>A</UserId><Account>${accountId}</Account></GetCallerIdentityResult>`,
    ),
    HeadBucket: { headers: { "x-amz-bucket-region": region } },
    "bucket:versioning": statusOfVersions("Enabled"),
    "bucket:encryption": refusal(404, "ServerSideEncryptionConfigurationNotFoundError"),
    "bucket:policy": { body: { Version: "2012-10-17", Statement: [secureTransport(bucket)] } },
    "bucket:notification": notifications(OWN_RULE),
    "bucket:replication": refusal(404, "ReplicationConfigurationNotFoundError"),
    DescribeKey: keyState("Enabled"),
    GetKeyPolicy: keyPolicy(delegation(accountId)),
    GetQueueAttributes: { body: { Attributes: { Policy: JSON.stringify(queuePolicy(bucket)), SqsManagedSseEnabled: "true" } } },
    GetParameter: parameter(secret),
    FilterLogEvents: { body: { events: [] } },
    GetFunctionConfiguration: { body: { FunctionName: "f", State: "Active", LastUpdateStatus: "Successful" } },
    GetFunctionConcurrency: { body: {} },
    ListEventSourceMappings: mapping("Enabled", QUEUE_ARN),
    DescribeRule: { body: { Name: "crossborderbridge-prod-tick", State: "ENABLED" } },
    GetAccountSettings: { body: { AccountLimit: { ConcurrentExecutions: 1000, UnreservedConcurrentExecutions: 1000 } } },
    GetRestApi: restApi("192.0.2.0/24", "198.51.100.7/32"),
    DescribeAddresses: xml("DescribeAddressesResponse", "<addressesSet></addressesSet>"),
    // As API Gateway answers an address outside of the allowlist.
    receiver: {
      status: 403,
      body: {
        Message:
          "User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:r:1:a/v1/POST/notices with an explicit deny",
      },
    },
  };
}

/** The policy of every bucket that the bridge creates. */
const secureTransport = (bucket: string) => ({
  ...{ Sid: "DenyInsecureTransport", Effect: "Deny", Principal: "*", Action: "s3:*" },
  Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});

export async function startFakeAws(facts: AwsFacts): Promise<FakeAws> {
  const fake = await startFake(healthy(facts), operationOf);
  const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" };
  const { cloud, region } = facts;
  return { ...fake, access: { cloud, region, credentials, endpoint: fake.server.origin, ca: fake.server.ca } };
}
