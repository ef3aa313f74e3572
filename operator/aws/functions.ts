/** Functions of AWS Lambda. https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import { parseJson } from "../../runtime/protocol/json";
import { BridgeError } from "../../runtime/stores/errors";
import { errorMessageIn, functionFailed, notJson } from "../function-answer";
import type { FunctionInvoker } from "../operated-bridge";
import type { AwsAccess } from "../side-access";
import { awsClientOptions } from "./client-options";

/** A function runs for 900 s at most. */
const ANSWER_TIMEOUT_MS = 910_000;
const ACCEPTED = 202;

export interface LambdaInvoker extends FunctionInvoker {
  close(): void;
}

export function createLambdaInvoker(access: AwsAccess): LambdaInvoker {
  // A call whose answer got lost may have done its work: repeating it is the caller's decision.
  const waiting = new LambdaClient({ ...awsClientOptions(access, ANSWER_TIMEOUT_MS), maxAttempts: 1 });
  const storing = new LambdaClient(awsClientOptions(access));
  return {
    async invoke(functionName, payload, { signal } = {}) {
      const answer = await waiting
        .send(
          new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(payload)) }),
          signal === undefined ? {} : { abortSignal: signal },
        )
        .catch((cause: unknown) => {
          signal?.throwIfAborted();
          throw toBridgeError("invoke", `the function ${functionName} could not be invoked`, cause);
        });
      const body = parseJson(answer.Payload?.transformToString() ?? "");
      if (answer.FunctionError !== undefined) throw functionFailed(functionName, errorMessageIn(body));
      if (body === undefined) throw notJson(functionName);
      return body;
    },
    async invokeAsync(functionName, payload, { signal } = {}) {
      const { StatusCode } = await storing
        .send(
          new InvokeCommand({ FunctionName: functionName, InvocationType: "Event", Payload: Buffer.from(payload) }),
          signal === undefined ? {} : { abortSignal: signal },
        )
        .catch((cause: unknown) => {
          signal?.throwIfAborted();
          throw toBridgeError("invokeAsync", `the event for ${functionName} could not be stored`, cause);
        });
      if (StatusCode !== ACCEPTED)
        throw new BridgeError("Unavailable", "invokeAsync", `${functionName} answered ${StatusCode}, not ${ACCEPTED}`);
    },
    close: () => {
      waiting.destroy();
      storing.destroy();
    },
  };
}
