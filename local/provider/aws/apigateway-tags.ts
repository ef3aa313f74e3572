import { TagResourceCommand, UntagResourceCommand } from "@aws-sdk/client-api-gateway";
import { type AwsContext, clientsOf } from "./context";
import { removedTags, tagsAllOf } from "./tags";

/** `path` of an API or a stage, e.g. `/restapis/abc`. */
export async function putApiTags(context: AwsContext, path: string, news: object, olds: object): Promise<void> {
  const { apigateway } = clientsOf(context);
  // The emulator knows one partition; these ARNs have no account.
  const resourceArn = `arn:aws:apigateway:${context.region}::${path}`;
  const tagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
  if (tagKeys.length > 0) await apigateway.send(new UntagResourceCommand({ resourceArn, tagKeys }));
  await apigateway.send(new TagResourceCommand({ resourceArn, tags: tagsAllOf(news) }));
}
