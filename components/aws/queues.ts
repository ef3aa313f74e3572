/** The work queue, the dead-letter queue and the mapping that feeds the sender. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { type Account, physicalName } from "./account";
import { queuePolicy } from "./policies";

const DAY_SECONDS = 86_400;
/** The maximum of SQS. A message keeps its age when it moves, so the retention of the work queue must be shorter. */
const DEAD_LETTER_RETENTION_SECONDS = 14 * DAY_SECONDS;
const WORK_RETENTION_SECONDS = 7 * DAY_SECONDS;
/** For senders that crash. In every other case the sender itself puts a key back or parks it. */
const MAX_RECEIVE_COUNT = 10;
/** The maximum of a mapping without a batching window. */
const BATCH_SIZE = 10;

/**
 * The time that a message stays hidden from other senders. An attempt must end before its message becomes visible again. A sender may
 * post in its last second and the receiver then works until its own timeout, so both timeouts are added. The sender's timeout counts
 * twice, because Lambda may hold a received batch back while it throttles. AWS recommends six function timeouts, which cover more of
 * that waiting. Here the mapping's own concurrency limit keeps the waiting short, and with a longer timeout the keys of a crashed sender
 * would wait longer.
 */
export function visibilityTimeoutSeconds(timeouts: { senderSeconds: number; receiverSeconds: number }): number {
  return 2 * timeouts.senderSeconds + timeouts.receiverSeconds;
}

export function createDeadLetterQueue(context: BridgeContext, parent: pulumi.Resource): aws.sqs.Queue {
  return new aws.sqs.Queue(
    `${context.name}-dead-letters`,
    {
      name: physicalName(context.config.name, "dead-letters"),
      sqsManagedSseEnabled: true,
      messageRetentionSeconds: DEAD_LETTER_RETENTION_SECONDS,
    },
    { parent, provider: context.provider },
  );
}

export function createWorkQueue(context: BridgeContext, parent: pulumi.Resource, deadLetters: aws.sqs.Queue): aws.sqs.Queue {
  const { config } = context;
  return new aws.sqs.Queue(
    `${context.name}-queue`,
    {
      name: physicalName(config.name, "queue"),
      sqsManagedSseEnabled: true,
      visibilityTimeoutSeconds: visibilityTimeoutSeconds(config.timeouts),
      messageRetentionSeconds: WORK_RETENTION_SECONDS,
      redrivePolicy: deadLetters.arn.apply((deadLetterTargetArn) =>
        JSON.stringify({ deadLetterTargetArn, maxReceiveCount: MAX_RECEIVE_COUNT }),
      ),
    },
    { parent, provider: context.provider },
  );
}

export interface MapQueueArgs {
  queue: aws.sqs.Queue;
  sender: aws.lambda.Function;
  bucketArn: pulumi.Output<string>;
  account: Account;
}

/** Returns the resource that the bucket's notification must wait for: S3 tests the queue before it accepts the configuration. */
export function mapQueue(context: BridgeContext, parent: pulumi.Resource, args: MapQueueArgs): pulumi.Resource {
  const { config } = context;
  const { queue, account } = args;
  const child = { parent, provider: context.provider };
  new aws.lambda.EventSourceMapping(
    `${context.name}-mapping`,
    {
      eventSourceArn: queue.arn,
      functionName: args.sender.name,
      batchSize: BATCH_SIZE,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: config.concurrency },
    },
    child,
  );
  const storageService = account.service("s3", config.source.region);
  return new aws.sqs.QueuePolicy(
    `${context.name}-queue-policy`,
    {
      queueUrl: queue.url,
      policy: pulumi
        .all([queue.arn, args.bucketArn, account.accountId, storageService])
        .apply(([queueArn, bucketArn, accountId, service]) =>
          JSON.stringify(queuePolicy({ queueArn, bucketArn, accountId, storageService: service })),
        ),
    },
    child,
  );
}
