import {
  type ComparisonOperator,
  DeleteAlarmsCommand,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  type StandardUnit,
  type Statistic,
  TagResourceCommand as TagAlarmCommand,
  UntagResourceCommand as UntagAlarmCommand,
} from "@aws-sdk/client-cloudwatch";
import {
  CreateLogGroupCommand,
  DeleteLogGroupCommand,
  DeleteRetentionPolicyCommand,
  DescribeLogGroupsCommand,
  PutRetentionPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import type { Infer } from "../../schema";
import { type AwsContext, arnOf, clientsOf, ignoreMissing, resource } from "../context";
import { removedTags, tagList, tagsAllOf } from "../tags";

export const logGroup = resource({
  token: "aws:cloudwatch/logGroup:LogGroup",
  inputs: { name: "string", retentionInDays: "number", kmsKeyId: "string", tags: "map" },
  computed: ["arn"],
  defaults: { retentionInDays: 0, skipDestroy: false },
  autoname: { property: "name", maxLength: 512 },
  replaceOn: ["name", "kmsKeyId", "region"],
  create: async (context, given) => {
    const logGroupName = given.name ?? "";
    const tags = tagsAllOf(given);
    await clientsOf(context).logs.send(new CreateLogGroupCommand({ logGroupName, kmsKeyId: given.kmsKeyId, tags }));
    await putRetention(context, logGroupName, given.retentionInDays);
    return logGroupName;
  },
  read: async (context, id) => {
    const found = await clientsOf(context).logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: id }));
    const exact = found.logGroups?.find((group) => group.logGroupName === id);
    return exact && { arn: arnOf(context, "logs", `log-group:${id}`) };
  },
  update: async (context, id, news, olds) => {
    const { logs } = clientsOf(context);
    await putRetention(context, id, news.retentionInDays);
    const resourceArn = arnOf(context, "logs", `log-group:${id}`);
    const tagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
    if (tagKeys.length > 0) await logs.send(new UntagResourceCommand({ resourceArn, tagKeys }));
    if (Object.keys(tagsAllOf(news)).length > 0) {
      await logs.send(new TagResourceCommand({ resourceArn, tags: tagsAllOf(news) }));
    }
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).logs.send(new DeleteLogGroupCommand({ logGroupName: id }))),
});

async function putRetention(context: AwsContext, logGroupName: string, retentionInDays = 0): Promise<void> {
  const { logs } = clientsOf(context);
  if (retentionInDays === 0) await ignoreMissing(logs.send(new DeleteRetentionPolicyCommand({ logGroupName })));
  else await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
}

const alarmInputs = {
  name: "string",
  "comparisonOperator!": "string",
  "evaluationPeriods!": "number",
  actionsEnabled: "boolean",
  alarmActions: ["string"],
  alarmDescription: "string",
  datapointsToAlarm: "number",
  dimensions: "map",
  extendedStatistic: "string",
  insufficientDataActions: ["string"],
  metricName: "string",
  namespace: "string",
  okActions: ["string"],
  period: "number",
  statistic: "string",
  threshold: "number",
  treatMissingData: "string",
  unit: "string",
  tags: "map",
} as const;

export const metricAlarm = resource({
  token: "aws:cloudwatch/metricAlarm:MetricAlarm",
  inputs: alarmInputs,
  computed: ["arn"],
  defaults: { actionsEnabled: true, treatMissingData: "missing" },
  autoname: { property: "name", maxLength: 255 },
  replaceOn: ["name", "region"],
  create: async (context, given) => {
    await putAlarm(context, given);
    return given.name ?? "";
  },
  read: async (context, id) => {
    const found = await clientsOf(context).cloudwatch.send(new DescribeAlarmsCommand({ AlarmNames: [id] }));
    const [alarm] = found.MetricAlarms ?? [];
    return alarm && { arn: alarm.AlarmArn };
  },
  update: async (context, id, news, olds) => {
    await putAlarm(context, news);
    const { cloudwatch } = clientsOf(context);
    const ResourceARN = arnOf(context, "cloudwatch", `alarm:${id}`);
    const TagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
    if (TagKeys.length > 0) await cloudwatch.send(new UntagAlarmCommand({ ResourceARN, TagKeys }));
    // PutMetricAlarm does not change the tags of an existing alarm.
    await cloudwatch.send(new TagAlarmCommand({ ResourceARN, Tags: tagList(tagsAllOf(news)) }));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [id] }))),
});

async function putAlarm(context: AwsContext, given: Infer<typeof alarmInputs>): Promise<void> {
  await clientsOf(context).cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName: given.name,
      ComparisonOperator: given.comparisonOperator as ComparisonOperator,
      EvaluationPeriods: given.evaluationPeriods,
      ActionsEnabled: given.actionsEnabled ?? true,
      AlarmActions: given.alarmActions ?? [],
      AlarmDescription: given.alarmDescription,
      DatapointsToAlarm: given.datapointsToAlarm,
      Dimensions: Object.entries(given.dimensions ?? {}).map(([Name, Value]) => ({ Name, Value })),
      ExtendedStatistic: given.extendedStatistic,
      InsufficientDataActions: given.insufficientDataActions ?? [],
      MetricName: given.metricName,
      Namespace: given.namespace,
      OKActions: given.okActions ?? [],
      Period: given.period,
      Statistic: given.statistic as Statistic | undefined,
      Threshold: given.threshold,
      TreatMissingData: given.treatMissingData ?? "missing",
      Unit: given.unit as StandardUnit | undefined,
      Tags: tagList(tagsAllOf(given)),
    }),
  );
}
