/** SecureStrings of the SSM parameter store. */
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { BridgeError } from "../../stores/errors";
import { CLIENT_OPTIONS } from "./clients";
import { toBridgeError } from "./errors";

/**
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 * @returns a function that reads the value; rejects with a BridgeError that names the parameter, never its value
 */
export function createParameterReader(client: Pick<SSMClient, "send">, name: string): () => Promise<string> {
  return async () => {
    const what = `the SSM parameter ${name} cannot be read`;
    const answer = await client.send(new GetParameterCommand({ Name: name, WithDecryption: true })).catch((cause: unknown) => {
      throw toBridgeError("secret", what, cause);
    });
    const value = answer.Parameter?.Value;
    if (!value) throw new BridgeError("NotFound", "secret", `${what}: it has no value`);
    return value;
  };
}

/** All that a role reads, by one client of the function's own region. */
export function readParameters(client: Pick<SSMClient, "send"> = new SSMClient(CLIENT_OPTIONS)) {
  return (name: string): (() => Promise<string>) => createParameterReader(client, name);
}
