import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  type QueueAttributeName,
  SetQueueAttributesCommand,
  TagQueueCommand,
  UntagQueueCommand,
} from "@aws-sdk/client-sqs";
import type { Infer } from "../../schema";
import { clientsOf, cloudOf, ignoreMissing, resource, unlessMissing } from "../context";
import { untilPrincipalsAreKnown } from "../principals";
import { removedTags, tagsAllOf } from "../tags";

const inputs = {
  name: "string",
  delaySeconds: "number",
  maxMessageSize: "number",
  messageRetentionSeconds: "number",
  receiveWaitTimeSeconds: "number",
  visibilityTimeoutSeconds: "number",
  redrivePolicy: "json",
  redriveAllowPolicy: "json",
  policy: "json",
  sqsManagedSseEnabled: "boolean",
  kmsMasterKeyId: "string",
  tags: "map",
} as const;
type Inputs = Infer<typeof inputs>;

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html */
const ATTRIBUTES: readonly (readonly [keyof Inputs, QueueAttributeName, string])[] = [
  ["delaySeconds", "DelaySeconds", "0"],
  ["maxMessageSize", "MaximumMessageSize", "262144"],
  ["messageRetentionSeconds", "MessageRetentionPeriod", "345600"],
  ["receiveWaitTimeSeconds", "ReceiveMessageWaitTimeSeconds", "0"],
  ["visibilityTimeoutSeconds", "VisibilityTimeout", "30"],
  ["redrivePolicy", "RedrivePolicy", ""],
  ["redriveAllowPolicy", "RedriveAllowPolicy", ""],
  ["policy", "Policy", ""],
  ["sqsManagedSseEnabled", "SqsManagedSseEnabled", "true"],
  ["kmsMasterKeyId", "KmsMasterKeyId", ""],
];

export const queue = resource({
  token: "aws:sqs/queue:Queue",
  inputs,
  computed: ["arn", "url"],
  defaults: {
    delaySeconds: 0,
    fifoQueue: false,
    maxMessageSize: 262_144,
    messageRetentionSeconds: 345_600,
    receiveWaitTimeSeconds: 0,
    visibilityTimeoutSeconds: 30,
  },
  autoname: { property: "name", maxLength: 80 },
  replaceOn: ["name", "region"],
  create: async (context, given) => {
    const { sqs } = clientsOf(context);
    const QueueName = given.name ?? "";
    const set = ATTRIBUTES.filter(([input]) => given[input] !== undefined);
    const Attributes = Object.fromEntries(set.map(([input, name]) => [name, String(given[input])]));
    const answer = await sqs.send(new CreateQueueCommand({ QueueName, Attributes, tags: tagsAllOf(given) }));
    return reachable(cloudOf(context).partition.endpoint, answer.QueueUrl ?? "");
  },
  read: async (context, id) => {
    const call = new GetQueueAttributesCommand({ QueueUrl: id, AttributeNames: ["QueueArn"] });
    const found = await unlessMissing(clientsOf(context).sqs.send(call));
    return found && { arn: found.Attributes?.QueueArn, url: id };
  },
  update: async (context, id, news, olds) => {
    const { sqs } = clientsOf(context);
    const touched = ATTRIBUTES.filter(([input]) => news[input] !== undefined || olds[input] !== undefined);
    const Attributes = Object.fromEntries(touched.map(([input, name, unset]) => [name, String(news[input] ?? unset)]));
    if (touched.length > 0) await sqs.send(new SetQueueAttributesCommand({ QueueUrl: id, Attributes }));
    const TagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
    if (TagKeys.length > 0) await sqs.send(new UntagQueueCommand({ QueueUrl: id, TagKeys }));
    await sqs.send(new TagQueueCommand({ QueueUrl: id, Tags: tagsAllOf(news) }));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).sqs.send(new DeleteQueueCommand({ QueueUrl: id }))),
});

/** The emulator returns a URL with a host name that functions may not resolve. */
function reachable(endpoint: string, queueUrl: string): string {
  return `${endpoint}${new URL(queueUrl).pathname}`;
}

const REFUSED_POLICY = "InvalidAttributeValue: Invalid value for the parameter Policy.";

export const queuePolicy = resource({
  token: "aws:sqs/queuePolicy:QueuePolicy",
  inputs: { "queueUrl!": "string", "policy!": "json" },
  computed: [],
  replaceOn: ["queueUrl", "region"],
  fixedIdentity: true,
  create: async (context, { queueUrl: QueueUrl, policy: Policy }) => {
    await untilPrincipalsAreKnown(context, Policy, REFUSED_POLICY);
    await clientsOf(context).sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
    return QueueUrl;
  },
  read: async (context, id) => {
    const call = new GetQueueAttributesCommand({ QueueUrl: id, AttributeNames: ["Policy"] });
    const found = await unlessMissing(clientsOf(context).sqs.send(call));
    return found?.Attributes?.Policy ? {} : undefined;
  },
  update: async (context, id, { policy: Policy }) => {
    await untilPrincipalsAreKnown(context, Policy, REFUSED_POLICY);
    await clientsOf(context).sqs.send(new SetQueueAttributesCommand({ QueueUrl: id, Attributes: { Policy } }));
  },
  delete: (context, id) =>
    ignoreMissing(clientsOf(context).sqs.send(new SetQueueAttributesCommand({ QueueUrl: id, Attributes: { Policy: "" } }))),
});
