/** Flows and executions over the control API, version 2019-03-15 (RPC). https://www.alibabacloud.com/help/en/serverless-workflow/latest/call-method */
import { randomUUID } from "node:crypto";
import * as z from "zod";
import { rpcParameters } from "../api/rpc-parameters";
import { type ApiAnswer, ApiError, type ApiHandler } from "../contracts";
import type { Clock } from "./clock";
import type { Execution } from "./execution";
import { flowOperations } from "./flow-operations";
import type { Flows } from "./flows";
import { isObject, parseJson } from "./json";
import { MAX_DATA_BYTES, NAME, OTHER_RATE, RATES, type Rate, TokenBucket } from "./limits";
import { type Operation, read } from "./operation";

const VERSION = "2019-03-15";
/**
 * RAM's resource for these operations is always `*` ("All Resource" in the vendor's table): a policy that names a single flow does not allow
 * them. https://www.alibabacloud.com/help/en/serverless-workflow/latest/api-fnf-2019-03-15-ram
 */
const ANY_RESOURCE = "*";

export interface ApiOptions {
  flows: Flows;
  clock: Clock;
  /** The rate of StartExecution. */
  startRate: Rate;
}

const name = z.string().regex(NAME);
const execution = { FlowName: name, ExecutionName: name };
const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max).optional();

const START = z.object({
  FlowName: name,
  ExecutionName: name.optional(),
  Input: z.string().optional(),
  CallbackFnFTaskToken: z.literal("", { error: "is not served by the local cloud" }).optional(),
  Qualifier: z.literal("", { error: "is not served by the local cloud" }).optional(),
});
const DESCRIBE = z.object({ ...execution, WaitTimeSeconds: whole(0, 60) });
const STOP = z.object({ ...execution, Error: z.string().max(128).optional(), Cause: z.string().max(4096).optional() });
const HISTORY = z.object({ ...execution, Limit: whole(1, 1000), NextToken: z.string().optional() });
const LIST = z.object({
  FlowName: name,
  Limit: whole(1, 100),
  NextToken: name.optional(),
  Status: z.enum(["Starting", "Running", "Stopped", "Succeeded", "Failed", "TimedOut"]).optional(),
  ExecutionNamePrefix: z.string().optional(),
  StartedTimeBegin: z.iso.datetime().optional(),
  StartedTimeEnd: z.iso.datetime().optional(),
});

export function createApi({ flows, clock, startRate }: ApiOptions): ApiHandler {
  const buckets = new Map<string, TokenBucket>();
  const throttle = (region: string, action: string) => {
    const key = `${region}/${action}`;
    const rate = action === "StartExecution" ? startRate : Object.hasOwn(RATES, action) ? (RATES[action] as Rate) : OTHER_RATE;
    const bucket = buckets.get(key) ?? new TokenBucket(rate, clock.now);
    buckets.set(key, bucket);
    if (!bucket.take()) throw new ApiError(429, "ResourceThrottled", "The request is throttled. Please try again later.");
  };

  function find(region: string, flowName: string, executionName: string): Execution {
    const found = flows.get(region, flowName).executions.get(executionName);
    if (found === undefined)
      throw new ApiError(404, "ExecutionNotExists", `Execution ${executionName} for flow ${flowName} does not exist.`);
    return found;
  }

  const operations: Readonly<Record<string, Operation>> = {
    ...flowOperations(flows),
    StartExecution(region, parameters) {
      // The prefix is needed because a UUID may begin with a digit and a name may not.
      const { FlowName, ExecutionName = `e-${randomUUID()}`, Input = "{}" } = read(START, parameters);
      const input = parseJson(Input);
      if (!isObject(input)) throw new ApiError(400, "InvalidArgument", "Input is a JSON object");
      if (Buffer.byteLength(Input) > MAX_DATA_BYTES)
        throw new ApiError(400, "EntityTooLarge", `The payload size exceeds maximum allowed size (${MAX_DATA_BYTES} bytes).`);
      return describe(flows.start(flows.get(region, FlowName), ExecutionName, input));
    },
    async DescribeExecution(region, parameters) {
      const { FlowName, ExecutionName, WaitTimeSeconds = 0 } = read(DESCRIBE, parameters);
      const found = find(region, FlowName, ExecutionName);
      if (found.running && WaitTimeSeconds > 0) await endOrPause(found, WaitTimeSeconds * 1000, clock);
      return describe(found);
    },
    async StopExecution(region, parameters) {
      const { FlowName, ExecutionName, Error: code = "", Cause = "" } = read(STOP, parameters);
      const found = find(region, FlowName, ExecutionName);
      if (!found.running) {
        const message = `Execution '${ExecutionName}' for flow '${FlowName}' has already completed.`;
        throw new ApiError(400, "ExecutionAlreadyCompleted", message);
      }
      found.stop(code, Cause);
      await found.done;
      return describe(found);
    },
    ListExecutions(region, parameters) {
      const { FlowName, Limit = 60, NextToken, ...filters } = read(LIST, parameters);
      const all = [...flows.get(region, FlowName).executions.values()].reverse();
      const from = NextToken === undefined ? 0 : all.findIndex((one) => one.name === NextToken);
      if (from < 0) throw new ApiError(400, "InvalidArgument", `NextToken ${NextToken} is not an execution`);
      const fitting = all.slice(from).filter((one) => fits(one, filters));
      const next = fitting[Limit];
      return { Executions: fitting.slice(0, Limit).map(describe), ...(next === undefined ? {} : { NextToken: next.name }) };
    },
    GetExecutionHistory(region, parameters) {
      const { FlowName, ExecutionName, Limit = 60, NextToken } = read(HISTORY, parameters);
      const { history } = find(region, FlowName, ExecutionName);
      if (history === undefined)
        throw new ApiError(404, "ExecutionNotExists", `The history of execution ${ExecutionName} is no longer kept.`);
      const from = Number(NextToken ?? 0);
      if (!Number.isInteger(from) || from < 0)
        throw new ApiError(400, "InvalidArgument", `NextToken ${NextToken} is not an event`);
      const Events = history.events.slice(from, from + Limit);
      return { Events, ...(from + Limit < history.events.length ? { NextToken: String(from + Limit) } : {}) };
    },
  };

  return async (call): Promise<ApiAnswer> => {
    if (call.version !== VERSION)
      throw new ApiError(
        400,
        "APIVersionNotSupported",
        `The requested API version '${call.version}' is not supported yet. Please check.`,
      );
    const operation = Object.hasOwn(operations, call.action) ? operations[call.action] : undefined;
    if (operation === undefined)
      throw new ApiError(400, "ActionNotSupported", `The requested API operation '${call.action}' is incorrect. Please check.`);
    call.authorize(`fnf:${call.action}`, ANY_RESOURCE);
    throttle(call.region, call.action);
    const answer = await operation(call.region, Object.fromEntries(rpcParameters(call)));
    return { status: 200, body: answer };
  };
}

function describe(one: Execution): object {
  const {
    name: Name,
    flowName: FlowName,
    status: Status,
    input: Input,
    output = "",
    startedTime,
    stoppedTime = "",
  } = one.record();
  const times = { StartedTime: startedTime, StoppedTime: stoppedTime };
  return { FlowName, Name, Status, Input, Output: output, ...times, FlowDefinition: one.definitionText };
}

function fits(one: Execution, filters: Omit<z.infer<typeof LIST>, "FlowName" | "Limit" | "NextToken">): boolean {
  const { Status = one.status, ExecutionNamePrefix = "", StartedTimeBegin, StartedTimeEnd } = filters;
  const after = StartedTimeBegin === undefined || one.startedAt >= Date.parse(StartedTimeBegin);
  const before = StartedTimeEnd === undefined || one.startedAt <= Date.parse(StartedTimeEnd);
  return one.status === Status && one.name.startsWith(ExecutionNamePrefix) && after && before;
}

async function endOrPause({ done }: Execution, ms: number, clock: Clock): Promise<void> {
  const pause = new AbortController();
  const paused = clock.sleep(ms, pause.signal).catch((error: unknown) => {
    if (!pause.signal.aborted) throw error;
  });
  await Promise.race([done, paused]);
  pause.abort();
  await paused;
}
