/**
 * The action of a Task: invokes a function as the flow's role.
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/integrated-function-compute
 */
import { ApiError, type CallRecord, type FunctionCompute, type Invocation, type Ram, type StsSession } from "../contracts";
import type { Principal } from "../oss/contracts";
import type { TaskState } from "./definition";
import { FlowError } from "./flow-error";
import { isObject, type Json, type JsonObject, parseJson } from "./json";
import { MAX_DETAIL_CHARACTERS } from "./limits";

export interface InvokerOptions {
  ram: Pick<Ram, "assumeRole" | "find" | "authorize">;
  accountId: string;
  fc: Pick<FunctionCompute, "invoke" | "invokeAsync">;
  now: () => number;
  onCall?: (record: CallRecord) => void;
}

/** The execution that runs the task. */
export interface InvokeContext {
  region: string;
  /** Empty when the flow has no role. */
  roleArn: string;
  /** Name of the execution. */
  name: string;
}

export type Invoker = (context: InvokeContext, task: TaskState, body: Json) => Promise<JsonObject>;

const SESSION_MS = 3_600_000;
/** A session with less time left is replaced. */
const RENEW_MS = 300_000;
/** An empty region or account means the flow's own. LATEST is the only version. */
const ARN = /^acs:fc:([a-z0-9-]*):(\d*):functions\/([A-Za-z_][A-Za-z0-9_-]*)(?:\/LATEST)?$/;

/** The invoker throws FlowErrors only, so that the flow can handle every failure of a function. */
export function createInvoker({ ram, accountId, fc, now, onCall }: InvokerOptions): Invoker {
  const sessions = new Map<string, StsSession>();

  function assume(roleArn: string, sessionName: string): Principal {
    const known = sessions.get(roleArn);
    const principal =
      known !== undefined && known.expiresAt - now() > RENEW_MS ? ram.find(known.accessKeyId)?.principal : undefined;
    if (principal !== undefined) return principal;
    const session = ram.assumeRole(roleArn, { service: "fnf.aliyuncs.com", sessionName, durationMs: SESSION_MS });
    sessions.set(roleArn, session);
    const found = ram.find(session.accessKeyId);
    if (found === undefined) throw new ApiError(403, "InvalidSecurityToken", `the session of ${roleArn} is not known`);
    return found.principal;
  }

  return async ({ region, roleArn, name }, task, body) => {
    const [, arnRegion, arnAccount, functionName] = ARN.exec(task.resourceArn) ?? [];
    if (functionName === undefined) throw failure("FC.InvalidArgument", `${task.resourceArn} names no function`);
    const functionRegion = arnRegion || region;
    try {
      if (arnAccount && arnAccount !== accountId)
        throw new ApiError(403, "AccessDenied", `${task.resourceArn} is of another account`);
      if (roleArn === "") throw new ApiError(403, "AccessDenied", "the flow has no role to invoke functions with");
      const principal = assume(roleArn, name);
      const resource = `acs:fc:${functionRegion}:${accountId}:functions/${functionName}`;
      const context = { conditions: { "acs:SecureTransport": "true" } };
      const allowed = ram.authorize(principal, "fc:InvokeFunction", resource, context) === "allow";
      onCall?.({ principal, action: "fc:InvokeFunction", resource, allowed });
      if (!allowed) throw new ApiError(403, "AccessDenied", `${principal.arn} may not fc:InvokeFunction on ${resource}`);
      const payload = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
      if (task.invocationType === "Async") {
        await fc.invokeAsync(functionRegion, functionName, payload);
        return {};
      }
      return answer(await fc.invoke(functionRegion, functionName, payload));
    } catch (error) {
      if (error instanceof FlowError) throw error;
      if (error instanceof ApiError) throw failure(`FC.${error.code}`, error.message);
      throw failure("FC.InternalServerError", error instanceof Error ? (error.stack ?? error.message) : String(error));
    }
  };
}

/**
 * The output is `{ Body: <answer> }`: the vendor's examples read `$Output.Body`. Other fields are not documented, so there are none here.
 */
function answer({ status, errorType, payload }: Invocation): JsonObject {
  const text = payload.toString("utf8");
  const json = parseJson(text);
  if (status !== 200) throw failure(`FC.${nameIn(json, ["errorCode", "Code", "ErrorCode"]) ?? "Unknown"}`, text);
  // An error that the function threw has a name; the end of its process has none.
  if (errorType !== undefined) throw failure(nameIn(json, ["errorType"]) ?? "FC.Unknown", text);
  return { Body: json ?? text };
}

function nameIn(json: Json | undefined, keys: readonly string[]): string | undefined {
  const values = isObject(json) ? keys.map((key) => json[key]) : [];
  return values.find((value): value is string => typeof value === "string" && value !== "");
}

const failure = (code: string, detail: string): FlowError => new FlowError(code, detail.slice(0, MAX_DETAIL_CHARACTERS), true);
