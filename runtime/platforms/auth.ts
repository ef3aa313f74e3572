/** Reads the signing secrets and the invoker's key, on every platform. */
import type { AwsCredentialsProvider } from "../http/sigv4";
import type { AuthConfig } from "../protocol/env";
import type { Clock, Logger } from "../protocol/ports";
import { parseSecrets, type Secret } from "../protocol/signing";
import { createIamSigner, parseInvoker, type RequestSigner } from "../roles/sender/sign-iam";
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
 * Returns the platform's signer; undefined with `auth: token`, where only the body is signed.
 * @param own the function's own credentials; absent outside AWS
 * @throws BridgeError `ConfigInvalid` outside AWS without the invoke-only user's key
 */
export function createInvokeSigner(
  { auth, clock, logger, readParameter }: AuthDeps,
  own?: AwsCredentialsProvider,
): RequestSigner | undefined {
  if (auth.kind === "token") return undefined;
  const { invokerParameter, region } = auth;
  // The function's own role may invoke inside its partition; another partition does not know it.
  if (invokerParameter === undefined) {
    if (own === undefined)
      throw new BridgeError(
        "ConfigInvalid",
        "auth",
        "auth.kind: iam from outside AWS needs auth.invokerParameter, the invoke-only user's key",
      );
    return createIamSigner({ region, credentials: own, clock });
  }
  const invoker = createSecretCache({ load: readParameter(invokerParameter), parse: parseInvoker, clock, logger });
  return createIamSigner({ region, credentials: () => invoker(), clock });
}
