import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { createAlarm } from "./alarms";
import { aliasesInModes, type Place, physicalName, queueArn, queueUrl } from "./names";

/** The maximum of the service, as for the message size below. https://www.alibabacloud.com/help/en/mns/developer-reference/api-mns-open-2022-01-19-createqueue */
const RETENTION_SECONDS = 604_800;
const MESSAGE_BYTES = 65_536;

/** `crossborder:alicloud:DeadLetters`: the queue of keys that were given up, each with its reason, and an alarm when it is not empty. */
export class DeadLetters extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly queue: pulumi.Resource;

  constructor(context: BridgeContext, args: { place: pulumi.Output<Place>; parent: pulumi.Resource }) {
    const name = `${context.name}-dead-letters`;
    super("crossborder:alicloud:DeadLetters", name, {}, { parent: args.parent, aliases: aliasesInModes(context) });
    const physical = physicalName(context.config.name, "dead-letters");
    const queue = new alicloud.message.ServiceQueue(
      name,
      { queueName: physical, messageRetentionPeriod: RETENTION_SECONDS, maximumMessageSize: MESSAGE_BYTES },
      { parent: this, provider: context.provider },
    );
    createAlarm(context, this, {
      name: `${context.name}-dead-letter-alarm`,
      physicalName: `${physical}-not-empty`,
      what: "deadLetters",
      of: queue.queueName,
    });
    const named = pulumi.all([args.place, queue.queueName]);
    this.url = named.apply(([place, queueName]) => queueUrl(place, queueName));
    this.arn = named.apply(([place, queueName]) => queueArn(place, queueName));
    this.queue = queue;
    this.registerOutputs({ url: this.url });
  }
}
