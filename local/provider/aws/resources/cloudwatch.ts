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
  metricQueries: [
    {
      "id!": "string",
      expression: "string",
      label: "string",
      returnData: "boolean",
      period: "number",
      metric: {
        "metricName!": "string",
        "namespace!": "string",
        "period!": "number",
        "stat!": "string",
        dimensions: "map",
        unit: "string",
      },
    },
  ],
  namespace: "string",
  okActions: ["string"],
  period: "number",
  statistic: "string",
  threshold: "number",
  treatMissingData: "string",
  unit: "string",
  tags: "map",
} as const;

type Alarm = Infer<typeof alarmInputs>;

export const metricAlarm = resource({
  token: "aws:cloudwatch/metricAlarm:MetricAlarm",
  inputs: alarmInputs,
  computed: ["arn"],
  defaults: { actionsEnabled: true, treatMissingData: "missing" },
  autoname: { property: "name", maxLength: 255 },
  replaceOn: ["name", "region"],
  check: alarmFailures,
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

/**
 * Rules of AWS that the emulator does not check.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
function* alarmFailures({
  metricName,
  metricQueries = [],
  evaluationPeriods,
  datapointsToAlarm = 1,
  alarmDescription = "",
}: Alarm) {
  const of = (property: string, reason: string) => ({ property, reason });
  if ((metricName === undefined) === (metricQueries.length === 0)) {
    yield of("metricQueries", "an alarm has either a metricName or metricQueries");
  }
  if (metricQueries.length > 0 && metricQueries.filter(({ returnData }) => returnData === true).length !== 1) {
    yield of("metricQueries", "exactly one of the queries returns data");
  }
  for (const [index, { id, expression, metric }] of metricQueries.entries()) {
    if (!/^[a-z][A-Za-z0-9_]{0,254}$/.test(id))
      yield of(`metricQueries[${index}].id`, `${id} does not begin with a lower-case letter`);
    if ((expression === undefined) === (metric === undefined)) {
      yield of(`metricQueries[${index}]`, "a query has either an expression or a metric");
    }
  }
  if (datapointsToAlarm > evaluationPeriods) {
    yield of("datapointsToAlarm", `datapointsToAlarm ${datapointsToAlarm} is more than evaluationPeriods ${evaluationPeriods}`);
  }
  if (alarmDescription.length > 1024) yield of("alarmDescription", "a description has at most 1,024 characters");
}

const dimensionList = (dimensions: Record<string, string> = {}) =>
  Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));

async function putAlarm(context: AwsContext, given: Alarm): Promise<void> {
  await clientsOf(context).cloudwatch.send(
    new PutMetricAlarmCommand({
      AlarmName: given.name,
      ComparisonOperator: given.comparisonOperator as ComparisonOperator,
      EvaluationPeriods: given.evaluationPeriods,
      ActionsEnabled: given.actionsEnabled ?? true,
      AlarmActions: given.alarmActions ?? [],
      AlarmDescription: given.alarmDescription,
      DatapointsToAlarm: given.datapointsToAlarm,
      Dimensions: given.metricName === undefined ? undefined : dimensionList(given.dimensions),
      ExtendedStatistic: given.extendedStatistic,
      InsufficientDataActions: given.insufficientDataActions ?? [],
      MetricName: given.metricName,
      Metrics: given.metricQueries?.map(
        ({ id: Id, expression: Expression, label: Label, returnData, period: Period, metric }) => ({
          Id,
          Expression,
          Label,
          Period,
          ReturnData: returnData ?? false,
          MetricStat: metric && {
            Metric: { Namespace: metric.namespace, MetricName: metric.metricName, Dimensions: dimensionList(metric.dimensions) },
            Period: metric.period,
            Stat: metric.stat,
            Unit: metric.unit as StandardUnit | undefined,
          },
        }),
      ),
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
