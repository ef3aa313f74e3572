import { randomUUID } from "node:crypto";
import type { Infer } from "../../schema";
import type { Properties } from "../../values";
import { ignoreMissing } from "../api-failure";
import { badTags, notOneOf, outsideRange } from "../checks";
import { type AlicloudContext, controlOf, resource } from "../context";
import { tagList } from "../tags";

const ESCALATION = { comparisonOperator: "string", statistics: "string", threshold: "string", times: "number" } as const;
const inputs = {
  name: "string",
  "contactGroups!": ["string"],
  "metric!": "string",
  "metricDimensions!": "json",
  "project!": "string",
  effectiveInterval: "string",
  enabled: "boolean",
  escalationsCritical: ESCALATION,
  escalationsInfo: ESCALATION,
  escalationsWarn: ESCALATION,
  period: "number",
  silenceTime: "number",
  tags: "map",
  webhook: "string",
} as const;
const DEFAULTS = { effectiveInterval: "00:00-23:59", enabled: true, period: 300, silenceTime: 86_400 };
const LEVELS = ["escalationsCritical", "escalationsWarn", "escalationsInfo"] as const;
/** The names of the API for the operators that the provider has as signs. */
const SIGNS: Readonly<Record<string, string>> = {
  ">": "GreaterThanThreshold",
  ">=": "GreaterThanOrEqualToThreshold",
  "<": "LessThanThreshold",
  "<=": "LessThanOrEqualToThreshold",
  "!=": "NotEqualToThreshold",
  "==": "EqualToThreshold",
};
const OPERATORS = [
  ...Object.keys(SIGNS),
  ...["GreaterThanYesterday", "LessThanYesterday", "GreaterThanLastWeek", "LessThanLastWeek"],
  ...["GreaterThanLastPeriod", "LessThanLastPeriod"],
];

/** https://www.alibabacloud.com/help/en/cms/developer-reference/api-cms-2019-01-01-putresourcemetricrule */
export const alarm = resource({
  token: "alicloud:cms/alarm:Alarm",
  inputs,
  computed: ["status"],
  defaults: DEFAULTS,
  autoname: { property: "name", maxLength: 255 },
  replaceOn: ["metric", "project"],
  kept: LEVELS,
  check: function* (given) {
    if (LEVELS.every((level) => given[level] === undefined)) {
      yield { property: "escalationsCritical", reason: `an alarm has one of ${LEVELS.join(", ")}` };
    }
    for (const level of LEVELS) yield* badEscalation(level, given[level]);
    yield* outsideRange("silenceTime", given.silenceTime, 300, 86_400);
    if ((given.period ?? 300) % 60 !== 0) yield { property: "period", reason: `period is ${given.period} s, no whole minutes` };
    yield* badTags(given.tags);
  },
  create: async (context, given) => {
    const id = randomUUID();
    await put(context, id, given);
    return id;
  },
  read: async (context, id) => {
    const { Alarms } = await call(context, "DescribeMetricRuleList", { RuleIds: id });
    const [found] = (Alarms as { Alarm: { AlertState: string }[] }).Alarm;
    return found && { status: found.AlertState };
  },
  update: put,
  delete: (context, id) => ignoreMissing(() => call(context, "DeleteMetricRules", { Id: [id] })),
});

const CHANNELS = ["channelsAliim", "channelsDingWebHook", "channelsMail", "channelsSms"] as const;
const contactInputs = {
  "alarmContactName!": "string",
  "describe!": "string",
  channelsAliim: "string",
  channelsDingWebHook: "string",
  channelsMail: "string",
  channelsSms: "string",
  lang: "string",
} as const;

/** https://www.alibabacloud.com/help/en/cms/developer-reference/api-cms-2019-01-01-putcontact */
export const alarmContact = resource({
  token: "alicloud:cms/alarmContact:AlarmContact",
  inputs: contactInputs,
  computed: [],
  replaceOn: ["alarmContactName"],
  kept: [...CHANNELS, "lang"],
  check: function* (given) {
    yield* notOneOf("lang", given.lang, ["en", "zh-cn"]);
    if (CHANNELS.every((channel) => given[channel] === undefined))
      yield { property: "channelsMail", reason: `a contact has one of ${CHANNELS.join(", ")}` };
  },
  create: async (context, given) => {
    await putContact(context, given);
    return given.alarmContactName;
  },
  read: async (context, id) => {
    const { Contacts } = await call(context, "DescribeContactList", { ContactName: id });
    return (Contacts as { Contact: unknown[] }).Contact.length > 0 ? {} : undefined;
  },
  update: (context, _id, given) => putContact(context, given),
  delete: (context, id) => ignoreMissing(() => call(context, "DeleteContact", { ContactName: id })),
});

async function putContact(context: AlicloudContext, given: Infer<typeof contactInputs>): Promise<void> {
  const { channelsMail: Mail, channelsSms: SMS, channelsAliim: AliIM, channelsDingWebHook: DingWebHook } = given;
  await call(context, "PutContact", {
    ...{ ContactName: given.alarmContactName, Describe: given.describe, Lang: given.lang },
    Channels: { Mail, SMS, AliIM, DingWebHook },
  });
}

const groupInputs = {
  "alarmContactGroupName!": "string",
  contacts: ["string"],
  describe: "string",
  enableSubscribed: "boolean",
} as const;

/** https://www.alibabacloud.com/help/en/cms/developer-reference/api-cms-2019-01-01-putcontactgroup */
export const alarmContactGroup = resource({
  token: "alicloud:cms/alarmContactGroup:AlarmContactGroup",
  inputs: groupInputs,
  computed: [],
  replaceOn: ["alarmContactGroupName"],
  create: async (context, given) => {
    await putGroup(context, given);
    return given.alarmContactGroupName;
  },
  read: async (context, id) => {
    const { ContactGroupList } = await call(context, "DescribeContactGroupList", {});
    const groups = (ContactGroupList as { ContactGroup: { Name: string }[] }).ContactGroup;
    return groups.some(({ Name }) => Name === id) ? {} : undefined;
  },
  update: (context, _id, given) => putGroup(context, given),
  delete: (context, id) => ignoreMissing(() => call(context, "DeleteContactGroup", { ContactGroupName: id })),
});

async function putGroup(context: AlicloudContext, given: Infer<typeof groupInputs>): Promise<void> {
  await call(context, "PutContactGroup", {
    ...{ ContactGroupName: given.alarmContactGroupName, ContactNames: given.contacts ?? [] },
    ...{ Describe: given.describe, EnableSubscribed: given.enableSubscribed },
  });
}

const call = (context: AlicloudContext, action: string, parameters: Properties) =>
  controlOf(context).rpc("cms", action, parameters);

async function put(context: AlicloudContext, id: string, given: Infer<typeof inputs>): Promise<void> {
  await call(context, "PutResourceMetricRule", {
    ...{ RuleId: id, RuleName: given.name, Namespace: given.project, MetricName: given.metric },
    ...{ Resources: given.metricDimensions, ContactGroups: given.contactGroups.join(",") },
    ...{ EffectiveInterval: given.effectiveInterval ?? DEFAULTS.effectiveInterval, Webhook: given.webhook },
    ...{ Period: given.period ?? DEFAULTS.period, SilenceTime: given.silenceTime ?? DEFAULTS.silenceTime },
    Escalations: {
      Critical: escalation(given.escalationsCritical),
      Warn: escalation(given.escalationsWarn),
      Info: escalation(given.escalationsInfo),
    },
    Labels: tagList(given.tags),
  });
  await call(context, given.enabled === false ? "DisableMetricRules" : "EnableMetricRules", { RuleId: [id] });
}

const escalation = (given: Infer<typeof ESCALATION> | undefined) =>
  given && {
    Statistics: given.statistics ?? "Average",
    ComparisonOperator: SIGNS[given.comparisonOperator ?? ">"] ?? given.comparisonOperator,
    Threshold: given.threshold,
    Times: given.times ?? 3,
  };

function* badEscalation(level: string, given: Infer<typeof ESCALATION> | undefined) {
  if (given === undefined) return;
  yield* notOneOf(`${level}.comparisonOperator`, given.comparisonOperator, OPERATORS);
  if (given.threshold === undefined || given.threshold.trim() === "" || Number.isNaN(Number(given.threshold))) {
    yield { property: `${level}.threshold`, reason: `${level}.threshold must be a number as text` };
  }
}
