/** Alarm rules over the control API, as the vendor's client and its Terraform provider call it. */
import { ACCOUNT, REGION, refused, rpcCaller } from "../api/api-fixture";
import { startCms } from "./cms-fixture";

const { cms, api, records } = startCms();
const RULE = {
  ...{ RuleId: "rule-1", RuleName: "backlog", Namespace: "acs_mns_new", MetricName: "ActiveMessages", ContactGroups: "ops,dev" },
  ...{ Resources: '[{"queue":"jobs"}]', Period: "60", SilenceTime: 3600, EffectiveInterval: "00:00-22:59" },
  ...{ "Escalations.Critical.ComparisonOperator": "GreaterThanThreshold", "Escalations.Critical.Statistics": "Maximum" },
  ...{ "Escalations.Critical.Threshold": "100", "Escalations.Critical.Times": 3 },
  ...{ "Labels.1.Key": "team", "Labels.1.Value": "data" },
};
const put = (changes: object = {}) => cms("PutResourceMetricRule", { ...RULE, ...changes });
const list = async (parameters: object = {}) => cms("DescribeMetricRuleList", { ...parameters });

test("a rule is put, described, replaced and deleted", async () => {
  expect(await put()).toMatchObject({ Success: true, Code: "200" });
  const { Alarms, Total } = await list({ RuleIds: "rule-1" });
  expect(Total).toBe("1");
  expect(Alarms.Alarm).toEqual([
    {
      ...{
        RuleId: "rule-1",
        RuleName: "backlog",
        Namespace: "acs_mns_new",
        MetricName: "ActiveMessages",
        ContactGroups: "ops,dev",
      },
      ...{
        Resources: RULE.Resources,
        Dimensions: RULE.Resources,
        Period: "60",
        SilenceTime: 3600,
        EffectiveInterval: "00:00-22:59",
      },
      ...{ Webhook: "", EnableState: true, AlertState: "INSUFFICIENT_DATA", SourceType: "METRIC" },
      Escalations: {
        Critical: { ComparisonOperator: "GreaterThanThreshold", Statistics: "Maximum", Threshold: "100", Times: 3 },
      },
      Labels: { Labels: [{ Key: "team", Value: "data" }] },
    },
  ]);
  await cms("DisableMetricRules", { RuleId: ["rule-1"] });
  await put({ RuleName: "other", "Labels.1.Key": undefined, "Labels.1.Value": undefined });
  // A rule that is put again stays disabled.
  expect((await list()).Alarms.Alarm).toMatchObject([{ RuleName: "other", EnableState: false }]);
  await cms("EnableMetricRules", { RuleId: ["rule-1"] });
  expect((await list({ EnableState: true })).Total).toBe("1");
  await cms("DeleteMetricRules", { Id: ["rule-1"] });
  expect(await list({ RuleIds: "rule-1" })).toMatchObject({ Total: "0", Alarms: { Alarm: [] } });
});

test("rules are found by name, service and metric, in pages", async () => {
  for (const RuleId of ["a", "b", "c"]) await put({ RuleId, RuleName: `lag ${RuleId}` });
  await put({ RuleId: "d", RuleName: "errors", Namespace: "acs_fc", MetricName: "Errors" });
  const ids = async (parameters: object) => (await list(parameters)).Alarms.Alarm.map((one: { RuleId: string }) => one.RuleId);
  expect(await ids({ RuleName: "lag" })).toEqual(["a", "b", "c"]);
  expect(await ids({ Namespace: "acs_fc" })).toEqual(["d"]);
  expect(await ids({ MetricName: "ActiveMessages", PageSize: 2, Page: 2 })).toEqual(["c"]);
});

test("a rule that a program created is listed as well", async () => {
  const settings = {
    ...{ name: "dead letters", project: "acs_mns_new", metric: "ActiveMessages", metricDimensions: '[{"queue":"dead"}]' },
    ...{
      contactGroups: ["ops"],
      period: 300,
      escalationsWarn: { comparisonOperator: ">=", statistics: "Average", threshold: "1", times: 2 },
    },
    ...{ tags: { team: "data" }, enabled: false },
  };
  records().alarms.create(REGION, "in-process", { settings });
  expect((await list()).Alarms.Alarm).toMatchObject([
    {
      ...{ RuleId: "in-process", RuleName: "dead letters", Namespace: "acs_mns_new", ContactGroups: "ops", EnableState: false },
      Escalations: { Warn: { ComparisonOperator: "GreaterThanOrEqualToThreshold", Threshold: "1", Times: 2 } },
    },
  ]);
});

test("targets are put, described and removed", async () => {
  await put();
  const target = { Id: "1", Arn: `acs:mns:${REGION}:${ACCOUNT}:/queues/alarms/messages`, Level: "Critical" };
  await cms("PutMetricRuleTargets", { RuleId: "rule-1", Targets: [target] });
  expect((await cms("DescribeMetricRuleTargets", { RuleId: "rule-1" })).Targets).toEqual({ Target: [target] });
  await cms("DeleteMetricRuleTargets", { RuleId: "rule-1", TargetIds: ["1"] });
  expect((await cms("DescribeMetricRuleTargets", { RuleId: "rule-1" })).Targets).toEqual({ Target: [] });
});

test.each<[string, object, string]>([
  ["no id", { RuleId: undefined }, "MissingRuleId"],
  ["no contacts", { ContactGroups: undefined }, "MissingContactGroups"],
  ["no resources", { Resources: undefined }, "MissingResources"],
  ["resources that are none", { Resources: "queue" }, "InvalidParameter"],
  ["a period of half a minute", { Period: 30 }, "InvalidParameter"],
  ["another operator", { "Escalations.Critical.ComparisonOperator": ">" }, "InvalidParameter"],
  ["a threshold that is no number", { "Escalations.Critical.Threshold": "many" }, "InvalidParameter"],
  ["half an escalation", { "Escalations.Warn.Threshold": "1" }, "MissingEscalations.Warn.ComparisonOperator"],
  ["a query of Prometheus", { Prometheus: "{}" }, "InvalidParameter"],
])("a rule with %s is refused", async (_, changes, code) => {
  expect(await refused(put(changes))).toEqual({ statusCode: 400, code });
  expect((await list()).Total).toBe("0");
});

test("a rule without any escalation is refused", async () => {
  const none = Object.fromEntries(
    Object.keys(RULE)
      .filter((name) => name.startsWith("Escalations."))
      .map((name) => [name, undefined]),
  );
  expect(await refused(put(none))).toEqual({ statusCode: 400, code: "InvalidParameter" });
});

test.each(["EnableMetricRules", "DisableMetricRules", "DeleteMetricRules"])("%s of a missing rule is refused", async (action) => {
  const name = action === "DeleteMetricRules" ? "Id" : "RuleId";
  expect(await refused(cms(action, { [name]: ["nobody"] }))).toEqual({ statusCode: 404, code: "ResourceNotFound" });
  expect(await refused(cms(action))).toEqual({ statusCode: 400, code: `Missing${name}` });
});

test("a session needs permission", async () => {
  const session = api().session(["cms:DescribeMetricRuleList"], ["*"]);
  const asSession = rpcCaller(() => api().client(session), "2019-01-01");
  expect(await asSession("DescribeMetricRuleList")).toMatchObject({ Total: "0" });
  expect(await refused(asSession("PutResourceMetricRule", RULE))).toEqual({ statusCode: 403, code: "NoPermission" });
});
