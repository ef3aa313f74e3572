/** Where the signing secrets and the invoker's key come from, on every platform. */

import type { AuthConfig } from "../protocol/env";
import type { Clock, Logger } from "../protocol/ports";
import { parseSecrets, type Secret } from "../protocol/signing";
import { createIamSigner, type InvokerCredentials, parseInvoker, type RequestSigner } from "../roles/sender/sign-iam";
import { BridgeError } from "../stores/errors";
import { createSecretCache, type SecretSource } from "./secret-cache";

export interface AuthDeps {
  auth: AuthConfig;
  clock: Clock;
  logger: Logger;
  /** Reads one parameter of the platform's secret store; see `SecretCacheOptions.load`. */
  readParameter(name: string): () => Promise<string>;
}

export function createSecrets({ auth, clock, logger, readParameter }: AuthDeps): SecretSource<Secret[]> {
  return createSecretCache({ load: readParameter(auth.parameter), parse: parseSecrets, clock, logger });
}

/**
 * Undefined with `auth: token`, where the body's signature is all.
 * @param own the function's own credentials, where AWS knows them
 * @throws BridgeError `ConfigInvalid` where the function has nobody's credentials to sign with.
 */
export function createInvokeSigner(
  { auth, clock, logger, readParameter }: AuthDeps,
  own?: () => InvokerCredentials,
): RequestSigner | undefined {
  if (auth.kind === "token") return undefined;
  const { invokerParameter, region } = auth;
  // Inside one partition the function's own role may invoke; a role of another partition means nothing there.
  if (invokerParameter === undefined) {
    if (own === undefined)
      throw new BridgeError(
        "ConfigInvalid",
        "auth",
        "auth: iam from outside AWS needs auth.invokerParameter, the invoke-only user's key",
      );
    return createIamSigner({ region, credentials: async () => own(), clock });
  }
  const invoker = createSecretCache({ load: readParameter(invokerParameter), parse: parseInvoker, clock, logger });
  return createIamSigner({ region, credentials: () => invoker(), clock });
}
