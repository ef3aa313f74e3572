/**
 * How events reach a bridge in Alibaba Cloud: each invokes a function at once. A variable of the functions lets them keep the keys in the work
 * queue instead. docs/adr/0054-a-pause-is-a-variable-of-the-functions.md
 */
import { createControlApi } from "../../runtime/platforms/alicloud-fc/control-api";
import { PAUSED_VARIABLE } from "../../runtime/platforms/paused";
import { CONFIG_VARIABLE } from "../../runtime/protocol/env";
import { at, isObject } from "../../runtime/protocol/json";
import { BridgeError } from "../../runtime/stores/errors";
import { abortable } from "../concurrency";
import type { AlicloudAccess, EventWay, EventWays } from "../operated-bridge";

const VERSION = "2023-03-30";

interface Call {
  signal?: AbortSignal | undefined;
}

/**
 * https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-updatefunction
 * An update replaces all variables of a function, and nothing else of it.
 */
export function openFunctionWays(access: AlicloudAccess, functionNames: readonly string[]): EventWays {
  return {
    read: (options = {}) =>
      Promise.all(
        functionNames.map(async (name): Promise<EventWay> => {
          const variables = await readVariables(access, name, options);
          return { name: `the function ${name}`, isOpen: variables[PAUSED_VARIABLE] === undefined };
        }),
      ),
    async set(isOpen, options = {}) {
      for (const name of functionNames) {
        const { [PAUSED_VARIABLE]: paused, ...others } = await readVariables(access, name, options);
        if (isOpen === (paused === undefined)) continue;
        const environmentVariables = isOpen ? others : { ...others, [PAUSED_VARIABLE]: "1" };
        await callFunction(access, { name, action: "UpdateFunction", method: "PUT", body: { environmentVariables } }, options);
      }
    },
  };
}

/** Rejects where the settings are missing: an update would then remove them. */
async function readVariables(access: AlicloudAccess, name: string, options: Call): Promise<Record<string, string>> {
  const found = await callFunction(access, { name, action: "GetFunction", method: "GET" }, options);
  const variables = at(found, "environmentVariables");
  if (isObject(variables) && CONFIG_VARIABLE in variables) return variables as Record<string, string>;
  throw new BridgeError("Unexpected", "ways", `the function ${name} has no variable ${CONFIG_VARIABLE}: run pulumi up --refresh`);
}

interface FunctionCall {
  name: string;
  action: string;
  method: "GET" | "PUT";
  body?: object;
}

async function callFunction(
  { region, credentials, originOf, ca }: AlicloudAccess,
  { name, action, method, body }: FunctionCall,
  { signal }: Call,
): Promise<unknown> {
  const { accessKeyId, accessKeySecret, securityToken = "" } = await credentials();
  const api = createControlApi({
    host: `fcv3.${region}.aliyuncs.com`,
    originOf,
    credentials: { current: () => ({ accessKeyId, accessKeySecret, securityToken }) },
    ca,
  });
  const call = api.call({
    ...{ op: "ways", what: `the function ${name} cannot be ${method === "GET" ? "read" : "changed"}`, action, method },
    version: VERSION,
    roa: {
      pathname: `/${VERSION}/functions/${encodeURIComponent(name)}`,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: Buffer.from(body === undefined ? "" : JSON.stringify(body)),
    },
  });
  return (await abortable(signal, call)).body;
}
