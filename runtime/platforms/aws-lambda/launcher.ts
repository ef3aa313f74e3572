/** Starts the copier as an asynchronous invocation. */
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import type { CopyLauncher } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import { toBridgeError } from "./errors";

const ACCEPTED = 202;

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: the event is stored once 202 is answered. */
export function createCopyLauncher(client: Pick<LambdaClient, "send">, functionName: string): CopyLauncher {
  return {
    async start(job) {
      const answer = await client
        .send(
          new InvokeCommand({ FunctionName: functionName, InvocationType: "Event", Payload: Buffer.from(JSON.stringify(job)) }),
        )
        .catch((cause: unknown) => {
          throw toBridgeError("startCopy", `the copier ${functionName} could not be started`, cause);
        });
      if (answer.StatusCode !== ACCEPTED) {
        throw new BridgeError(
          "Unavailable",
          "startCopy",
          `starting the copier ${functionName} was answered ${answer.StatusCode}, not ${ACCEPTED}`,
        );
      }
    },
  };
}
