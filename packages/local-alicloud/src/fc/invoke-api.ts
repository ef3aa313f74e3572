import { type ApiAnswer, ApiError, type ApiHandler } from "../contracts";
import type { DeployedFunction } from "./deployed-function";
import { type Outcome, publicErrorType } from "./instance";
import { decodeName, invalidArgument } from "./names";

const PATH = /^\/2023-03-30\/functions\/([^/]+)\/invocations$/;
/** Headers of features that are not served. */
const NOT_SERVED = ["x-fc-async-task-id", "x-fc-async-delay", "x-fc-stateful-async-invocation-id"];

export interface InvokeApiOptions {
  /** @throws ApiError `FunctionNotFound` */
  find: (region: string, functionName: string) => DeployedFunction;
  /** The ARN of a function in RAM. */
  arn: (region: string, functionName: string) => string;
  invoke: (deployed: DeployedFunction, payload: Buffer) => Promise<Outcome & { requestId: string }>;
  invokeAsync: (deployed: DeployedFunction, payload: Buffer) => { requestId: string };
}

/** InvokeFunction. https://www.alibabacloud.com/help/en/functioncompute/api-fc-2023-03-30-invokefunction */
export function invokeApi(options: InvokeApiOptions): ApiHandler {
  return async (call): Promise<ApiAnswer> => {
    const [, name] = PATH.exec(call.path) ?? [];
    if (name === undefined || call.method !== "POST")
      throw new ApiError(400, "PathNotSupported", `'${call.method}' against '${call.path}' is not supported`);
    const functionName = decodeName(name);
    call.authorize("fc:InvokeFunction", options.arn(call.region, functionName));
    const deployed = options.find(call.region, functionName);
    const qualifier = call.query.get("qualifier") ?? "LATEST";
    if (qualifier !== "LATEST") throw invalidArgument(`qualifier '${qualifier}' is not served here: a function has LATEST only`);
    for (const header of NOT_SERVED)
      if (call.headers[header] !== undefined) throw invalidArgument(`the header ${header} is not served here`);
    const type = oneOf(call.headers, "x-fc-invocation-type", ["Sync", "Async"]);
    const logType = oneOf(call.headers, "x-fc-log-type", ["None", "Tail"]);
    if (type === "Async") {
      const { requestId } = options.invokeAsync(deployed, call.body);
      return { status: 202, headers: { "x-fc-request-id": requestId } };
    }
    const { requestId, payload, errorType, logTail } = await options.invoke(deployed, call.body);
    return {
      status: 200,
      headers: {
        "content-type": "application/octet-stream",
        "x-fc-request-id": requestId,
        "x-fc-code-checksum": deployed.record.codeChecksum,
        ...(errorType === undefined ? {} : { "x-fc-error-type": publicErrorType(errorType) }),
        ...(logType === "Tail" ? { "x-fc-log-result": Buffer.from(logTail).toString("base64") } : {}),
      },
      body: payload,
    };
  };
}

/** The value of the header; the first one when the header is missing. */
function oneOf(headers: Readonly<Record<string, string>>, name: string, values: readonly [string, ...string[]]): string {
  const value = headers[name] ?? values[0];
  if (!values.includes(value)) throw invalidArgument(`${name} is '${value}'; it must be ${values.join(" or ")}`);
  return value;
}
