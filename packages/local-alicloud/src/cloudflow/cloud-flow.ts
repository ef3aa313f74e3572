/** CloudFlow: flows in the new flow definition language (FDL v1), standard mode. */
import type { CallRecord, CloudFlow, FunctionCompute, Ram } from "../contracts";
import { createApi } from "./api";
import { type Clock, systemClock } from "./clock";
import { Flows } from "./flows";
import { createInvoker } from "./invoke-function";
import { MAX_RUNNING, RATES } from "./limits";

export interface CloudFlowOptions {
  ram: Pick<Ram, "assumeRole" | "find" | "authorize">;
  accountId: string;
  fc: Pick<FunctionCompute, "invoke" | "invokeAsync">;
  /** Replaced together with `sleep` for virtual time. @default the system's clock */
  now?: () => number;
  sleep?: Clock["sleep"];
  /** StartExecution calls per second and region, and the burst. @default 100 */
  startRatePerSecond?: number;
  /** Executions that may run at the same time. @default 10,000 */
  maxRunning?: number;
  /** Ended executions to remember. The name of a forgotten one can be used again. @default 20,000 */
  keptExecutions?: number;
  /** Ended executions whose history is remembered. @default 1,000 */
  keptHistories?: number;
  onCall?: (record: CallRecord) => void;
}

export function createCloudFlow(options: CloudFlowOptions): CloudFlow {
  const { ram, accountId, fc, now = systemClock.now, sleep = systemClock.sleep, onCall } = options;
  const { maxRunning = MAX_RUNNING, keptExecutions = 20_000, keptHistories = 1_000 } = options;
  const rate = options.startRatePerSecond ?? RATES.StartExecution?.perSecond ?? 100;
  const clock = { now, sleep };
  const invoke = createInvoker({ ram, accountId, fc, now, ...(onCall ? { onCall } : {}) });
  const flows = new Flows({ clock, invoke, accountId, maxRunning, keptExecutions, keptHistories });
  return {
    createFlow: (region, spec) => flows.create(region, spec),
    updateFlow: (region, name, changes) => flows.update(region, name, changes),
    getFlow(region, name) {
      const flow = flows.find(region, name);
      if (flow === undefined) return undefined;
      const { id, createdTime, lastModifiedTime, spec } = flow;
      return { ...spec, id, createdTime, lastModifiedTime };
    },
    deleteFlow: (region, name) => flows.delete(region, name),
    executions: (region, flowName) => [...flows.get(region, flowName).executions.values()].map((execution) => execution.record()),
    api: createApi({ flows, clock, startRate: { burst: rate, perSecond: rate } }),
    idle: () => flows.idle(),
    stop: () => flows.stop(),
  };
}
