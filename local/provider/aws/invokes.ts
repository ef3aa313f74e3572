import { DescribeAvailabilityZonesCommand } from "@aws-sdk/client-ec2";
import { HeadBucketCommand } from "@aws-sdk/client-s3";
import { clientsOf, invoke, unlessMissing } from "./context";
import { bucketOutputs } from "./endpoints";
import { PARTITION_FACTS } from "./partitions";

/** https://docs.aws.amazon.com/general/latest/gr/china-region.html: services whose principal has the China suffix. */
const CHINA_PRINCIPALS = { ec2: "ec2.amazonaws.com.cn", logs: (region: string) => `logs.${region}.amazonaws.com.cn` };

/** The emulator itself bounds no account. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const QUOTAS = [{ serviceCode: "lambda", quotaCode: "L-B99A9384", quotaName: "Concurrent executions", value: 1000 }];

export const INVOKES = [
  invoke({
    token: "aws:index/getCallerIdentity:getCallerIdentity",
    args: { id: "string" },
    call: (context) => ({
      id: context.accountId,
      accountId: context.accountId,
      arn: `arn:${context.partition}:iam::${context.accountId}:root`,
      userId: context.accountId,
    }),
  }),
  invoke({
    token: "aws:index/getPartition:getPartition",
    args: { id: "string" },
    call: ({ partition }) => ({ id: partition, partition, ...PARTITION_FACTS[partition] }),
  }),
  invoke({
    token: "aws:index/getRegion:getRegion",
    args: { id: "string", name: "string", endpoint: "string" },
    call: ({ partition, region }, args) => {
      const name = args.name ?? region;
      return { id: name, name, region: name, description: name, endpoint: `ec2.${name}.${PARTITION_FACTS[partition].dnsSuffix}` };
    },
  }),
  invoke({
    token: "aws:index/getServicePrincipal:getServicePrincipal",
    args: { "serviceName!": "string" },
    call: ({ partition, region }, { serviceName }) => {
      const china = partition === "aws-cn";
      const name =
        china && serviceName === "ec2"
          ? CHINA_PRINCIPALS.ec2
          : china && serviceName === "logs"
            ? CHINA_PRINCIPALS.logs(region)
            : `${serviceName}.amazonaws.com`;
      const suffix = name.endsWith(".cn") ? "amazonaws.com.cn" : "amazonaws.com";
      return { id: `${serviceName}.${region}.${suffix}`, name, region, serviceName, suffix };
    },
  }),
  invoke({
    token: "aws:s3/getBucket:getBucket",
    args: { "bucket!": "string" },
    call: async (context, { bucket }) => {
      // Without a cloud the adopted bucket is assumed to exist.
      if (context.cloud !== undefined) {
        const found = await unlessMissing(clientsOf(context).s3.send(new HeadBucketCommand({ Bucket: bucket })));
        if (found === undefined) throw new Error(`the bucket ${bucket} is not there in ${context.region}`);
      }
      return { id: bucket, bucket, ...bucketOutputs(context, bucket) };
    },
  }),
  invoke({
    token: "aws:index/getAvailabilityZones:getAvailabilityZones",
    args: { state: "string" },
    call: async (context) => {
      const { region } = context;
      const names = context.cloud === undefined ? ["a", "b"].map((letter) => `${region}${letter}`) : await zonesOf(context);
      return { id: region, region, names, zoneIds: names, groupNames: [region] };
    },
  }),
  invoke({
    token: "aws:servicequotas/getServiceQuota:getServiceQuota",
    args: { "serviceCode!": "string", quotaCode: "string", quotaName: "string" },
    call: ({ partition, region, accountId }, { serviceCode, quotaCode = "" }) => {
      const quota = QUOTAS.find((one) => one.serviceCode === serviceCode && one.quotaCode === quotaCode);
      if (quota === undefined)
        throw new Error(`NoSuchResourceException: the local cloud has no quota ${quotaCode} of ${serviceCode}`);
      const arn = `arn:${partition}:servicequotas:${region}:${accountId}:${serviceCode}/${quotaCode}`;
      return { id: arn, arn, ...quota, adjustable: true, globalQuota: false, defaultValue: quota.value };
    },
  }),
  invoke({
    token: "aws:iam/getPolicyDocument:getPolicyDocument",
    args: {
      version: "string",
      statements: [
        {
          sid: "string",
          effect: "string",
          actions: ["string"],
          notActions: ["string"],
          resources: ["string"],
          notResources: ["string"],
          principals: [{ "type!": "string", "identifiers!": ["string"] }],
          conditions: [{ "test!": "string", "variable!": "string", "values!": ["string"] }],
        },
      ],
    },
    call: (_, args) => {
      const Statement = (args.statements ?? []).map((one) => ({
        Sid: one.sid,
        Effect: one.effect ?? "Allow",
        Action: one.actions,
        NotAction: one.notActions,
        Resource: one.resources,
        NotResource: one.notResources,
        Principal: one.principals && Object.fromEntries(one.principals.map(({ type, identifiers }) => [type, identifiers])),
        Condition: one.conditions && conditionsOf(one.conditions),
      }));
      const document = { Version: args.version ?? "2012-10-17", Statement };
      const minifiedJson = JSON.stringify(document);
      return { id: minifiedJson, json: JSON.stringify(document, null, 2), minifiedJson, version: document.Version };
    },
  }),
];

async function zonesOf(context: Parameters<typeof clientsOf>[0]): Promise<string[]> {
  const answer = await clientsOf(context).ec2.send(new DescribeAvailabilityZonesCommand({}));
  return (answer.AvailabilityZones ?? []).flatMap((zone) => zone.ZoneName ?? []).sort();
}

function conditionsOf(conditions: { test: string; variable: string; values: string[] }[]) {
  const tests: Record<string, Record<string, string[]>> = {};
  for (const { test, variable, values } of conditions) tests[test] = { ...tests[test], [variable]: values };
  return tests;
}
