/** Functions of Function Compute. https://www.alibabacloud.com/help/en/functioncompute/api-fc-2023-03-30-invokefunction */
import { type ControlAnswer, createControlApi } from "../../runtime/platforms/alicloud-fc/control-api";
import { BridgeError } from "../../runtime/stores/errors";
import { errorMessageIn, functionFailed, notJson } from "../function-answer";
import type { FunctionInvoker } from "../operated-bridge";
import type { AlibabaAccess } from "../side-access";
import { whileWanted } from "../while-wanted";

const VERSION = "2023-03-30";
const ACCEPTED = 202;
/** As long as on AWS: nothing that is invoked here runs for longer. */
const ANSWER_TIMEOUT_MS = 910_000;
const STORED_TIMEOUT_MS = 30_000;

export function createFcInvoker({ region, credentials, originOf, ca }: AlibabaAccess): FunctionInvoker {
  async function call(functionName: string, type: "Sync" | "Async", body: Buffer): Promise<ControlAnswer> {
    const { accessKeyId, accessKeySecret, securityToken = "" } = await credentials();
    const api = createControlApi({
      host: `fcv3.${region}.aliyuncs.com`,
      originOf,
      credentials: { current: () => ({ accessKeyId, accessKeySecret, securityToken }) },
      timeoutMs: type === "Sync" ? ANSWER_TIMEOUT_MS : STORED_TIMEOUT_MS,
      ...(ca === undefined ? {} : { ca }),
    });
    return api.call({
      op: type === "Sync" ? "invoke" : "invokeAsync",
      what: `the function ${functionName} could not be invoked`,
      action: "InvokeFunction",
      version: VERSION,
      roa: {
        pathname: `/${VERSION}/functions/${encodeURIComponent(functionName)}/invocations`,
        headers: { "x-fc-invocation-type": type },
        body,
      },
      ...(type === "Sync" ? { once: true as const } : {}),
    });
  }

  return {
    async invoke(functionName, payload, { signal } = {}) {
      const { body } = await whileWanted(signal, call(functionName, "Sync", Buffer.from(JSON.stringify(payload))));
      // A function that failed is answered with 200 as well, and with a text of this shape.
      const reason = errorMessageIn(body);
      if (reason !== undefined) throw functionFailed(functionName, reason);
      if (body === undefined) throw notJson(functionName);
      return body;
    },
    async invokeAsync(functionName, payload, { signal } = {}) {
      const { status } = await whileWanted(signal, call(functionName, "Async", Buffer.from(payload)));
      if (status !== ACCEPTED)
        throw new BridgeError("Unavailable", "invokeAsync", `${functionName} answered ${status}, not ${ACCEPTED}`);
    },
  };
}
