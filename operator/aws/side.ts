import { createS3Client } from "../../runtime/stores/s3/client";
import { createS3Store } from "../../runtime/stores/s3/store";
import type { ServedSide, StoreOfSide } from "../served-side";
import type { AwsAccess } from "../side-access";
import { createLambdaInvoker } from "./functions";
import { createSqsQueues } from "./queues";

export function openAwsSide(access: AwsAccess, { bucket, storageClass, kmsKeyArn }: StoreOfSide): ServedSide {
  const { region, credentials, endpoint, ca } = access;
  const client = createS3Client({
    region,
    credentials,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(ca === undefined ? {} : { ca }),
  });
  const functions = createLambdaInvoker(access);
  const queues = createSqsQueues(access);
  return {
    store: createS3Store({
      client,
      bucket,
      ...(storageClass === undefined ? {} : { storageClass }),
      ...(kmsKeyArn === undefined ? {} : { kmsKeyArn }),
    }),
    functions,
    deadLetters: queues.deadLetters,
    enqueue: queues.enqueue,
    async close() {
      client.destroy();
      functions.close();
      queues.close();
    },
  };
}
