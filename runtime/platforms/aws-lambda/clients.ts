/** What the SDK clients of the control calls share. */

import type { StoreConfig } from "../../protocol/env";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { createS3Client } from "../../stores/s3/client";
import { createS3Store } from "../../stores/s3/store";

/** A function's time is short: the SDK by itself waits for ever. */
export const CLIENT_OPTIONS = { maxAttempts: 3, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } };

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
    client: createS3Client({ region, ...(endpoint === undefined ? {} : { endpoint }) }),
    ...(presignEndpoint === undefined ? {} : { presignClient: createS3Client({ region, endpoint: presignEndpoint }) }),
    bucket,
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
  });
}
