/** Alarm rules and contacts of CloudMonitor, which are kept and not evaluated. https://www.alibabacloud.com/help/en/cms/developer-reference/api-cms-2019-01-01-putresourcemetricrule */
import type { RpcCall, RpcOperation, RpcProduct } from "../api/rpc-api";
import { invalidParameter, type Parameters } from "../api/rpc-parameters";
import { ApiError } from "../contracts";
import type { SettingRecords } from "../records";
import { contactOperations } from "./contacts";
import { type Escalation, LEVELS, type MetricRule, OPERATORS, ruleOf } from "./metric-rule";

const OK = { Success: true, Code: "200", Message: "The request was successfully processed." };
const NOT_SERVED = ["Prometheus", "CompositeExpression"];
const MAX_RULES = 100;

export interface CloudMonitorOptions {
  accountId: string;
  records: Pick<SettingRecords, "alarms" | "contacts" | "contactGroups">;
}

export function cloudMonitorApi({ accountId, records }: CloudMonitorOptions): RpcProduct {
  const { alarms } = records;
  const permit = ({ region, action, authorize }: RpcCall) => authorize(`cms:${action}`, `acs:cms:${region}:${accountId}:*`);
  const find = (region: string, id: string): MetricRule | undefined => {
    const found = alarms.get(region, id);
    return found && ruleOf(id, found.settings);
  };
  const existing = (region: string, id: string): MetricRule => {
    const found = find(region, id);
    if (found === undefined) throw new ApiError(404, "ResourceNotFound", `The specified rule ${id} is not found.`);
    return found;
  };
  const put = (region: string, rule: MetricRule) => {
    const settings = { rule };
    if (alarms.get(region, rule.RuleId) === undefined) alarms.create(region, rule.RuleId, { settings });
    else alarms.update(region, rule.RuleId, { settings });
  };
  const switchTo =
    (enabled: boolean): RpcOperation =>
    (call) => {
      permit(call);
      const rules = idsOf(call.parameters, "RuleId").map((id) => existing(call.region, id));
      for (const rule of rules) put(call.region, { ...rule, EnableState: enabled });
      return OK;
    };

  return {
    version: "2019-01-01",
    operations: {
      ...contactOperations(records, permit),
      PutResourceMetricRule: (call) => {
        permit(call);
        const given = readRule(call.parameters);
        const { EnableState = true, Targets = [] } = find(call.region, given.RuleId) ?? {};
        put(call.region, { ...given, EnableState, Targets });
        return OK;
      },
      EnableMetricRules: switchTo(true),
      DisableMetricRules: switchTo(false),
      DescribeMetricRuleList: (call) => {
        permit(call);
        const { parameters, region } = call;
        const fits = filterOf(parameters);
        const found = alarms
          .names(region)
          .flatMap((id) => find(region, id) ?? [])
          .filter(fits);
        const [page, size] = [parameters.whole("Page") ?? 1, parameters.whole("PageSize") ?? 10];
        if (page < 1 || size < 1 || size > MAX_RULES) throw invalidParameter("PageSize", `it must be 1 to ${MAX_RULES}`);
        const Alarm = found.slice((page - 1) * size, page * size).map(describe);
        return { ...OK, Total: String(found.length), Alarms: { Alarm } };
      },
      DeleteMetricRules: (call) => {
        permit(call);
        const ids = idsOf(call.parameters, "Id");
        for (const id of ids) existing(call.region, id);
        for (const id of ids) alarms.delete(call.region, id);
        return OK;
      },
      PutMetricRuleTargets: (call) => {
        permit(call);
        const rule = existing(call.region, call.parameters.required("RuleId"));
        const targets = call.parameters.objects("Targets", ["Id", "Arn", "Level", "JsonParams"]);
        const named = targets.map((target, index) => {
          if (target.Id === undefined || target.Arn === undefined)
            throw invalidParameter(`Targets.${index + 1}`, "it needs Id and Arn");
          return target as MetricRule["Targets"][number];
        });
        const kept = rule.Targets.filter(({ Id }) => !named.some((one) => one.Id === Id));
        put(call.region, { ...rule, Targets: [...kept, ...named] });
        return OK;
      },
      DescribeMetricRuleTargets: (call) => {
        permit(call);
        return { ...OK, Targets: { Target: existing(call.region, call.parameters.required("RuleId")).Targets } };
      },
      DeleteMetricRuleTargets: (call) => {
        permit(call);
        const rule = existing(call.region, call.parameters.required("RuleId"));
        const ids = idsOf(call.parameters, "TargetIds");
        put(call.region, { ...rule, Targets: rule.Targets.filter(({ Id }) => !ids.includes(Id)) });
        return OK;
      },
    },
  };
}

function idsOf(parameters: Parameters, name: string): string[] {
  const ids = parameters.list(name);
  if (ids.length === 0) parameters.required(name);
  return ids;
}

function filterOf(parameters: Parameters): (rule: MetricRule) => boolean {
  const ids = parameters.text("RuleIds")?.split(",");
  const enabled = parameters.flag("EnableState");
  const exact = (["Namespace", "MetricName"] as const).map((name) => [name, parameters.text(name)] as const);
  const part = parameters.text("RuleName") ?? "";
  return (rule) =>
    (ids === undefined || ids.includes(rule.RuleId)) &&
    (enabled === undefined || rule.EnableState === enabled) &&
    exact.every(([name, value]) => value === undefined || rule[name] === value) &&
    rule.RuleName.includes(part);
}

function readRule(parameters: Parameters): Omit<MetricRule, "EnableState" | "Targets"> {
  for (const name of NOT_SERVED)
    if (parameters.text(name) !== undefined) throw invalidParameter(name, "it is not served here: only Escalations are");
  const [RuleId, RuleName] = [parameters.required("RuleId"), parameters.required("RuleName")];
  const [Namespace, MetricName] = [parameters.required("Namespace"), parameters.required("MetricName")];
  const [Resources, ContactGroups] = [parameters.required("Resources"), parameters.required("ContactGroups")];
  assertResources(Resources);
  const [period, SilenceTime] = [parameters.whole("Period") ?? 300, parameters.whole("SilenceTime") ?? 86_400];
  if (period === 0 || period % 60 !== 0) throw invalidParameter("Period", `${period} s are no whole minutes`);
  const escalations = LEVELS.map((level) => [level, readEscalation(parameters, level)] as const).filter(
    ([, one]) => one !== undefined,
  );
  if (escalations.length === 0) throw invalidParameter("Escalations", `the rule needs one of ${LEVELS.join(", ")}`);
  const labels = parameters.objects("Labels", ["Key", "Value"]).map(({ Key = "", Value = "" }) => ({ Key, Value }));
  return {
    ...{ RuleId, RuleName, Namespace, MetricName, Resources, ContactGroups, Period: String(period), SilenceTime },
    EffectiveInterval: parameters.text("EffectiveInterval") ?? "00:00-23:59",
    Webhook: parameters.text("Webhook") ?? "",
    Escalations: Object.fromEntries(escalations) as MetricRule["Escalations"],
    Labels: labels,
  };
}

function assertResources(text: string): void {
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.length > 0 && parsed.every((one) => typeof one === "object" && one !== null)) return;
  } catch {
    // The error below says what it must be.
  }
  throw invalidParameter("Resources", 'it must be a JSON array of objects, e.g. [{"queue":"jobs"}]');
}

/** Undefined when the level is not given. */
function readEscalation(parameters: Parameters, level: string): Escalation | undefined {
  const name = (field: string) => `Escalations.${level}.${field}`;
  const fields = ["Statistics", "ComparisonOperator", "Threshold", "Times"];
  if (fields.every((field) => parameters.text(name(field)) === undefined)) return undefined;
  const ComparisonOperator = parameters.required(name("ComparisonOperator"));
  if (!OPERATORS.includes(ComparisonOperator))
    throw invalidParameter(name("ComparisonOperator"), `${ComparisonOperator} is not one of ${OPERATORS.join(", ")}`);
  const Threshold = parameters.required(name("Threshold"));
  if (!Number.isFinite(Number(Threshold))) throw invalidParameter(name("Threshold"), `${Threshold} is not a number`);
  const Times = parameters.whole(name("Times")) ?? 3;
  return { ...{ ComparisonOperator, Threshold, Times }, Statistics: parameters.required(name("Statistics")) };
}

/** Nothing is measured here, so there is never enough data. */
function describe({ Labels, Targets: _, ...rule }: MetricRule): object {
  return {
    ...rule,
    ...{ Dimensions: rule.Resources, AlertState: "INSUFFICIENT_DATA", SourceType: "METRIC" },
    ...(Labels.length === 0 ? {} : { Labels: { Labels } }),
  };
}
