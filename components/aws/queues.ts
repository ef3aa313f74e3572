/** The work queue, the dead-letter queue and the mapping that feeds the sender. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { type Account, physicalName } from "./account";
import { queuePolicy } from "./policies";

const DAY_SECONDS = 86_400;
/** SQS's longest. A message keeps its age when it moves, so the work queue must forget earlier than this. */
const DEAD_LETTER_RETENTION_SECONDS = 14 * DAY_SECONDS;
const WORK_RETENTION_SECONDS = 7 * DAY_SECONDS;
/** Only a backstop for senders that die: what fails in an orderly way is put back or parked by the sender itself. */
const MAX_RECEIVE_COUNT = 10;
/** The most that a mapping takes without waiting for more. */
const BATCH_SIZE = 10;

/**
 * How long a message stays hidden from other senders. An attempt must be over before its message can be seen again: a sender
 * may post in its last second and the receiver may then work to its own end, so their timeouts add up. The sender's timeout
 * counts twice, because Lambda may hold a received batch back while it throttles. AWS's rule of six function timeouts
 * covers more of that waiting; here the mapping's own concurrency limit keeps it short, and every second more is a second
 * that a crashed sender's keys wait.
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

/** Returns what the bucket's notification must wait for: S3 tries the queue before it accepts the configuration. */
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
