import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";

/** The decrypted value of a parameter. */
export async function readParameter(cloud: LocalPartition, name: string): Promise<string> {
  const ssm = new SSMClient(clientConfig(cloud));
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: name, WithDecryption: true }));
    return Parameter?.Value ?? "";
  } finally {
    ssm.destroy();
  }
}
