/** CloudFlow with a scripted function and one role, in virtual time: an execution that waits for hours ends within milliseconds. */
import { setImmediate } from "node:timers/promises";
import { ApiError, type CallRecord, type CloudFlow, type Invocation, type StsSession } from "../contracts";
import type { Principal } from "../oss/contracts";
import type { Clock } from "./clock";
import { type CloudFlowOptions, createCloudFlow } from "./cloud-flow";
import type { HistoryEvent } from "./history";
import { parseJson } from "./json";

export const SIMULATED_REGION = "cn-shanghai";
export const SIMULATED_ACCOUNT_ID = "3333333333333333";
/** The role that flows run as. */
export const SIMULATED_ROLE_ARN = `acs:ram::${SIMULATED_ACCOUNT_ID}:role/flow`;
/** The function that the script stands for. */
export const SIMULATED_FUNCTION_ARN = `acs:fc:${SIMULATED_REGION}:${SIMULATED_ACCOUNT_ID}:functions/worker`;

const CALLER: Principal = { accountId: SIMULATED_ACCOUNT_ID, arn: `acs:ram::${SIMULATED_ACCOUNT_ID}:root` };

export interface FunctionCall {
  /** Virtual time, ms since the epoch. */
  at: number;
  region: string;
  functionName: string;
  event: unknown;
}

/** Returns the function's answer. It may throw `FunctionFailure` or `ServiceFailure`; any other error is a fault of the script. */
export type FunctionScript = (event: never, call: FunctionCall) => unknown;

/** The function throws: Function Compute answers 200 with an error type. */
export class FunctionFailure extends Error {
  constructor(
    readonly errorType: string,
    /** The body of the answer. */
    readonly body: object,
  ) {
    super(JSON.stringify(body));
  }
}

/** Function Compute refuses the call. */
export class ServiceFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

/** Parameters of an answer of the API, by name. */
export type FlowAnswer = Record<string, string> & { Executions?: Record<string, string>[]; Events?: HistoryEvent[] };

export interface FlowSimulation {
  flow: CloudFlow;
  clock: VirtualClock;
  /** Every invocation, also those that failed. */
  calls: FunctionCall[];
  /** Every permission that a flow needed. */
  permissions: CallRecord[];
  /** The ARN of every role that was assumed. */
  assumed: string[];
  /** @default answers with the event */
  script: FunctionScript;
  /** Permissions of the flow's role. @default to invoke the function */
  allowed: (action: string, resource: string) => boolean;
  /** Permissions of the API's caller. @default everything */
  mayCall: (action: string, resource: string) => boolean;
  create(definition: unknown, changes?: { name?: string; region?: string; roleArn?: string }): void;
  /** Calls the API. */
  call(
    action: string,
    parameters: Record<string, string | number>,
    changes?: { region?: string; version?: string },
  ): Promise<FlowAnswer>;
  start(executionName: string, input?: unknown): Promise<FlowAnswer>;
  /** Starts an execution, lets time pass until it has ended, and describes it. */
  run(input?: unknown, executionName?: string): Promise<FlowAnswer>;
  history(executionName: string): Promise<HistoryEvent[]>;
}

export function simulateCloudFlow(options: Partial<CloudFlowOptions> = {}): FlowSimulation {
  const clock = new VirtualClock();
  const invoke = async (region: string, functionName: string, payload: Buffer): Promise<Invocation> => {
    const call = { at: clock.now(), region, functionName, event: parseJson(payload.toString()) ?? payload.toString() };
    simulation.calls.push(call);
    return answerOf(simulation.script, call);
  };
  const flow = createCloudFlow({
    accountId: SIMULATED_ACCOUNT_ID,
    now: clock.now,
    sleep: clock.sleep,
    fc: {
      invoke,
      invokeAsync: async (region, functionName, payload) => {
        await invoke(region, functionName, payload);
        return { requestId: "r" };
      },
    },
    ram: {
      ...oneRole(clock, (roleArn) => simulation.assumed.push(roleArn)),
      authorize: (_principal, action, resource) => (simulation.allowed(action, resource) ? "allow" : "none"),
    },
    onCall: (record) => simulation.permissions.push(record),
    ...options,
  });
  const simulation: FlowSimulation = {
    flow,
    clock,
    calls: [],
    permissions: [],
    assumed: [],
    script: (event) => event,
    allowed: (action, resource) => action === "fc:InvokeFunction" && resource === SIMULATED_FUNCTION_ARN,
    mayCall: () => true,
    create(definition, { name = "flow", region = SIMULATED_REGION, roleArn = SIMULATED_ROLE_ARN } = {}) {
      const text = typeof definition === "string" ? definition : JSON.stringify(definition);
      flow.createFlow(region, { name, definition: text, description: "a test", type: "FDL", roleArn });
    },
    async call(action, parameters, { region = SIMULATED_REGION, version = "2019-03-15" } = {}) {
      const { body } = await flow.api({
        region,
        caller: CALLER,
        action,
        version,
        method: "POST",
        path: "/",
        query: new URLSearchParams(Object.entries(parameters).map(([key, value]): [string, string] => [key, String(value)])),
        headers: {},
        body: Buffer.alloc(0),
        authorize(needed, resource) {
          if (!simulation.mayCall(needed, resource)) throw new ApiError(403, "NoPermission", `${needed} on ${resource}`);
        },
      });
      return body as FlowAnswer;
    },
    start: (ExecutionName, input = {}) =>
      simulation.call("StartExecution", { FlowName: "flow", ExecutionName, Input: JSON.stringify(input) }),
    async run(input = {}, executionName = "one") {
      await simulation.start(executionName, input);
      await clock.until(flow.idle());
      return simulation.call("DescribeExecution", { FlowName: "flow", ExecutionName: executionName });
    },
    async history(ExecutionName) {
      const { Events = [] } = await simulation.call("GetExecutionHistory", { FlowName: "flow", ExecutionName, Limit: 1000 });
      return Events;
    },
  };
  return simulation;
}

async function answerOf(script: FunctionScript, call: FunctionCall): Promise<Invocation> {
  const answer = (status: number, body: unknown, errorType?: string): Invocation => ({
    requestId: "r",
    status,
    payload: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    errorType,
  });
  try {
    return answer(200, await script(call.event as never, call));
  } catch (error) {
    if (error instanceof FunctionFailure) return answer(200, error.body, error.errorType);
    if (error instanceof ServiceFailure) return answer(error.status, { errorCode: error.code, errorMessage: "refused" });
    throw error;
  }
}

/** A RAM that has `SIMULATED_ROLE_ARN`, which trusts CloudFlow. */
function oneRole(clock: Clock, onAssume: (roleArn: string) => void): Pick<CloudFlowOptions["ram"], "assumeRole" | "find"> {
  const sessions = new Map<string, { principal: Principal; secret: string }>();
  return {
    assumeRole(roleArn, { service, sessionName, durationMs }): StsSession {
      if (roleArn !== SIMULATED_ROLE_ARN || service !== "fnf.aliyuncs.com")
        throw new ApiError(404, "EntityNotExist.Role", `no ${roleArn}`);
      onAssume(roleArn);
      const accessKeyId = `STS.${sessions.size}`;
      const arn = `acs:ram::${SIMULATED_ACCOUNT_ID}:assumed-role/flow/${sessionName}`;
      sessions.set(accessKeyId, { principal: { accountId: SIMULATED_ACCOUNT_ID, arn }, secret: "s" });
      return { accessKeyId, accessKeySecret: "s", securityToken: "t", expiresAt: clock.now() + durationMs };
    },
    find: (accessKeyId) => sessions.get(accessKeyId),
  };
}

interface Sleeper {
  at: number;
  wake(): void;
}

/** A clock that jumps to the next wake-up when all work waits for time. */
export class VirtualClock implements Clock {
  private time = Date.parse("2026-01-01T00:00:00Z");
  private sleepers: Sleeper[] = [];

  now = (): number => this.time;

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        signal?.removeEventListener("abort", stop);
        resolve();
      };
      const sleeper = { at: this.time + ms, wake };
      this.sleepers.push(sleeper);
      signal?.addEventListener("abort", stop);
    });

  /** Lets work that does not wait for time go on. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 3; turn += 1) await setImmediate();
  }

  async advance(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await this.settle();
      const [first] = this.sleepers.sort((a, b) => a.at - b.at);
      if (first === undefined || first.at > end) break;
      this.wakeFirst();
    }
    this.time = end;
  }

  /** Lets time pass until the work is done. @throws Error when the work waits for something else than time */
  async until<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const watched = work.finally(() => {
      ended = true;
    });
    watched.catch(() => {});
    for (;;) {
      await this.settle();
      if (ended) return watched;
      this.sleepers.sort((a, b) => a.at - b.at);
      if (this.sleepers.length === 0) throw new Error("the work is not done and does not wait for the clock");
      this.wakeFirst();
    }
  }

  private wakeFirst(): void {
    const first = this.sleepers.shift() as Sleeper;
    this.time = first.at;
    first.wake();
  }
}
