/** The services that a role calls by control API: OOS for secrets, Function Compute for the copier. */
import * as z from "zod";
import type { CopyLauncher } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import type { ControlApi } from "./control-api";

const answerSchema = z.object({ Parameter: z.object({ Value: z.string().min(1) }) });

/**
 * Reads secret parameters of OOS.
 * https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-getsecretparameter
 * @returns a function that takes a name and returns a reader. The reader rejects with a BridgeError that names the parameter, never its value.
 */
export function readParameters(api: ControlApi, region: string): (name: string) => () => Promise<string> {
  return (name) => async () => {
    const what = `the OOS secret parameter ${name} cannot be read`;
    const { body } = await api.call({
      op: "secret",
      what,
      action: "GetSecretParameter",
      version: "2019-06-01",
      query: { RegionId: region, Name: name, WithDecryption: "true" },
    });
    const parsed = answerSchema.safeParse(body);
    if (!parsed.success) throw new BridgeError("NotFound", "secret", `${what}: it has no value`);
    return parsed.data.Parameter.Value;
  };
}

const ACCEPTED = 202;
const VERSION = "2023-03-30";

/**
 * Starts the copier as an asynchronous invocation. Function Compute has stored the event once it answers 202.
 * https://www.alibabacloud.com/help/en/functioncompute/api-fc-2023-03-30-invokefunction
 */
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
