/** Changes the configuration of a deployed function without a stack setting, for example to use a proxy. */
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { clientConfig } from "../../../local/aws/client-config";
import type { LocalPartition } from "../../../local/aws/local-aws";
import { CONFIG_VARIABLE, parseEnv, type Role, type RoleConfig } from "../../../runtime/protocol/env";

/** Resolves when new invocations see the change. Running workers end. */
export async function changeFunctionConfig<R extends Role>(
  cloud: LocalPartition,
  functionName: string,
  role: R,
  change: (config: RoleConfig<R>) => RoleConfig<R>,
): Promise<void> {
  const client = new LambdaClient(clientConfig(cloud));
  try {
    const { Environment } = await client.send(new GetFunctionConfigurationCommand({ FunctionName: functionName }));
    const variables = Environment?.Variables ?? {};
    const changed = change(parseEnv(role, variables));
    await client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: functionName,
        Environment: { Variables: { ...variables, [CONFIG_VARIABLE]: JSON.stringify(changed) } },
      }),
    );
    await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 10, minDelay: 0.1, maxDelay: 0.5 }, { FunctionName: functionName });
  } finally {
    client.destroy();
  }
}
