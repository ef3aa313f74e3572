/** Faults in Alibaba Cloud. The answers are those that the vendor documents. */
import {
  accelerated,
  located,
  ossEncryptedBy,
  ossReplicationTo,
  ossTrigger,
  ossVersions,
  receiverFunction,
  rpcError,
} from "./fake-alicloud";
import { refusal } from "./fake-cloud";
import { type Fault, logged, type Oss, source } from "./fault";
import { ossClinic, ossNativeClinic, pushClinic } from "./fixture";

export const OSS: Fault<Oss>[] = [
  {
    name: "a wrong access key",
    plant({ source }) {
      source.answers.GetCallerIdentity = rpcError(404, "InvalidAccessKeyId.NotFound");
    },
    found: "credentials (source)",
    what: /the credentials of the environment are refused \(alicloud, cn-shanghai: InvalidAccessKeyId.NotFound\)/,
    fix: /^aliyun configure$/,
  },
  {
    name: "a deleted bucket",
    plant({ source }) {
      source.answers["bucket:bucketInfo"] = refusal(404, "NoSuchBucket");
    },
    found: "bucket (source)",
    what: /the bucket from-here \(alicloud, cn-shanghai\) is gone/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a bucket in another region",
    plant({ source }) {
      source.answers["bucket:bucketInfo"] = refusal(403, "AccessDenied", "<Endpoint>oss-cn-hangzhou.aliyuncs.com</Endpoint>");
    },
    found: "bucket (source)",
    what: /is in cn-hangzhou/,
    fix: /crossborderbridge:source.region cn-hangzhou$/,
  },
  {
    name: "a bucket whose information names another region",
    plant({ destination }) {
      destination.answers["bucket:bucketInfo"] = located("ap-southeast-5");
    },
    found: "bucket (destination)",
    what: /is in ap-southeast-5/,
    fix: /crossborderbridge:destination.region ap-southeast-5$/,
  },
  {
    name: "suspended versioning",
    plant({ destination }) {
      destination.answers["bucket:versioning"] = ossVersions("Suspended");
    },
    found: "versioning (destination)",
    what: /versioning is Suspended/,
    fix: /^ossutil api put-bucket-versioning --bucket to-there --versioning-configuration '\{"Status":"Enabled"\}' --region ap-southeast-1$/,
  },
  {
    name: "a bucket key that the settings do not name",
    plant({ destination }) {
      destination.answers["bucket:encryption"] = ossEncryptedBy("key-9");
    },
    found: "encryption (destination)",
    what: /encrypts with the key key-9, and the settings name no key/,
    fix: /crossborderbridge:destination.kmsKeyId key-9/,
  },
  {
    name: "a disabled key",
    plant({ source }) {
      source.answers.DescribeKey = { body: { KeyMetadata: { KeyState: "Disabled" } } };
    },
    found: "kms-key (source)",
    what: /the key key-1 is Disabled/,
    fix: /^aliyun kms EnableKey --KeyId key-1 --region cn-shanghai$/,
  },
  {
    name: "a policy for one VPC",
    plant({ destination }) {
      const Statement = [
        {
          ...{ Effect: "Deny", Principal: ["*"], Action: ["oss:PutObject"], Resource: ["acs:oss:*:3333333333333333:to-there/*"] },
          Condition: { StringNotEquals: { "acs:SourceVpc": ["vpc-1"] } },
        },
      ];
      destination.answers["bucket:policy"] = { body: { Version: "1", Statement } };
    },
    found: "bucket-policy (destination)",
    what: /a Deny in the policy of the bucket to-there .* denies the bridge oss:PutObject/,
    // The statement stays: only its author knows whom it is meant to keep out.
    fix: /^ossutil api get-bucket-policy --bucket to-there .* > policy.json\n# in policy.json: .*\nossutil api put-bucket-policy --bucket to-there --body file:\/\/policy.json /,
  },
  {
    name: "a deleted trigger",
    plant({ source }) {
      source.answers.GetTrigger = rpcError(404, "TriggerNotFound");
    },
    found: "trigger (source)",
    what: /has no trigger crossborderbridge-prod-events/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a trigger of another bucket",
    plant({ source }) {
      source.answers.GetTrigger = ossTrigger("another", ["oss:ObjectCreated:PutObject"]);
    },
    found: "trigger (source)",
    what: /gets the events of the bucket another, not of from-here/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a deleted queue",
    plant({ source }) {
      source.answers.GetQueueAttributes = refusal(404, "QueueNotExist");
    },
    found: "queues (source), queues (source), queues (source)",
    what: /the work queue crossborderbridge-prod-queue is gone/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a deleted function",
    plant({ source }) {
      source.answers.GetFunction = rpcError(404, "FunctionNotFound");
    },
    found: "functions (source)",
    what: /the sender crossborderbridge-prod-sender is gone/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a function that is switched off",
    plant({ source }) {
      source.answers.GetConcurrencyConfig = { body: { reservedConcurrency: 0 } };
    },
    found: "functions (source)",
    what: /the sender crossborderbridge-prod-sender is switched off/,
    fix: /^aliyun fc PutConcurrencyConfig --functionName crossborderbridge-prod-sender --body '\{"reservedConcurrency":2\}'/,
  },
  {
    name: "a paused bridge",
    plant({ source }) {
      const { body } = receiverFunction("192.0.2.0/24") as { body: { environmentVariables: Record<string, string> } };
      source.answers.GetFunction = {
        body: { ...body, environmentVariables: { ...body.environmentVariables, BRIDGE_PAUSED: "1" } },
      };
    },
    found: "paused (source)",
    what: /the bridge is paused: switched off are the function crossborderbridge-prod-sender$/,
    fix: /^npm run bridge -- resume --stack prod$/,
  },
  {
    name: "an allowlist that was changed by hand",
    plant({ destination }) {
      destination.answers.GetFunction = receiverFunction("203.0.113.0/24");
    },
    found: "allowlist-deployed (destination), allowlist-deployed (destination)",
    what: /allowedCidrs has 192.0.2.0\/24, and the deployed allowlist does not/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "a deleted secret of the operator's own",
    plant({ settings, destination }) {
      settings.auth = { tokenParameter: "bridge-token" };
      destination.answers.GetSecretParameter = rpcError(404, "EntityNotExists.Parameter");
    },
    found: "secret (destination)",
    what: /the parameter bridge-token is not there/,
    fix: /^secret="\$\(aliyun oos GetSecretParameter --Name bridge-token [^&]*--region cn-shanghai \| jq -er .Parameter.Value\)" &&\nprintf %s "\$secret" \| aliyun oos CreateSecretParameter --Name bridge-token --Value-FILE \/dev\/stdin --region ap-southeast-1$/,
  },
  {
    name: "secrets of the operator's own that differ",
    plant({ settings, source }) {
      settings.auth = { tokenParameter: "bridge-token" };
      source.answers.GetSecretParameter = { body: { Parameter: { Value: Buffer.alloc(32, 9).toString("base64") } } };
    },
    found: "same-secret (destination)",
    what: /the signing secrets of the source and the destination differ/,
    fix: /^other="\$\(aliyun .*\)" &&\nown="\$\(aliyun .*\)" &&\nprintf %s "\$other \$own" \| aliyun oos UpdateSecretParameter --Name bridge-token --Value-FILE \/dev\/stdin --region ap-southeast-1$/,
  },
  {
    name: "secrets that differ",
    plant({ source }) {
      source.answers.GetSecretParameter = { body: { Parameter: { Value: Buffer.alloc(32, 9).toString("base64") } } };
    },
    found: "same-secret (destination)",
    what: /the signing secrets of the source and the destination differ/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "an account that may not use the public host of the mainland",
    plant({ source }) {
      source.answers["bucket:list-type"] = refusal(400, "PublicEndpointForbidden");
    },
    found: "mainland-endpoint (source)",
    what: /OSS refuses objects of the bucket from-here \(alicloud, cn-shanghai\) at the public host/,
    fix: /crossborderbridge:source.customDomain /,
  },
];

/** Over a domain of the operator's own. */
export async function domainClinic(): Promise<Oss> {
  const clinic = await ossClinic();
  source(clinic).customDomain = "oss.example.com";
  // A request to the domain has no bucket in its path, as one to the list of buckets.
  clinic.source.answers.ListBuckets = { ...refusal(403, "AccessDenied"), headers: { "x-oss-request-id": "r1" } };
  return clinic;
}

export const DOMAIN: Fault<Oss>[] = [
  {
    name: "a domain without a record",
    plant({ source }) {
      const { originOf } = source.access;
      source.access.originOf = (host) => (host === "oss.example.com" ? "https://oss.example.invalid" : originOf(host));
    },
    found: "custom-domain (source)",
    what: /the name oss.example.com cannot be resolved \((ENOTFOUND|EAI_AGAIN)\)/,
    fix: /CNAME oss.example.com -> from-here.oss-cn-shanghai.aliyuncs.com$/,
  },
  {
    name: "a domain that leads elsewhere",
    plant({ source }) {
      source.answers.ListBuckets = { status: 200, body: "a page" };
    },
    found: "custom-domain (source)",
    what: /oss.example.com leads to another server than OSS \(HTTP 200\)/,
    fix: /CNAME oss.example.com -> /,
  },
  {
    name: "a domain that is not bound to the bucket",
    plant({ source }) {
      source.answers.ListBuckets = { ...refusal(403, "NoSuchCname"), headers: { "x-oss-request-id": "r1" } };
    },
    found: "custom-domain (source)",
    what: /oss.example.com is not bound to the bucket from-here .* \(NoSuchCname\)/,
    fix: /^ossutil api put-cname --bucket from-here --cname-configuration '\{"Cname":\{"Domain":"oss.example.com"\}\}'/,
  },
];

export const PUSH: Fault<Oss>[] = [
  {
    name: "transfer acceleration that is off",
    plant({ destination }) {
      destination.answers["bucket:transferAcceleration"] = accelerated(false);
    },
    found: "acceleration (destination)",
    what: /transfer acceleration is off for the bucket to-there .* destination.acceleration is global/,
    fix: /^ossutil api put-bucket-transfer-acceleration --bucket to-there --transfer-acceleration-configuration '\{"Enabled":true\}'/,
  },
  {
    name: "a deleted workflow",
    plant({ source }) {
      source.answers.DescribeFlow = rpcError(404, "FlowNotExists");
    },
    found: "cloudflow (source)",
    what: /the workflow crossborderbridge-prod-flow is gone/,
    fix: /^pulumi up --refresh/,
  },
  {
    name: "starts that CloudFlow throttles",
    plant({ source }) {
      const reason = "the workflow crossborderbridge-prod-flow could not be started: ResourceThrottled (429)";
      source.answers.GetLogs = {
        headers: { "x-log-progress": "Complete" },
        body: [{ functionName: "crossborderbridge-prod-dispatcher", message: logged(reason) }],
      };
    },
    found: "cloudflow-quota (source)",
    what: /CloudFlow throttled 1 starts of the workflow crossborderbridge-prod-flow/,
    fix: /workorder.console.aliyun.com/,
  },
];

export const PUSH_BEFORE: Fault<Oss>[] = [
  {
    name: "an account that has not activated CloudFlow",
    plant({ source }) {
      source.answers.ListFlows = rpcError(403, "ServiceNotOpen");
    },
    found: "cloudflow (source)",
    what: /has not activated CloudFlow \(ServiceNotOpen\)/,
    fix: /fnf.console.aliyun.com/,
  },
  {
    name: "instances that other functions have reserved",
    plant({ source }) {
      const configs = [{ functionArn: "acs:fc:cn-shanghai:3:functions/other", reservedConcurrency: 85 }];
      source.answers.ListConcurrencyConfigs = { body: { configs } };
    },
    found: "function-compute-quota (source)",
    what: /functions in cn-shanghai reserve 85 instances, and the bridge needs 10 more/,
    fix: /quotas.console.aliyun.com/,
  },
];

export const OSS_NATIVE: Fault<Oss>[] = [
  {
    name: "a rule that is being closed",
    plant({ source }) {
      source.answers["bucket:replication"] = ossReplicationTo("closing", "to-there");
    },
    found: "replication (source)",
    what: /the replication rule rule-1 of .* is being closed/,
    fix: /get-bucket-replication --bucket from-here/,
  },
  {
    name: "a rule of somebody else, which the provider took over",
    plant({ source }) {
      source.answers["bucket:replication"] = ossReplicationTo("doing", "to-there", "of-somebody-else");
    },
    found: "replication (source)",
    what: /the replication rule rule-1 of .* has the role of-somebody-else, so the bridge did not make it/,
    fix: /pulumi state delete/,
  },
  {
    name: "a removed rule",
    plant({ source }) {
      source.answers["bucket:replication"] = refusal(404, "NoSuchReplicationConfiguration");
    },
    found: "replication (source)",
    what: /has no replication rule to to-there/,
    fix: /^pulumi up --refresh/,
  },
];

/** Before a deployment, with an adopted source. */
export async function ossNativeBefore(): Promise<Oss> {
  const clinic = await ossNativeClinic();
  clinic.outputs = undefined;
  source(clinic).adopt = true;
  clinic.source.answers["bucket:replication"] = refusal(404, "NoSuchReplicationConfiguration");
  clinic.destination.answers["bucket:bucketInfo"] = refusal(404, "NoSuchBucket");
  return clinic;
}
export const OSS_NATIVE_BEFORE: Fault<Oss>[] = [
  {
    name: "a rule of others for the two buckets, which the provider would take over",
    plant({ source }) {
      source.answers["bucket:replication"] = ossReplicationTo("doing", "to-there", "of-somebody-else");
    },
    found: "replication-owned (source)",
    what: /has the replication rule rule-1 to to-there already, so a deployment takes over a rule that it did not make/,
    fix: /crossborderbridge:mode pull/,
  },
];

export async function pushBefore(): Promise<Oss> {
  const clinic = await pushClinic();
  clinic.outputs = undefined;
  for (const side of [clinic.source, clinic.destination]) side.answers["bucket:bucketInfo"] = refusal(404, "NoSuchBucket");
  return clinic;
}
