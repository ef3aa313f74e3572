/** Starts a function: reads its configuration, creates its clock and log, wraps its handler, and opens its stores. */
import { parseEnv, type Role, type RoleConfig, type StoreConfig } from "../../protocol/env";
import { type Clock, type Deadline, type Logger, systemClock } from "../../protocol/ports";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { createS3Client } from "../../stores/s3/client";
import { createS3Store } from "../../stores/s3/store";
import type { FlushableMetrics } from "../handlers";
import { createLogger } from "../logger";

/** Options of the SDK clients of control calls. Without them the SDK waits without a limit, longer than the function may run. */
export const CLIENT_OPTIONS = { maxAttempts: 3, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } };

/** @throws Error that names the missing or wrong value of the environment. */
export function startFunction<R extends Role>(role: R): { config: RoleConfig<R>; clock: Clock; logger: Logger } {
  const config = parseEnv(role, process.env);
  const logger = createLogger({ level: config.logLevel, fields: { role, bridgeId: config.bridgeId } });
  return { config, clock: systemClock, logger };
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
export function openStore(config: StoreConfig): ObjectStore {
  if (config.kind !== "s3") {
    throw new BridgeError(
      "ConfigInvalid",
      "open",
      `AWS Lambda serves s3 stores, not ${config.kind}: deploy this role on the store's own cloud`,
    );
  }
  const { region, bucket, endpoint, presignEndpoint, storageClass, kmsKeyArn } = config;
  return createS3Store({
    client: createS3Client({ region, endpoint }),
    presignClient: presignEndpoint === undefined ? undefined : createS3Client({ region, endpoint: presignEndpoint }),
    bucket,
    storageClass,
    kmsKeyArn,
  });
}
