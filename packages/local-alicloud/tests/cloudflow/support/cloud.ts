/** CloudFlow between a scripted Function Compute and a RAM with one role, in virtual time. */
import { type CloudFlowOptions, createCloudFlow } from "../../../src/cloudflow/cloud-flow";
import type { HistoryEvent } from "../../../src/cloudflow/history";
import { parseJson } from "../../../src/cloudflow/json";
import { ApiError, type CallRecord, type CloudFlow, type Invocation, type StsSession } from "../../../src/contracts";
import type { Principal } from "../../../src/oss/contracts";
import { VirtualClock } from "./virtual-clock";

export const REGION = "cn-shanghai";
export const ACCOUNT_ID = "3333333333333333";
export const ROLE_ARN = `acs:ram::${ACCOUNT_ID}:role/flow`;
export const FUNCTION_ARN = `acs:fc:${REGION}:${ACCOUNT_ID}:functions/worker`;

const CALLER: Principal = { accountId: ACCOUNT_ID, arn: `acs:ram::${ACCOUNT_ID}:root` };

export interface FunctionCall {
  at: number;
  region: string;
  functionName: string;
  event: unknown;
}

/** What a function makes of its event: an answer, or a thrown error. */
export type Script = (event: never, call: FunctionCall) => unknown;

export interface Cloud {
  flow: CloudFlow;
  clock: VirtualClock;
  /** Every invocation, also those that failed. */
  calls: FunctionCall[];
  permissions: CallRecord[];
  /** Every AssumeRole. */
  assumed: string[];
  script: Script;
  /** What the flow's role may do. */
  allowed: (action: string, resource: string) => boolean;
  /** What whoever calls the API may do. */
  mayCall: (action: string, resource: string) => boolean;
  create(definition: unknown, changes?: { name?: string; region?: string; roleArn?: string }): void;
  call(
    action: string,
    parameters: Record<string, string | number>,
    changes?: { region?: string; version?: string },
  ): Promise<Answer>;
  start(executionName: string, input?: unknown): Promise<Answer>;
  /** Starts an execution and lets time pass until it has ended. */
  run(input?: unknown, executionName?: string): Promise<Answer>;
  history(executionName: string): Promise<HistoryEvent[]>;
}

export type Answer = Record<string, string> & { Executions?: Record<string, string>[]; Events?: HistoryEvent[] };

/** A function that throws: FC answers 200 and says so. */
export class FunctionFailure extends Error {
  constructor(
    readonly errorType: string,
    /** What FC puts into the body. */
    readonly body: object,
  ) {
    super(JSON.stringify(body));
  }
}

/** FC itself refuses. */
export class ServiceFailure extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
  ) {
    super(code);
  }
}

export function startCloud(options: Partial<CloudFlowOptions> = {}): Cloud {
  const clock = new VirtualClock();
  const sessions = new Map<string, { principal: Principal; secret: string }>();
  const invoke = async (region: string, functionName: string, payload: Buffer): Promise<Invocation> => {
    const call = { at: clock.now(), region, functionName, event: parseJson(payload.toString()) ?? payload.toString() };
    cloud.calls.push(call);
    const answer = (status: number, body: unknown, errorType?: string): Invocation => ({
      requestId: "r",
      status,
      payload: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
      ...(errorType === undefined ? {} : { errorType }),
    });
    try {
      return answer(200, await cloud.script(call.event as never, call));
    } catch (error) {
      if (error instanceof FunctionFailure) return answer(200, error.body, error.errorType);
      if (error instanceof ServiceFailure) return answer(error.status, { errorCode: error.code, errorMessage: "refused" });
      throw error;
    }
  };
  const flow = createCloudFlow({
    accountId: ACCOUNT_ID,
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
      assumeRole(roleArn, { service, sessionName, durationMs }): StsSession {
        if (roleArn !== ROLE_ARN || service !== "fnf.aliyuncs.com")
          throw new ApiError(404, "EntityNotExist.Role", `no ${roleArn}`);
        cloud.assumed.push(roleArn);
        const accessKeyId = `STS.${sessions.size}`;
        const arn = `acs:ram::${ACCOUNT_ID}:assumed-role/flow/${sessionName}`;
        sessions.set(accessKeyId, { principal: { accountId: ACCOUNT_ID, arn }, secret: "s" });
        return { accessKeyId, accessKeySecret: "s", securityToken: "t", expiresAt: clock.now() + durationMs };
      },
      find: (accessKeyId) => sessions.get(accessKeyId),
      authorize: (_principal, action, resource) => (cloud.allowed(action, resource) ? "allow" : "none"),
    },
    onCall: (record) => cloud.permissions.push(record),
    ...options,
  });
  const cloud: Cloud = {
    flow,
    clock,
    calls: [],
    permissions: [],
    assumed: [],
    script: (event) => event,
    allowed: (action, resource) => action === "fc:InvokeFunction" && resource === FUNCTION_ARN,
    mayCall: () => true,
    create(definition, { name = "flow", region = REGION, roleArn = ROLE_ARN } = {}) {
      const text = typeof definition === "string" ? definition : JSON.stringify(definition);
      flow.createFlow(region, { name, definition: text, description: "a test", type: "FDL", roleArn });
    },
    async call(action, parameters, { region = REGION, version = "2019-03-15" } = {}) {
      const { body } = await flow.api({
        region,
        caller: CALLER,
        action,
        method: "POST",
        path: "/",
        query: new URLSearchParams(Object.entries(parameters).map(([key, value]): [string, string] => [key, String(value)])),
        headers: { "x-acs-version": version },
        body: Buffer.alloc(0),
        authorize(needed, resource) {
          if (!cloud.mayCall(needed, resource)) throw new ApiError(403, "NoPermission", `${needed} on ${resource}`);
        },
      });
      return body as Answer;
    },
    start: (ExecutionName, input = {}) =>
      cloud.call("StartExecution", { FlowName: "flow", ExecutionName, Input: JSON.stringify(input) }),
    async run(input = {}, executionName = "one") {
      await cloud.start(executionName, input);
      await clock.until(flow.idle());
      return cloud.call("DescribeExecution", { FlowName: "flow", ExecutionName: executionName });
    },
    async history(ExecutionName) {
      const { Events = [] } = await cloud.call("GetExecutionHistory", { FlowName: "flow", ExecutionName, Limit: 1000 });
      return Events;
    },
  };
  return cloud;
}

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

/** How an execution that failed did. */
export const failureOf = (events: readonly HistoryEvent[]): unknown => {
  const last = events.at(-1);
  return last?.Type === "ExecutionFailed" ? JSON.parse(last.EventDetail) : last;
};

/** A minute, and then nothing. */
export const waiting = machine({ Type: "Wait", Name: "W", Seconds: 60, End: true });

export const names = (cloud: Cloud): string[] => cloud.flow.executions(REGION, "flow").map(({ name }) => name);

/** An ApiError. */
export const code = (code: string, status: number) => expect.objectContaining({ code, status });
