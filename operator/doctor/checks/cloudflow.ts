/** CloudFlow, which carries out mode `push`. */

import { CLOUDFLOW_REGIONS } from "../../../components/config/clouds";
import { ControlError } from "../../../runtime/platforms/alicloud-fc/errors";
import { at, textAt } from "../../../runtime/protocol/json";
import { alicloudOf, type Check, type CheckedStack, settingsOf, type View } from "../check";
import { configCommand, inOrder, refreshCommand, upCommand } from "../paste";

const source = ["source"] as const;
const isPush = ({ config }: CheckedStack): boolean => config.mode === "push";
const VERSION = "2019-03-15";

/** A region without CloudFlow has no such host either, so the settings are judged before a request is made. */
const read = (view: View, action: string, query: Record<string, string>): Promise<unknown> => {
  const host = `${settingsOf(view).region}.fnf.aliyuncs.com`;
  return alicloudOf(view).read({ host, action, version: VERSION, query, signal: view.signal });
};

const cloudflow: Check = {
  name: "cloudflow",
  looksAt: "CloudFlow in the source's region: that it exists there, is activated, and has the bridge's workflow",
  why: "In mode `push` a workflow copies each object. Without it every event fails.",
  when: "always",
  needs: ["credentials"],
  sides: (stack) => (isPush(stack) ? source : []),
  async run(view) {
    const { region } = settingsOf(view);
    const pull = inOrder(configCommand(view, "mode", "pull"), upCommand(view));
    if (!CLOUDFLOW_REGIONS.includes(region)) return [{ what: `CloudFlow is not in ${region}`, fix: pull }];
    const { flowName } = view.stack.outputs ?? {};
    try {
      const flow = await (flowName === undefined
        ? read(view, "ListFlows", { Limit: "1" })
        : read(view, "DescribeFlow", { Name: flowName }));
      const isOther = flowName !== undefined && textAt(flow, "Name") !== flowName;
      return isOther ? [{ what: `the workflow ${flowName} is gone`, fix: refreshCommand(view) }] : [];
    } catch (error) {
      if (!(error instanceof ControlError)) throw error;
      const { code = "" } = error;
      if (/FlowNotExist/.test(code)) return [{ what: `the workflow ${flowName} is gone`, fix: refreshCommand(view) }];
      // The codes of services that an account has not activated.
      if (/NotOpen|NotActivated|Unactivated|ServiceNotEnabled/i.test(code))
        return [
          { what: `the account has not activated CloudFlow (${code})`, fix: "activate it at https://fnf.console.aliyun.com/" },
        ];
      throw error;
    }
  },
};

const RECENT_MS = 20 * 60_000;
const MAX_LINES = 5_000;
/** What the dispatcher logs of a start that CloudFlow throttled: `the workflow ... could not be started: <code> (429)`. */
const THROTTLED =
  /workflow .* could not be started: .*(?:Throttl|ResourceExhausted|ConcurrencyLimit|QpsLimit|FlowControl|TooManyRequests|429)/i;

const cloudflowQuota: Check = {
  name: "cloudflow-quota",
  looksAt: "starts of the workflow that CloudFlow throttled in the last 20 minutes",
  why: "CloudFlow starts 100 executions a second and runs 10,000 at once for an account. Beyond that, keys wait.",
  when: "after",
  needs: ["credentials"],
  sides: (stack) => (isPush(stack) ? source : []),
  async run({ stack, signal }) {
    const log = await stack.bridge?.log({ sinceMs: stack.now() - RECENT_MS, limit: MAX_LINES, signal });
    const throttled = (log?.lines ?? []).filter(({ fields }) =>
      THROTTLED.test(String(at(fields, "reason") ?? at(fields, "error") ?? "")),
    );
    if (throttled.length === 0) return [];
    return [
      {
        what: `CloudFlow throttled ${throttled.length} starts of the workflow ${stack.outputs?.flowName} in the last 20 minutes`,
        fix: "open a ticket at https://workorder.console.aliyun.com/ for more StartExecution calls a second and more running executions of CloudFlow",
      },
    ];
  },
};

export const CLOUDFLOW_CHECKS: readonly Check[] = [cloudflow, cloudflowQuota];
