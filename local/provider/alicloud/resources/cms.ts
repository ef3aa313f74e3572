import { randomUUID } from "node:crypto";
import type { Infer } from "../../schema";
import { badTags, notOneOf, outsideRange } from "../checks";
import { ignoreMissing, resource, servicesOf } from "../context";

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
const LEVELS = ["escalationsCritical", "escalationsWarn", "escalationsInfo"] as const;
const OPERATORS = [
  ...[">", ">=", "<", "<=", "!=", "=="],
  ...["GreaterThanYesterday", "LessThanYesterday", "GreaterThanLastWeek", "LessThanLastWeek"],
  ...["GreaterThanLastPeriod", "LessThanLastPeriod"],
];

/** https://www.alibabacloud.com/help/en/cms/developer-reference/api-cms-2019-01-01-putresourcemetricrule */
export const alarm = resource({
  token: "alicloud:cms/alarm:Alarm",
  inputs,
  computed: ["status"],
  defaults: { effectiveInterval: "00:00-23:59", enabled: true, period: 300, silenceTime: 86_400 },
  autoname: { property: "name", maxLength: 255 },
  replaceOn: ["metric", "project"],
  check: function* (given) {
    if (LEVELS.every((level) => given[level] === undefined)) {
      yield { property: "escalationsCritical", reason: `an alarm has one of ${LEVELS.join(", ")}` };
    }
    for (const level of LEVELS) yield* badEscalation(level, given[level]);
    yield* outsideRange("silenceTime", given.silenceTime, 300, 86_400);
    if ((given.period ?? 300) % 60 !== 0) yield { property: "period", reason: `period is ${given.period} s, no whole minutes` };
    yield* badTags(given.tags);
  },
  create: async (context, settings) => {
    const id = randomUUID();
    servicesOf(context).records.alarms.create(context.region, id, { settings });
    return id;
  },
  read: async (context, id) => servicesOf(context).records.alarms.get(context.region, id) && { status: "INSUFFICIENT_DATA" },
  update: async (context, id, settings) => {
    servicesOf(context).records.alarms.update(context.region, id, { settings });
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).records.alarms.delete(context.region, id)),
});

function* badEscalation(level: string, given: Infer<typeof ESCALATION> | undefined) {
  if (given === undefined) return;
  yield* notOneOf(`${level}.comparisonOperator`, given.comparisonOperator, OPERATORS);
  if (given.threshold === undefined || given.threshold.trim() === "" || Number.isNaN(Number(given.threshold))) {
    yield { property: `${level}.threshold`, reason: `${level}.threshold must be a number as text` };
  }
}
