import type { Infer } from "../../schema";
import type { Properties } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { badTags, notNamedAs, outsideRange } from "../checks";
import { type AlicloudContext, controlOf, resource } from "../context";
import { changeTags, tagList } from "../tags";

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

/** The parameter of the API by the input's name. */
const ATTRIBUTES = {
  delaySeconds: "DelaySeconds",
  maximumMessageSize: "MaximumMessageSize",
  messageRetentionPeriod: "MessageRetentionPeriod",
  pollingWaitSeconds: "PollingWaitSeconds",
  visibilityTimeout: "VisibilityTimeout",
} as const;
const ATTRIBUTE_NAMES = Object.keys(ATTRIBUTES) as (keyof typeof ATTRIBUTES)[];

/** https://www.alibabacloud.com/help/en/mns/developer-reference/api-mns-open-2022-01-19-createqueue */
export const serviceQueue = resource({
  token: "alicloud:message/serviceQueue:ServiceQueue",
  inputs,
  computed: ATTRIBUTE_NAMES,
  replaceOn: ["queueName"],
  kept: ATTRIBUTE_NAMES,
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
    await call(context, "CreateQueue", { ...parametersOf(given), Tag: tagList(given.tags) });
    return given.queueName;
  },
  read: async (context, id) => {
    const found = await unlessMissing(() => call(context, "GetQueueAttributes", { QueueName: id }));
    const attributes = found?.Data as Properties | undefined;
    return attributes && Object.fromEntries(ATTRIBUTE_NAMES.map((name) => [name, attributes[ATTRIBUTES[name]]]));
  },
  update: async (context, id, news, olds) => {
    await call(context, "SetQueueAttributes", parametersOf(news));
    const target = { ResourceType: "queue", ResourceId: [id] };
    await changeTags(news.tags, olds.tags, {
      tag: (tags) => call(context, "TagResources", { ...target, Tag: tagList(tags) }),
      untag: (keys) => call(context, "UntagResources", { ...target, TagKey: keys }),
    });
  },
  delete: (context, id) => ignoreMissing(() => call(context, "DeleteQueue", { QueueName: id })),
});

const call = (context: AlicloudContext, action: string, parameters: Properties) =>
  controlOf(context).rpc("mns-open", action, parameters);

const parametersOf = (given: Infer<typeof inputs>): Properties => ({
  ...{ QueueName: given.queueName, EnableLogging: given.loggingEnabled },
  ...Object.fromEntries(ATTRIBUTE_NAMES.map((name) => [ATTRIBUTES[name], given[name]])),
});
