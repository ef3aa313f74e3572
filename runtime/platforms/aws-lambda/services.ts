/** The AWS services that a role calls beside its store and its queues: SSM for secrets, Lambda for the copier. */
import { InvokeCommand, type LambdaClient } from "@aws-sdk/client-lambda";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { CopyLauncher } from "../../protocol/ports";
import type { InvokerCredentials } from "../../roles/sender/sign-iam";
import { BridgeError } from "../../stores/errors";
import { toBridgeError } from "./errors";
import { CLIENT_OPTIONS } from "./start";

/**
 * Reads SecureStrings of the SSM parameter store.
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 * @returns a function that takes a name and returns a reader. The reader rejects with a BridgeError that names the parameter, never its value.
 */
export function readParameters(client: Pick<SSMClient, "send"> = new SSMClient(CLIENT_OPTIONS)) {
  return (name: string) => async (): Promise<string> => {
    const what = `the SSM parameter ${name} cannot be read`;
    const answer = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true })).catch((cause: unknown) => {
      throw toBridgeError("secret", what, cause);
    });
    const value = answer.Parameter?.Value;
    if (!value) throw new BridgeError("NotFound", "secret", `${what}: it has no value`);
    return value;
  };
}

/** The credentials that Lambda gives the function. @throws Error that names the missing variables. */
export function ownCredentials(env: Readonly<Record<string, string | undefined>>): InvokerCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (!accessKeyId || !secretAccessKey) throw new Error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

const ACCEPTED = 202;

/**
 * Starts the copier as an asynchronous invocation. Lambda has stored the event once it answers 202.
 * https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
 */
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
