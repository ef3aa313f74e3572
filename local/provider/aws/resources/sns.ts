import {
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  SetTopicAttributesCommand,
  SubscribeCommand,
  TagResourceCommand,
  UnsubscribeCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-sns";
import { clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { removedTags, tagList, tagsAllOf } from "../tags";

export const topic = resource({
  token: "aws:sns/topic:Topic",
  inputs: { name: "string", displayName: "string", tags: "map" },
  computed: ["arn"],
  autoname: { property: "name", maxLength: 256 },
  replaceOn: ["name", "region"],
  create: async (context, given) => {
    const { TopicArn } = await clientsOf(context).sns.send(
      new CreateTopicCommand({
        Name: given.name,
        Attributes: { DisplayName: given.displayName ?? "" },
        Tags: tagList(tagsAllOf(given)),
      }),
    );
    return TopicArn ?? "";
  },
  read: async (context, id) => {
    const found = await unlessMissing(clientsOf(context).sns.send(new GetTopicAttributesCommand({ TopicArn: id })));
    return found && { arn: id };
  },
  update: async (context, id, news, olds) => {
    const { sns } = clientsOf(context);
    const AttributeValue = news.displayName ?? "";
    await sns.send(new SetTopicAttributesCommand({ TopicArn: id, AttributeName: "DisplayName", AttributeValue }));
    const TagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
    if (TagKeys.length > 0) await sns.send(new UntagResourceCommand({ ResourceArn: id, TagKeys }));
    await sns.send(new TagResourceCommand({ ResourceArn: id, Tags: tagList(tagsAllOf(news)) }));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).sns.send(new DeleteTopicCommand({ TopicArn: id }))),
});

/** https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html */
const PROTOCOLS = ["http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

export const topicSubscription = resource({
  token: "aws:sns/topicSubscription:TopicSubscription",
  inputs: { "topic!": "string", "protocol!": "string", "endpoint!": "string" },
  computed: ["arn"],
  check: function* ({ protocol, endpoint }) {
    if (!PROTOCOLS.includes(protocol))
      yield { property: "protocol", reason: `${protocol} is not one of ${PROTOCOLS.join(", ")}` };
    if (protocol === "email" && !endpoint.includes("@"))
      yield { property: "endpoint", reason: `${endpoint} is no e-mail address` };
  },
  create: async (context, { topic: TopicArn, protocol: Protocol, endpoint: Endpoint }) => {
    // AWS gives no ARN to a subscription that its owner has not confirmed, unless it is asked.
    const call = new SubscribeCommand({ TopicArn, Protocol, Endpoint, ReturnSubscriptionArn: true });
    return (await clientsOf(context).sns.send(call)).SubscriptionArn ?? "";
  },
  read: async (context, id) => {
    const call = new GetSubscriptionAttributesCommand({ SubscriptionArn: id });
    const found = await unlessMissing(clientsOf(context).sns.send(call));
    return found && { arn: id };
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).sns.send(new UnsubscribeCommand({ SubscriptionArn: id }))),
});
