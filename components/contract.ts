/** The parts of the env contract that every cloud writes alike. */
import type { AuthConfig, ReceiverConfig, SenderConfig } from "../runtime/protocol/env";
import type { BridgeContext } from "./platform";

/** Names the bridge and both stores the same way at both ends, so provenance means the same everywhere. */
export function identity({ config }: Pick<BridgeContext, "config">) {
  return {
    bridgeId: config.name,
    sourceId: `${config.source.cloud}:${config.source.bucket}`,
    destinationId: `${config.destination.cloud}:${config.destination.bucket}`,
    logLevel: config.logLevel,
  };
}

/** `invoker` names the secret of the invoke-only key; with `auth: iam` alone. */
export function senderSettings(
  context: BridgeContext,
  secrets: { token: string; invoker: string | undefined },
): Omit<SenderConfig, "source" | "queueUrl" | "deadLetterUrl" | "receiverUrl"> {
  const { config } = context;
  return {
    ...identity(context),
    scope: config.scope,
    deletes: config.deletes,
    statusTags: config.statusTags,
    auth: senderAuth(context, secrets),
    urlExpiresInSeconds: config.timeouts.urlExpirySeconds,
    receiverTimeoutSeconds: config.timeouts.receiverSeconds,
    maxAttempts: config.maxAttempts,
  };
}

function senderAuth({ config }: BridgeContext, { token, invoker }: { token: string; invoker: string | undefined }): AuthConfig {
  if (invoker === undefined) return { kind: "token", parameter: token };
  return { kind: "iam", parameter: token, invokerParameter: invoker, region: config.destination.region };
}

export function receiverSettings(
  context: BridgeContext,
  { token, copierFunctionName }: { token: string; copierFunctionName: string },
): Pick<
  ReceiverConfig,
  | "bridgeId"
  | "sourceId"
  | "destinationId"
  | "logLevel"
  | "destinationPrefix"
  | "auth"
  | "inlineLimitBytes"
  | "timeoutSeconds"
  | "copier"
> {
  const { config } = context;
  return {
    ...identity(context),
    destinationPrefix: config.destination.prefix,
    auth:
      config.auth.kind === "iam"
        ? { kind: "iam", parameter: token, region: config.destination.region }
        : { kind: "token", parameter: token },
    inlineLimitBytes: config.inlineLimitBytes,
    timeoutSeconds: config.timeouts.receiverSeconds,
    copier: { functionName: copierFunctionName, timeoutSeconds: config.copy.timeoutSeconds },
  };
}
