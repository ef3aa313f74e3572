/** Parts of flows and helpers for simulations. */

import type { HistoryEvent } from "../../../src/cloudflow/history";
import {
  SIMULATED_ACCOUNT_ID as ACCOUNT_ID,
  type FlowAnswer as Answer,
  type FlowSimulation as Cloud,
  SIMULATED_FUNCTION_ARN as FUNCTION_ARN,
  FunctionFailure,
  SIMULATED_REGION as REGION,
  SIMULATED_ROLE_ARN as ROLE_ARN,
  ServiceFailure,
  simulateCloudFlow as startCloud,
  VirtualClock,
} from "../../../src/cloudflow/simulation";

export {
  ACCOUNT_ID,
  type Answer,
  type Cloud,
  FUNCTION_ARN,
  FunctionFailure,
  REGION,
  ROLE_ARN,
  ServiceFailure,
  startCloud,
  VirtualClock,
};

export const machine = (...States: object[]) => ({
  Type: "StateMachine",
  SpecVersion: "v1",
  Name: "flow",
  StartAt: (States[0] as { Name: string }).Name,
  States,
});

export const task = (changes: object = {}, Parameters: object = { "body.$": "$Input" }) => ({
  Type: "Task",
  Name: "Work",
  Action: "FC:InvokeFunction",
  TaskMode: "RequestComplete",
  Parameters: { resourceArn: `${FUNCTION_ARN}/LATEST`, invocationType: "Sync", ...Parameters },
  ...("Next" in changes ? {} : { End: true }),
  ...changes,
});

/** The error of an execution that failed. */
export const failureOf = (events: readonly HistoryEvent[]): unknown => {
  const last = events.at(-1);
  return last?.Type === "ExecutionFailed" ? JSON.parse(last.EventDetail) : last;
};

/** A flow that waits a minute. */
export const waiting = machine({ Type: "Wait", Name: "W", Seconds: 60, End: true });

export const names = (cloud: Cloud): string[] => cloud.flow.executions(REGION, "flow").map(({ name }) => name);

/** Matches an ApiError. */
export const code = (code: string, status: number) => expect.objectContaining({ code, status });
