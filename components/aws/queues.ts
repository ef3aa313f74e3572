/** The sender's queues and the mapping that feeds it. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { type Account, physicalName } from "./account";
import { queuePolicy } from "./policies";

const DAY_SECONDS = 86_400;
/** The maximum of SQS. */
const LONGEST_RETENTION_SECONDS = 14 * DAY_SECONDS;
/** A message keeps its age when SQS moves it, so the retention of the work queue must be shorter than that of the dead letters. */
const WORK_RETENTION_SECONDS = 7 * DAY_SECONDS;
/** The maximum of SQS. */
const MOST_RECEIVES = 1_000;
/** The maximum of a mapping without a batching window. The shortest window would delay a lone object by up to a second. */
const BATCH_SIZE = 10;
/** With a batching window. A request holds at most 100 notices, and all of a batch must end within the receiver's time. */
const WINDOW_BATCH_SIZE = 50;

export interface Queues {
  /** Keys to look at. With `buffer: sqs` S3 sends its events to it as well. */
  work: aws.sqs.Queue;
  /** Keys that wait for the receiver. Nothing consumes it but the tick. */
  outage: aws.sqs.Queue;
  deadLetters: aws.sqs.Queue;
}

/**
 * The time that a message stays hidden from other senders. An attempt must end before its message becomes visible again. A sender may
 * post in its last second and the receiver then works until its own timeout, so both timeouts are added. The sender's timeout counts
 * twice, because Lambda may hold a received batch back while it throttles. AWS recommends six function timeouts, which cover more of
 * that waiting. Here the mapping's own concurrency limit keeps the waiting short, and with a longer timeout the keys of a crashed sender
 * would wait longer. Lambda receives a message before it waits for others, so the batching window is added.
 */
export function visibilityTimeoutSeconds(timeouts: { senderSeconds: number; receiverSeconds: number }, batchSeconds = 0): number {
  return 2 * timeouts.senderSeconds + timeouts.receiverSeconds + batchSeconds;
}

/**
 * How often SQS delivers a message before it moves it to the dead letters by itself, without a reason. The sender puts back and parks keys
 * in every case that it survives, so this is for a message that ends every sender. SQS counts deliveries that Lambda throttled as well:
 * no sender has seen those. A low count would turn a full account into dead letters. The last delivery must come long before the queue
 * drops the message for its age.
 */
export function maxReceiveCount(visibilitySeconds: number): number {
  return Math.min(MOST_RECEIVES, Math.floor(WORK_RETENTION_SECONDS / 2 / visibilitySeconds));
}

export function createQueues(context: BridgeContext, parent: pulumi.Resource): Queues {
  const { config, name, provider } = context;
  const child = { parent, provider };
  const common = { sqsManagedSseEnabled: true };
  const deadLetters = new aws.sqs.Queue(
    `${name}-dead-letters`,
    {
      ...common,
      name: physicalName(config.name, "dead-letters"),
      messageRetentionSeconds: LONGEST_RETENTION_SECONDS,
    },
    child,
  );
  const visibility = visibilityTimeoutSeconds(config.timeouts, config.batchSeconds);
  const work = new aws.sqs.Queue(
    `${name}-queue`,
    {
      ...common,
      name: physicalName(config.name, "queue"),
      visibilityTimeoutSeconds: visibility,
      messageRetentionSeconds: WORK_RETENTION_SECONDS,
      redrivePolicy: deadLetters.arn.apply((deadLetterTargetArn) =>
        JSON.stringify({ deadLetterTargetArn, maxReceiveCount: maxReceiveCount(visibility) }),
      ),
    },
    child,
  );
  // No redrive policy: the tick receives the same messages again and again while an outage lasts.
  const outage = new aws.sqs.Queue(
    `${name}-outage`,
    { ...common, name: physicalName(config.name, "outage"), messageRetentionSeconds: LONGEST_RETENTION_SECONDS },
    child,
  );
  for (const [part, queue] of Object.entries({ "dead-letters": deadLetters, outage }))
    new aws.sqs.QueuePolicy(
      `${name}-${part}-policy`,
      { queueUrl: queue.url, policy: queue.arn.apply((queueArn) => JSON.stringify(queuePolicy({ queueArn }))) },
      child,
    );
  return { work, outage, deadLetters };
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html */
const batching = (seconds: number) =>
  seconds === 0 ? { batchSize: BATCH_SIZE } : { batchSize: WINDOW_BATCH_SIZE, maximumBatchingWindowInSeconds: seconds };

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
      ...batching(config.batchSeconds),
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
        .apply(([queueArn, bucketArn, accountId, service]) => {
          const events = { bucketArn, accountId, storageService: service };
          return JSON.stringify(queuePolicy({ queueArn, events: config.buffer === "sqs" ? events : undefined }));
        }),
    },
    child,
  );
}
