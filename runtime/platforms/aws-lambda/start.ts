/** Starts a function: reads its configuration, creates its clock and log, wraps its handler, and opens its stores. */
import type { AwsCredentials, AwsCredentialsProvider } from "../../http/sigv4";
import { parseEnv, type Role, type RoleConfig, type StoreConfig } from "../../protocol/env";
import { type Clock, type Deadline, type Logger, systemClock } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { createS3Store } from "../../stores/s3/store";
import type { FlushableMetrics } from "../handlers";
import { createLogger } from "../logger";
import { type AwsApi, createAwsApi, readEndpoint } from "./api";

export interface FunctionBase {
  clock: Clock;
  logger: Logger;
  /** The function's own, from its role. */
  credentials: AwsCredentialsProvider;
  api: AwsApi;
}

type Env = Readonly<Record<string, string | undefined>>;

/** @throws Error that names the missing or wrong value of the environment. */
export function startFunction<R extends Role>(role: R, env: Env): FunctionBase & { config: RoleConfig<R> } {
  const config = parseEnv(role, env);
  const { AWS_REGION: region } = env;
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
  if (!region) throw new Error("AWS_REGION is not set: this is no function of AWS Lambda");
  const credentials = () => ownCredentials(env);
  return {
    config,
    clock: systemClock,
    logger: createLogger({ level: config.logLevel, fields: { role, bridgeId: config.bridgeId } }),
    credentials,
    api: createAwsApi({ region, credentials, endpointOf: readEndpoint(env, region) }),
  };
}

/** The credentials that Lambda gives the function. @throws Error that names the missing variables. */
export function ownCredentials(env: Env): AwsCredentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: sessionToken } = env;
  if (!accessKeyId || !secretAccessKey) throw new Error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set");
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** The part of Lambda's context that is used. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** @param metrics written at the end of each invocation; absent for a role without metrics */
export function createHandler<E, T>(work: (event: E, deadline: Deadline) => Promise<T>, metrics?: FlushableMetrics) {
  return async (event: E, context: LambdaContext): Promise<T> => {
    try {
      return await work(event, { remainingMs: () => context.getRemainingTimeInMillis() });
    } finally {
      metrics?.flush();
    }
  };
}

/** @throws BridgeError `ConfigInvalid` for a store that Lambda does not serve. */
export function openStore(config: StoreConfig, env: Env): ObjectStore {
  if (config.kind !== "s3") {
    throw new BridgeError(
      "ConfigInvalid",
      "open",
      `AWS Lambda serves s3 stores, not ${config.kind}: deploy this role on the store's own cloud`,
    );
  }
  const { region, bucket, endpoint, presignEndpoint, storageClass, kmsKeyArn } = config;
  return createS3Store({
    bucket,
    region,
    credentials: () => ownCredentials(env),
    // https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    endpoint: endpoint ?? env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL,
    presignEndpoint,
    storageClass,
    kmsKeyArn,
  });
}
