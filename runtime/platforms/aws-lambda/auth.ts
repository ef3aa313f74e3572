/** Where the signing secrets and the invoker's key come from. */
import { SSMClient } from "@aws-sdk/client-ssm";
import type { Clock, Logger } from "../../ports";
import type { AuthConfig } from "../../protocol/env";
import { parseSecrets, type Secret } from "../../protocol/signing";
import { createIamSigner, type InvokerCredentials, parseInvoker, type RequestSigner } from "../../sender/sign-iam";
import { createSecretCache, type SecretSource } from "../secret-cache";
import { CLIENT_OPTIONS } from "./clients";
import { createParameterReader } from "./secrets";

export interface AuthDeps {
  auth: AuthConfig;
  clock: Clock;
  logger: Logger;
  /** @default a client of the function's own region */
  ssm?: Pick<SSMClient, "send">;
}

export function createSecrets({ auth, clock, logger, ssm = new SSMClient(CLIENT_OPTIONS) }: AuthDeps): SecretSource<Secret[]> {
  return createSecretCache({ load: createParameterReader(ssm, auth.parameter), parse: parseSecrets, clock, logger });
}

/** Undefined with `auth: token`, where the body's signature is all. */
export function createInvokeSigner(
  { auth, clock, logger, ssm = new SSMClient(CLIENT_OPTIONS) }: AuthDeps,
  own: () => InvokerCredentials,
): RequestSigner | undefined {
  if (auth.kind === "token") return undefined;
  const { invokerParameter, region } = auth;
  // Inside one partition the function's own role may invoke; a role of another partition means nothing there.
  const credentials =
    invokerParameter === undefined
      ? async () => own()
      : createSecretCache({ load: createParameterReader(ssm, invokerParameter), parse: parseInvoker, clock, logger });
  return createIamSigner({ region, credentials: () => credentials(), clock });
}
