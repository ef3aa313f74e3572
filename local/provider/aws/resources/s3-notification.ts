import {
  type Event,
  GetBucketNotificationConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
} from "@aws-sdk/client-s3";
import type { Infer } from "../../schema";
import { type AwsContext, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";

const target = { id: "string", "events!": ["string"], filterPrefix: "string", filterSuffix: "string" } as const;
const inputs = {
  "bucket!": "string",
  eventbridge: "boolean",
  lambdaFunctions: [{ ...target, lambdaFunctionArn: "string" }],
  queues: [{ ...target, "queueArn!": "string" }],
} as const;

/** One per bucket. As on AWS, it replaces all notifications of the bucket. */
export const bucketNotification = resource({
  token: "aws:s3/bucketNotification:BucketNotification",
  inputs,
  computed: [],
  replaceOn: ["bucket", "region"],
  fixedIdentity: true,
  create: async (context, given) => {
    await put(context, given);
    return given.bucket;
  },
  read: async (context, id) => {
    const call = clientsOf(context).s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: id }));
    return (await unlessMissing(call)) === undefined ? undefined : {};
  },
  update: (context, _id, news) => put(context, news),
  delete: (context, id) => ignoreMissing(put(context, { bucket: id })),
});

async function put(context: AwsContext, given: Infer<typeof inputs>): Promise<void> {
  const common = (one: Infer<typeof target>, index: number, kind: string) => ({
    Id: one.id ?? `${kind}-${index}`,
    Events: one.events as Event[],
    Filter: {
      Key: {
        FilterRules: [
          ...(one.filterPrefix ? [{ Name: "prefix" as const, Value: one.filterPrefix }] : []),
          ...(one.filterSuffix ? [{ Name: "suffix" as const, Value: one.filterSuffix }] : []),
        ],
      },
    },
  });
  await clientsOf(context).s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: given.bucket,
      NotificationConfiguration: {
        QueueConfigurations: (given.queues ?? []).map((one, index) => ({
          ...common(one, index, "queue"),
          QueueArn: one.queueArn,
        })),
        LambdaFunctionConfigurations: (given.lambdaFunctions ?? []).map((one, index) => ({
          ...common(one, index, "function"),
          LambdaFunctionArn: one.lambdaFunctionArn,
        })),
        ...(given.eventbridge ? { EventBridgeConfiguration: {} } : {}),
      },
    }),
  );
}
