/** The services that a role calls by control API: OOS for secrets, Function Compute for the copier. */

import type { CopyLauncher, LookStarter } from "../../protocol/ports";
import { encodeLooks } from "../../protocol/queue-messages";
import * as z from "../../protocol/schema";
import { BridgeError } from "../../stores/errors";
import type { ControlApi } from "./control-api";

const answerSchema = z.object({ Parameter: z.object({ Value: z.filledText }) });

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
 * Starts the copier as an asynchronous invocation.
 * https://www.alibabacloud.com/help/en/functioncompute/api-fc-2023-03-30-invokefunction
 */
export function createCopyLauncher(api: ControlApi, functionName: string): CopyLauncher {
  const what = `the copier ${functionName}`;
  return { start: (job) => invokeAsync(api, { op: "startCopy", what, functionName, payload: JSON.stringify(job) }) };
}

/**
 * An asynchronous invocation takes 128 KB. After its last retry Function Compute sends the payload, inside a JSON document with the answer, to the
 * dead-letter queue. SMQ takes 64 KB, and a document that is larger is lost. Escaped and in base64 the payload may grow to 2.7 times its size.
 * https://www.alibabacloud.com/help/en/fc/user-guide/result-callback
 */
const MAX_PAYLOAD_BYTES = 18 * 1024;

/** Starts a function that takes looks as an asynchronous invocation, or as several where the looks are too large for one. */
export function createLookStarter(api: ControlApi, functionName: string): LookStarter {
  const what = `the function ${functionName}`;
  return {
    async start(messages) {
      const payload = encodeLooks(messages);
      if (messages.length > 1 && Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) {
        const middle = Math.ceil(messages.length / 2);
        await this.start(messages.slice(0, middle));
        return await this.start(messages.slice(middle));
      }
      await invokeAsync(api, { op: "startLooks", what, functionName, payload });
    },
  };
}

/** Resolves once Function Compute has stored the event, which it answers with 202. */
async function invokeAsync(
  api: ControlApi,
  { op, what, functionName, payload }: { op: string; what: string; functionName: string; payload: string },
): Promise<void> {
  const { status } = await api.call({
    op,
    what: `${what} could not be started`,
    action: "InvokeFunction",
    version: VERSION,
    roa: {
      pathname: `/${VERSION}/functions/${encodeURIComponent(functionName)}/invocations`,
      headers: { "x-fc-invocation-type": "Async" },
      body: Buffer.from(payload),
    },
  });
  if (status !== ACCEPTED) throw new BridgeError("Unavailable", op, `starting ${what} was answered ${status}, not ${ACCEPTED}`);
}
