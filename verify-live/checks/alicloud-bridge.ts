/** Facts about the parts of a bridge in Alibaba Cloud: its alarms. */
import { abortable } from "../../operator/concurrency";
import { createControlApi } from "../../runtime/platforms/alicloud-fc/control-api";
import { at, textAt } from "../../runtime/protocol/json";
import { isBridgeError } from "../../runtime/stores/errors";
import { type BridgeCheck, type CheckContext, holds, NotShown } from "../check";

const MINUTE_MS = 60_000;
const VERSION = "2019-01-01";
const PAGE_SIZE = "100";

/** https://www.alibabacloud.com/help/en/cms/cloudmonitor-1-0/developer-reference/api-cms-2019-01-01-describemetricrulelist */
async function rulesOf({ config, sides, local, signal }: CheckContext): Promise<unknown[]> {
  const { access, region } = sides.source;
  if (access.cloud !== "alicloud") throw new NotShown("the source is not in Alibaba Cloud");
  const { accessKeyId, accessKeySecret, securityToken = "" } = await access.credentials();
  const prefix = `crossborderbridge-${config.name}-`;
  try {
    const api = createControlApi({
      host: `metrics.${region}.aliyuncs.com`,
      originOf: access.originOf,
      credentials: { current: () => ({ accessKeyId, accessKeySecret, securityToken }) },
      ca: access.ca,
    });
    const call = api.call({
      ...{ op: "describeAlarms", what: "the alarm rules cannot be listed" },
      ...{ action: "DescribeMetricRuleList", version: VERSION, query: { RuleName: prefix, PageSize: PAGE_SIZE } },
    });
    const rules = at(at((await abortable(signal, call)).body, "Alarms"), "Alarm");
    const all: unknown[] = Array.isArray(rules) ? rules : [];
    // The service matches a part of the name.
    return all.filter((rule) => textAt(rule, "RuleName")?.startsWith(prefix));
  } catch (error) {
    if (local && isBridgeError(error, "ConfigInvalid")) throw new NotShown("the local Alibaba Cloud does not serve CloudMonitor");
    throw error;
  }
}

export const cloudMonitorAlarms: BridgeCheck = {
  name: "cloudmonitor-alarms",
  on: "bridge",
  fact: "CloudMonitor took the alarms with the metric names of the code, and they are switched on.",
  why: "CloudMonitor accepts rules about metrics that do not exist. Such an alarm never rings.",
  source:
    "https://www.alibabacloud.com/help/en/cms/cloudmonitor-1-0/developer-reference/api-cms-2019-01-01-describemetricrulelist",
  reliesOn: ["components/alicloud/alarms.ts"],
  safeOn: "any-stack",
  timeoutMs: 5 * MINUTE_MS,
  notFor: ({ config }) =>
    config.source.cloud === "alicloud" && config.mode !== "native" ? undefined : "the alarms are not in CloudMonitor",
  async run(context) {
    const rules = await rulesOf(context);
    holds(rules.length > 0, "CloudMonitor lists no alarm of this bridge");
    const off = rules.filter((rule) => at(rule, "EnableState") === false).map((rule) => textAt(rule, "RuleName"));
    holds(off.length === 0, `switched off: ${off.join(", ")}`);
    return rules.map(
      (rule) => `${textAt(rule, "RuleName")} watches ${textAt(rule, "MetricName")}: ${textAt(rule, "AlertState") ?? "no state"}`,
    );
  },
};
