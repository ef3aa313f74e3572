/** The AWS services that a role calls beside its store and its queues: SSM for secrets, Lambda for the copier. */
import { encodeRfc3986 } from "../../http/sigv4";
import { at, textAt } from "../../protocol/json";
import type { CopyLauncher } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import type { AwsApi } from "./api";

/**
 * Reads SecureStrings of the SSM parameter store.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 * @returns a function that takes a name and returns a reader. The reader rejects with a BridgeError that names the parameter, never its value.
 */
export function readParameters(api: Pick<AwsApi, "ssm">) {
  return (name: string) => async (): Promise<string> => {
    const what = `the SSM parameter ${name} cannot be read`;
    const input = { Name: name, WithDecryption: true };
    const answer = await api.ssm({ op: "secret", what, action: "GetParameter", input });
    const value = textAt(at(answer, "Parameter"), "Value");
    if (!value) throw new BridgeError("NotFound", "secret", `${what}: it has no value`);
    return value;
  };
}

const ACCEPTED = 202;

/**
 * Starts the copier as an asynchronous invocation. Lambda has stored the event once it answers 202.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
export function createCopyLauncher(api: Pick<AwsApi, "send">, functionName: string): CopyLauncher {
  return {
    async start(job) {
      const { status } = await api.send({
        service: "lambda",
        op: "startCopy",
        what: `the copier ${functionName} could not be started`,
        path: `/2015-03-31/functions/${encodeRfc3986(functionName)}/invocations`,
        headers: { "content-type": "application/octet-stream", "x-amz-invocation-type": "Event" },
        body: JSON.stringify(job),
      });
      if (status === ACCEPTED) return;
      const what = `starting the copier ${functionName} was answered ${status}, not ${ACCEPTED}`;
      throw new BridgeError("Unavailable", "startCopy", what);
    },
  };
}
