/** Answers as AWS does: ARNs and endpoints in the partition, account and region of the provider. */
import type * as pulumi from "@pulumi/pulumi";
import { lambdaQuotas } from "./aws-quotas";

interface Place {
  partition: string;
  account: string;
  region: string;
  suffix: string;
}

/** Partition, account and region of each provider, by its region. */
const places = new Map<string, Place>();

function placeOf(region: string): Place {
  return region.startsWith("cn-")
    ? { partition: "aws-cn", account: "222222222222", region, suffix: "amazonaws.com.cn" }
    : { partition: "aws", account: "111111111111", region, suffix: "amazonaws.com" };
}

/** A provider reference is `<urn>::<id>`. A mocked provider has its region as id. */
function placeBehind(provider: string | undefined): Place {
  const region = provider?.split("::").at(-1) ?? "";
  const place = places.get(region);
  if (place === undefined) throw new Error(`no explicit provider: ${provider ?? "(none)"}`);
  return place;
}

type Inputs = Record<string, string>;
type Computed = (inputs: Inputs, place: Place) => Record<string, unknown>;

const arn = (service: string, resource: string, { partition, region, account }: Place, global = false): string =>
  `arn:${partition}:${service}:${global ? "" : region}:${service === "s3" ? "" : account}:${resource}`;

const COMPUTED: Record<string, Computed> = {
  "aws:s3/bucket:Bucket": ({ bucket }, place) => ({
    arn: `arn:${place.partition}:s3:::${bucket}`,
    bucketRegionalDomainName: `${bucket}.s3.${place.region}.${place.suffix}`,
  }),
  "aws:sns/topic:Topic": ({ name }, place) => ({ arn: arn("sns", name ?? "", place) }),
  "aws:sqs/queue:Queue": ({ name }, place) => ({
    arn: arn("sqs", name ?? "", place),
    url: `https://sqs.${place.region}.${place.suffix}/${place.account}/${name}`,
  }),
  "aws:lambda/function:Function": ({ name }, place) => {
    const own = arn("lambda", `function:${name}`, place);
    return {
      arn: own,
      invokeArn: `arn:${place.partition}:apigateway:${place.region}:lambda:path/2015-03-31/functions/${own}/invocations`,
    };
  },
  "aws:iam/role:Role": ({ name }, place) => ({
    arn: arn("iam", `role/${name}`, place, true),
    uniqueId: `AROA-${name}`,
  }),
  "aws:iam/user:User": ({ name }, place) => ({ arn: arn("iam", `user/${name}`, place, true) }),
  "aws:iam/accessKey:AccessKey": () => ({ secret: "mock-secret-access-key" }),
  "aws:cloudwatch/eventRule:EventRule": ({ name }, place) => ({ arn: arn("events", `rule/${name}`, place) }),
  "aws:cloudwatch/metricAlarm:MetricAlarm": ({ name }, place) => ({ arn: arn("cloudwatch", `alarm:${name}`, place) }),
  "aws:cloudwatch/logGroup:LogGroup": ({ name }, place) => ({ arn: arn("logs", `log-group:${name}`, place) }),
  "aws:ssm/parameter:Parameter": ({ name }, place) => ({ arn: arn("ssm", `parameter${name}`, place) }),
  "aws:apigateway/restApi:RestApi": (_, place) => ({
    executionArn: arn("execute-api", "api1", place),
    rootResourceId: "root",
  }),
  "aws:apigateway/resource:Resource": ({ pathPart }) => ({ path: `/${pathPart}` }),
  "aws:apigateway/stage:Stage": ({ stageName }, place) => ({
    invokeUrl: `https://api1.execute-api.${place.region}.${place.suffix}/${stageName}`,
  }),
  "aws:ec2/eip:Eip": () => ({ publicIp: "203.0.113.7" }),
  "aws:ec2/subnet:Subnet": (_, place) => ({ availabilityZone: `${place.region}a` }),
};

export function deploy(args: pulumi.runtime.MockResourceArgs): pulumi.runtime.MockResourceResult {
  const inputs = args.inputs as Inputs;
  if (args.type === "pulumi:providers:aws") {
    const region = inputs.region ?? "";
    places.set(region, placeOf(region));
    return { id: region, state: inputs };
  }
  const place = placeBehind(args.provider);
  return { id: `${args.name}-id`, state: { ...inputs, ...COMPUTED[args.type]?.(inputs, place) } };
}

export function answerInvoke(args: pulumi.runtime.MockCallArgs): Record<string, unknown> {
  const place = placeBehind(args.provider);
  const inputs = args.inputs as Inputs;
  switch (args.token) {
    case "aws:index/getPartition:getPartition":
      return { partition: place.partition, dnsSuffix: place.suffix };
    case "aws:index/getCallerIdentity:getCallerIdentity":
      return { accountId: place.account };
    case "aws:index/getServicePrincipal:getServicePrincipal":
      return { name: `${inputs.serviceName}.amazonaws.com` };
    case "aws:servicequotas/getServiceQuota:getServiceQuota": {
      const value = lambdaQuotas.get(place.region) ?? 1000;
      if (value instanceof Error) throw value;
      return { ...inputs, value };
    }
    case "aws:s3/getBucket:getBucket":
      return {
        bucket: inputs.bucket,
        arn: `arn:${place.partition}:s3:::${inputs.bucket}`,
        bucketRegionalDomainName: `${inputs.bucket}.s3.${place.region}.${place.suffix}`,
      };
    default:
      throw new Error(`no answer for ${args.token}`);
  }
}
