/** For each resource type: the inputs to create it, and inputs to update it in place. Ordered by dependency. */
import { zipSync } from "fflate";
import type { Properties } from "../../../../local/provider/values";

export interface Story {
  type: string;
  /** Inputs of the creation. */
  first: Properties;
  /** Inputs of the update; undefined for a type that cannot change in place. */
  second?: Properties;
  id: string | RegExp;
  /** Outputs that the cloud decides. */
  outputs?: Properties;
  /** Outputs that are not the inputs of the same name. */
  instead?: Properties;
}

export const BUCKET = "bucket-of-tests";
const DOMAIN = "files.bridge.test";
/** Not made by a story, since versioning and replication of one bucket depend on each other. */
export const REPLICATED = { source: "source-of-replicas", destination: "replicas-far-away" };

/** Base64 of an archive with a function that answers the text. */
const zipOf = (answer: string): string => {
  const code = Buffer.from(`exports.handler = async () => ${JSON.stringify(answer)};`);
  return Buffer.from(zipSync({ "index.js": code }, { mtime: "2026-01-01T00:00:00" })).toString("base64");
};
export const [ZIP, OTHER_ZIP] = [zipOf("first"), zipOf("second")];

export const trust = (...services: string[]) =>
  JSON.stringify({
    Version: "1",
    Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: services } }],
  });
/** Also lets a function send to its dead letters, without which it cannot have that destination. */
export const policy = (action: string) =>
  JSON.stringify({
    Version: "1",
    Statement: [
      { Effect: "Allow", Action: [action], Resource: [`acs:oss:*:*:${BUCKET}/*`] },
      { Effect: "Allow", Action: ["mns:SendMessage"], Resource: ["acs:mns:*:*:/queues/dead/messages"] },
    ],
  });
const flow = (name: string) => `Type: StateMachine
Name: ${name}
SpecVersion: v1
StartAt: Done
States:
  - Type: Succeed
    Name: Done
`;
const bucketPolicy = (action: string) =>
  JSON.stringify({
    Version: "1",
    Statement: [
      {
        Effect: "Deny",
        Principal: ["*"],
        Action: [action],
        Resource: [`acs:oss:*:*:${BUCKET}/*`],
        Condition: { Bool: { "acs:SecureTransport": ["false"] } },
      },
    ],
  });

const fn = {
  functionName: "sender",
  handler: "index.handler",
  runtime: "nodejs20",
  cpu: 0.5,
  memorySize: 512,
  timeout: 60,
  role: "acs:ram::3333333333333333:role/sender",
  code: { zipFile: ZIP },
};
const inBucket = { bucket: BUCKET };
const replication = {
  bucket: REPLICATED.source,
  action: "PUT",
  destination: { bucket: REPLICATED.destination, location: "oss-us-west-1", transferType: "oss_acc" },
  historicalObjectReplication: "disabled",
  prefixSet: { prefixes: ["a/", "b/"] },
  syncRole: "replicator",
};
const chart = (title: string) => ({ title, type: "linepro", search: { logstore: "functions" }, display: {}, action: {} });
const inStore = { project: "logs-of-tests", logstore: "functions" };
const http = { functionName: "sender", triggerName: "web", triggerType: "http", qualifier: "LATEST" };
const alarm = {
  ...{ name: "dead", project: "acs_mns_new", metric: "ActiveMessages", contactGroups: ["ops"] },
  metricDimensions: '[{"queue":"dead"}]',
};

export const STORIES: readonly Story[] = [
  {
    type: "alicloud:oss/bucket:Bucket",
    first: {
      ...inBucket,
      tags: { stage: "dev" },
      lifecycleRules: [{ id: "parts", enabled: true, abortMultipartUploads: [{ days: 7 }] }],
    },
    second: { ...inBucket, forceDestroy: true, tags: { stage: "test", more: "yes" } },
    id: BUCKET,
    outputs: {
      bucket: BUCKET,
      acl: "private",
      location: "oss-cn-shanghai",
      owner: "3333333333333333",
      extranetEndpoint: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      intranetEndpoint: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      creationDate: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
      storageClass: "Standard",
    },
  },
  {
    type: "alicloud:oss/bucketVersioning:BucketVersioning",
    first: { ...inBucket, status: "Enabled" },
    second: { ...inBucket, status: "Suspended" },
    id: BUCKET,
  },
  {
    type: "alicloud:oss/bucketTransferAcceleration:BucketTransferAcceleration",
    first: { ...inBucket, enabled: true },
    second: { ...inBucket, enabled: false },
    id: BUCKET,
  },
  {
    type: "alicloud:oss/bucketPublicAccessBlock:BucketPublicAccessBlock",
    first: { ...inBucket, blockPublicAccess: false },
    second: { ...inBucket, blockPublicAccess: true },
    id: BUCKET,
  },
  {
    type: "alicloud:oss/bucketPolicy:BucketPolicy",
    first: { ...inBucket, policy: bucketPolicy("oss:GetObject") },
    second: { ...inBucket, policy: bucketPolicy("oss:*") },
    id: BUCKET,
  },
  {
    type: "alicloud:oss/bucketServerSideEncryption:BucketServerSideEncryption",
    first: { ...inBucket, sseAlgorithm: "AES256" },
    second: { ...inBucket, sseAlgorithm: "KMS", kmsMasterKeyId: "key-1" },
    id: BUCKET,
  },
  {
    type: "alicloud:oss/bucketHttpsConfig:BucketHttpsConfig",
    first: { ...inBucket, enable: false },
    second: { ...inBucket, enable: true, tlsVersions: ["TLSv1.2", "TLSv1.3"] },
    id: BUCKET,
  },
  {
    type: "alicloud:oss/bucketCnameToken:BucketCnameToken",
    first: { ...inBucket, domain: DOMAIN },
    id: `${BUCKET}:${DOMAIN}`,
    outputs: { token: expect.stringMatching(/^[0-9a-f]{32}$/) },
  },
  {
    type: "alicloud:oss/bucketCname:BucketCname",
    first: { ...inBucket, domain: DOMAIN },
    second: { ...inBucket, domain: DOMAIN, certificate: { certId: "1-cn-shanghai" }, force: true },
    id: `${BUCKET}:${DOMAIN}`,
    outputs: { status: "Enabled" },
    instead: { domain: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
  },
  {
    type: "alicloud:oss/bucketReplication:BucketReplication",
    first: replication,
    second: { ...replication, rtc: { enabled: false } },
    id: new RegExp(`^${REPLICATED.source}:.+`),
    outputs: { ruleId: expect.any(String), status: expect.stringMatching(/^(?:starting|doing)$/) },
  },
  {
    type: "alicloud:ram/role:Role",
    first: { roleName: "sender", assumeRolePolicyDocument: trust("fc.aliyuncs.com"), tags: { stage: "dev" } },
    second: {
      roleName: "sender",
      assumeRolePolicyDocument: trust("fc.aliyuncs.com", "fnf.aliyuncs.com"),
      description: "new",
      force: true,
    },
    id: "sender",
    outputs: { arn: "acs:ram::3333333333333333:role/sender", roleId: expect.any(String), maxSessionDuration: 3600 },
  },
  {
    type: "alicloud:ram/policy:Policy",
    first: { policyName: "sender-reads", policyDocument: policy("oss:GetObject") },
    second: { policyName: "sender-reads", policyDocument: policy("oss:PutObject"), description: "Writes", force: true },
    id: "sender-reads",
    outputs: { type: "Custom" },
  },
  {
    type: "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment",
    first: { policyName: "sender-reads", policyType: "Custom", roleName: "sender" },
    id: "role:sender-reads:Custom:sender",
  },
  {
    type: "alicloud:log/project:Project",
    first: { projectName: "logs-of-tests" },
    second: { projectName: "logs-of-tests", description: "Functions" },
    id: "logs-of-tests",
    outputs: { name: "logs-of-tests", status: "Normal" },
  },
  {
    type: "alicloud:log/store:Store",
    first: { projectName: "logs-of-tests", logstoreName: "functions" },
    second: { projectName: "logs-of-tests", logstoreName: "functions", retentionPeriod: 7 },
    id: "logs-of-tests:functions",
    outputs: { shardCount: 2 },
  },
  {
    type: "alicloud:log/storeIndex:StoreIndex",
    first: { ...inStore, fullText: { caseSensitive: false } },
    second: { ...inStore, fieldSearches: [{ name: "level", type: "text" }] },
    id: "logs-of-tests:functions",
  },
  {
    type: "alicloud:log/dashboard:Dashboard",
    first: { projectName: "logs-of-tests", dashboardName: "bridge", charList: JSON.stringify([chart("Lag")]) },
    second: { projectName: "logs-of-tests", dashboardName: "bridge", charList: JSON.stringify([chart("Bytes")]) },
    id: "logs-of-tests:bridge",
  },
  {
    type: "alicloud:fc/v3Function:V3Function",
    first: fn,
    second: { ...fn, code: { zipFile: OTHER_ZIP }, timeout: 90, environmentVariables: { LEVEL: "debug" } },
    id: "sender",
    outputs: {
      functionArn: "acs:fc:cn-shanghai:3333333333333333:functions/sender",
      functionId: expect.any(String),
      codeSize: Buffer.from(ZIP, "base64").length,
      diskSize: 512,
      instanceConcurrency: 1,
      internetAccess: true,
    },
  },
  {
    type: "alicloud:fc/v3Trigger:V3Trigger",
    first: { ...http, triggerConfig: '{"authType":"anonymous","methods":["POST"]}' },
    second: { ...http, triggerConfig: '{"authType":"anonymous","methods":["PUT"]}', description: "new" },
    id: "sender:web",
    outputs: {
      triggerId: expect.any(String),
      targetArn: "acs:fc:cn-shanghai:3333333333333333:functions/sender/LATEST",
      httpTrigger: {
        urlInternet: expect.stringMatching(/^https:\/\/localhost:\d+\//),
        urlIntranet: expect.stringMatching(/^https:\/\/localhost:\d+\//),
      },
    },
  },
  {
    type: "alicloud:fc/v3AsyncInvokeConfig:V3AsyncInvokeConfig",
    first: { functionName: "sender", maxAsyncRetryAttempts: 3 },
    second: {
      functionName: "sender",
      maxAsyncRetryAttempts: 8,
      maxAsyncEventAgeInSeconds: 86_400,
      destinationConfig: { onFailure: { destination: "acs:mns:cn-shanghai:3333333333333333:/queues/dead/messages" } },
    },
    id: "sender",
    outputs: { functionArn: "acs:fc:cn-shanghai:3333333333333333:functions/sender" },
  },
  {
    type: "alicloud:fc/v3ConcurrencyConfig:V3ConcurrencyConfig",
    first: { functionName: "sender", reservedConcurrency: 5 },
    second: { functionName: "sender", reservedConcurrency: 6 },
    id: "sender",
  },
  {
    type: "alicloud:fnf/flow:Flow",
    first: { name: "push", definition: flow("first"), description: "", type: "FDL" },
    second: { name: "push", definition: flow("second"), description: "new", type: "FDL" },
    id: "push",
    outputs: { flowId: expect.any(String) },
  },
  {
    type: "alicloud:message/serviceQueue:ServiceQueue",
    first: { queueName: "dead", delaySeconds: 5 },
    second: { queueName: "dead", messageRetentionPeriod: 604_800, tags: { stage: "test" } },
    id: "dead",
    outputs: { maximumMessageSize: 65_536, visibilityTimeout: 30 },
  },
  {
    type: "alicloud:oos/secretParameter:SecretParameter",
    first: { secretParameterName: "bridge/token", value: "whsec_one" },
    second: { secretParameterName: "bridge/token", value: "whsec_two", description: "rotated" },
    id: "bridge/token",
    outputs: { type: "Secret" },
  },
  {
    type: "alicloud:cms/alarm:Alarm",
    first: { ...alarm, escalationsCritical: { comparisonOperator: ">", statistics: "Maximum", threshold: "0", times: 1 } },
    second: { ...alarm, escalationsWarn: { threshold: "5" }, period: 60 },
    id: /^[0-9a-f-]{36}$/,
    outputs: { status: "INSUFFICIENT_DATA", silenceTime: 86_400 },
  },
  {
    type: "alicloud:cms/alarmContact:AlarmContact",
    first: { alarmContactName: "cbb_b_1", describe: "Alarms", channelsMail: "ops@example.com" },
    second: { alarmContactName: "cbb_b_1", describe: "Alarms", channelsMail: "team@example.com" },
    id: "cbb_b_1",
  },
  {
    type: "alicloud:cms/alarmContactGroup:AlarmContactGroup",
    first: { alarmContactGroupName: "crossborderbridge-b", contacts: ["cbb_b_1"] },
    second: { alarmContactGroupName: "crossborderbridge-b", contacts: ["cbb_b_1"], describe: "Alarms" },
    id: "crossborderbridge-b",
  },
];
