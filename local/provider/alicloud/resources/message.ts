import type { QueueSpec } from "local-alicloud";
import type { Infer } from "../../schema";
import { badTags, notNamedAs, outsideRange } from "../checks";
import { ignoreMissing, resource, servicesOf } from "../context";

const inputs = {
  "queueName!": "string",
  delaySeconds: "number",
  loggingEnabled: "boolean",
  maximumMessageSize: "number",
  messageRetentionPeriod: "number",
  pollingWaitSeconds: "number",
  tags: "map",
  visibilityTimeout: "number",
} as const;

/** https://www.alibabacloud.com/help/en/mns/developer-reference/api-mns-open-2022-01-19-createqueue */
const DEFAULTS = {
  delaySeconds: 0,
  maximumMessageSize: 65_536,
  messageRetentionPeriod: 345_600,
  pollingWaitSeconds: 0,
  visibilityTimeout: 30,
};

export const serviceQueue = resource({
  token: "alicloud:message/serviceQueue:ServiceQueue",
  inputs,
  computed: Object.keys(DEFAULTS),
  replaceOn: ["queueName"],
  check: function* (given) {
    yield* notNamedAs("queueName", given.queueName, /^[A-Za-z0-9][A-Za-z0-9-]{0,119}$/, "1 to 120 letters, digits and -");
    yield* outsideRange("delaySeconds", given.delaySeconds, 0, 604_800);
    yield* outsideRange("maximumMessageSize", given.maximumMessageSize, 1024, 65_536);
    yield* outsideRange("messageRetentionPeriod", given.messageRetentionPeriod, 60, 604_800);
    yield* outsideRange("pollingWaitSeconds", given.pollingWaitSeconds, 0, 30);
    yield* outsideRange("visibilityTimeout", given.visibilityTimeout, 1, 43_200);
    yield* badTags(given.tags);
  },
  create: async (context, given) => {
    servicesOf(context).messages.createQueue(context.region, { queueName: given.queueName, ...attributesOf(given) });
    return given.queueName;
  },
  read: async (context, id) => {
    const found = servicesOf(context).messages.getQueue(context.region, id);
    if (found === undefined) return undefined;
    const { queueName: _, ...attributes } = found;
    return { ...attributes };
  },
  update: async (context, id, news) => servicesOf(context).messages.updateQueue(context.region, id, attributesOf(news)),
  delete: (context, id) => ignoreMissing(() => servicesOf(context).messages.deleteQueue(context.region, id)),
});

function attributesOf(given: Infer<typeof inputs>): Omit<QueueSpec, "queueName"> {
  return {
    delaySeconds: given.delaySeconds ?? DEFAULTS.delaySeconds,
    maximumMessageSize: given.maximumMessageSize ?? DEFAULTS.maximumMessageSize,
    messageRetentionPeriod: given.messageRetentionPeriod ?? DEFAULTS.messageRetentionPeriod,
    pollingWaitSeconds: given.pollingWaitSeconds ?? DEFAULTS.pollingWaitSeconds,
    visibilityTimeout: given.visibilityTimeout ?? DEFAULTS.visibilityTimeout,
  };
}
