/** The queues of a bridge at an OSS source, in SMQ: keys that wait, keys that wait for the other side, and keys that were given up. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { createAlarm } from "./alarms";
import { aliasesInModes, type Place, physicalName, type QueuePart, queueArn, queueUrl } from "./names";
import type { WaitingArns } from "./policies";

/** The maximum of the service, as for the message size below. https://www.alibabacloud.com/help/en/mns/developer-reference/api-mns-open-2022-01-19-createqueue */
const RETENTION_SECONDS = 604_800;
const MESSAGE_BYTES = 65_536;
/** Keys that are due at every moment of 15 minutes: more than the tick of a working bridge leaves behind. */
const BACKLOG_KEYS = 1000;
/** Longer than the tick needs for one batch. A batch that it could not hand over is visible again at the next tick. */
const VISIBILITY_SECONDS = 50;

export interface BridgeQueue {
  url: pulumi.Output<string>;
  /** The ARN for calls about messages. */
  arn: pulumi.Output<string>;
  queue: alicloud.message.ServiceQueue;
}

function createQueue(
  context: BridgeContext,
  parent: pulumi.Resource,
  {
    name,
    part,
    place,
    visibilityTimeout,
  }: {
    name: string;
    part: QueuePart;
    place: pulumi.Output<Place>;
    visibilityTimeout?: number;
  },
): BridgeQueue {
  const queue = new alicloud.message.ServiceQueue(
    name,
    {
      queueName: physicalName(context.config.name, part),
      messageRetentionPeriod: RETENTION_SECONDS,
      maximumMessageSize: MESSAGE_BYTES,
      ...(visibilityTimeout === undefined ? {} : { visibilityTimeout }),
    },
    { parent, provider: context.provider },
  );
  const named = pulumi.all([place, queue.queueName]);
  return {
    url: named.apply(([where, queueName]) => queueUrl(where, queueName)),
    arn: named.apply(([where, queueName]) => queueArn(where, queueName)),
    queue,
  };
}

/** `crossborder:alicloud:DeadLetters`: the queue of keys that were given up, each with its reason, and an alarm when it is not empty. */
export class DeadLetters extends pulumi.ComponentResource implements BridgeQueue {
  readonly url: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly queue: alicloud.message.ServiceQueue;

  constructor(context: BridgeContext, args: { place: pulumi.Output<Place>; parent: pulumi.Resource }) {
    const name = `${context.name}-dead-letters`;
    super("crossborder:alicloud:DeadLetters", name, {}, { parent: args.parent, aliases: aliasesInModes(context) });
    const { url, arn, queue } = createQueue(context, this, { name, part: "dead-letters", place: args.place });
    createAlarm(context, this, {
      name: `${context.name}-dead-letter-alarm`,
      physicalName: `${physicalName(context.config.name, "dead-letters")}-not-empty`,
      what: "deadLetters",
      of: queue.queueName,
    });
    this.url = url;
    this.arn = arn;
    this.queue = queue;
    this.registerOutputs({ url: this.url });
  }
}

/**
 * `crossborder:alicloud:WaitingKeys`: the work queue and the outage queue. A function's timer reads both once a minute; nothing else consumes
 * them.
 */
export class WaitingKeys extends pulumi.ComponentResource {
  readonly work: BridgeQueue;
  readonly outage: BridgeQueue;
  /** As the functions' configurations have them. */
  readonly urls: pulumi.Output<{ queueUrl: string; outageQueueUrl: string }>;
  /** As the policies have them. */
  readonly arns: pulumi.Output<WaitingArns>;
  readonly queues: pulumi.Resource[];

  constructor(context: BridgeContext, args: { place: pulumi.Output<Place>; parent: pulumi.Resource }) {
    const name = `${context.name}-waiting-keys`;
    super("crossborder:alicloud:WaitingKeys", name, {}, { parent: args.parent, aliases: aliasesInModes(context) });
    const common = { place: args.place, visibilityTimeout: VISIBILITY_SECONDS };
    this.work = createQueue(context, this, { ...common, name: `${context.name}-queue`, part: "queue" });
    this.outage = createQueue(context, this, { ...common, name: `${context.name}-outage`, part: "outage" });
    this.urls = pulumi
      .all([this.work.url, this.outage.url])
      .apply(([queueUrl, outageQueueUrl]) => ({ queueUrl, outageQueueUrl }));
    this.arns = pulumi.all([this.work.arn, this.outage.arn]).apply(([work, outage]) => ({ work, outage }));
    this.queues = [this.work.queue, this.outage.queue];
    const { name: bridge } = context.config;
    const outage = { of: this.outage.queue.queueName };
    createAlarm(context, this, {
      ...outage,
      name: `${context.name}-outage-alarm`,
      physicalName: `${physicalName(bridge, "outage")}-not-empty`,
      what: "outage",
    });
    createAlarm(context, this, {
      ...outage,
      name: `${context.name}-outage-hidden-alarm`,
      physicalName: `${physicalName(bridge, "outage")}-being-read`,
      what: "outageHidden",
    });
    createAlarm(context, this, {
      name: `${context.name}-backlog-alarm`,
      physicalName: `${physicalName(bridge, "queue")}-backlog`,
      what: "backlog",
      of: this.work.queue.queueName,
      threshold: BACKLOG_KEYS,
    });
    this.registerOutputs({ queueUrl: this.work.url, outageQueueUrl: this.outage.url });
  }
}
