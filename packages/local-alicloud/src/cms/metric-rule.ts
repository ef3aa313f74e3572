export const LEVELS = ["Critical", "Warn", "Info"] as const;

export interface Escalation {
  Statistics: string;
  ComparisonOperator: string;
  Threshold: string;
  Times: number;
}

/** A rule with the names of the API. */
export interface MetricRule {
  RuleId: string;
  RuleName: string;
  Namespace: string;
  MetricName: string;
  /** JSON. */
  Resources: string;
  /** Separated by commas. */
  ContactGroups: string;
  /** Seconds. */
  Period: string;
  SilenceTime: number;
  EffectiveInterval: string;
  Webhook: string;
  EnableState: boolean;
  Escalations: Partial<Record<(typeof LEVELS)[number], Escalation>>;
  Labels: { Key: string; Value: string }[];
  Targets: { Id: string; Arn: string; Level?: string; JsonParams?: string }[];
}

/** As infrastructure code writes the first six. */
const SYMBOLS: Readonly<Record<string, string>> = {
  ">": "GreaterThanThreshold",
  ">=": "GreaterThanOrEqualToThreshold",
  "<": "LessThanThreshold",
  "<=": "LessThanOrEqualToThreshold",
  "!=": "NotEqualToThreshold",
  "==": "EqualToThreshold",
};
export const OPERATORS: readonly string[] = [
  ...Object.values(SYMBOLS),
  ...["GreaterThanYesterday", "LessThanYesterday", "GreaterThanLastWeek", "LessThanLastWeek"],
  ...["GreaterThanLastPeriod", "LessThanLastPeriod"],
];

interface ProviderSettings {
  rule?: MetricRule;
  name?: string;
  project?: string;
  metric?: string;
  metricDimensions?: string;
  contactGroups?: string[];
  period?: number;
  silenceTime?: number;
  effectiveInterval?: string;
  webhook?: string;
  enabled?: boolean;
  tags?: Record<string, string>;
}
type EscalationSettings = { statistics?: string; comparisonOperator?: string; threshold?: string; times?: number } | undefined;

/** The rule that is kept. One that a program created without the API has the settings of the infrastructure providers. */
export function ruleOf(id: string, settings: Record<string, unknown>): MetricRule {
  const given = settings as ProviderSettings;
  if (given.rule !== undefined) return given.rule;
  const escalations = LEVELS.flatMap((level) => {
    const one = settings[`escalations${level}`] as EscalationSettings;
    if (one === undefined) return [];
    const { statistics = "Average", comparisonOperator = ">", threshold = "", times = 3 } = one;
    const operator = SYMBOLS[comparisonOperator] ?? comparisonOperator;
    return [[level, { Statistics: statistics, ComparisonOperator: operator, Threshold: threshold, Times: times }] as const];
  });
  return {
    RuleId: id,
    RuleName: given.name ?? id,
    Namespace: given.project ?? "",
    MetricName: given.metric ?? "",
    Resources: given.metricDimensions ?? "[]",
    ContactGroups: (given.contactGroups ?? []).join(","),
    Period: String(given.period ?? 300),
    SilenceTime: given.silenceTime ?? 86_400,
    EffectiveInterval: given.effectiveInterval ?? "00:00-23:59",
    Webhook: given.webhook ?? "",
    EnableState: given.enabled ?? true,
    Escalations: Object.fromEntries(escalations),
    Labels: Object.entries(given.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
    Targets: [],
  };
}
