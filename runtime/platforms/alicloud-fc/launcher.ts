/** Starts the copier as an asynchronous invocation. */
import type { CopyLauncher } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import type { ControlApi } from "./control-api";

const ACCEPTED = 202;
const VERSION = "2023-03-30";

/** https://www.alibabacloud.com/help/en/functioncompute/api-fc-2023-03-30-invokefunction: the event is stored once 202 is answered. */
export function createCopyLauncher(api: ControlApi, functionName: string): CopyLauncher {
  return {
    async start(job) {
      const { status } = await api.call({
        op: "startCopy",
        what: `the copier ${functionName} could not be started`,
        action: "InvokeFunction",
        version: VERSION,
        roa: {
          pathname: `/${VERSION}/functions/${encodeURIComponent(functionName)}/invocations`,
          headers: { "x-fc-invocation-type": "Async" },
          body: Buffer.from(JSON.stringify(job)),
        },
      });
      if (status !== ACCEPTED)
        throw new BridgeError(
          "Unavailable",
          "startCopy",
          `starting the copier ${functionName} was answered ${status}, not ${ACCEPTED}`,
        );
    },
  };
}
