import { TagResourceCommand, UntagResourceCommand } from "@aws-sdk/client-api-gateway";
import { CreateTagsCommand, DeleteTagsCommand, type ResourceType, type TagSpecification } from "@aws-sdk/client-ec2";
import { type AwsContext, clientsOf } from "./context";

/** All tags of a resource, with the default tags of the provider. */
export function tagsAllOf(inputs: object): Record<string, string> {
  return ("tagsAll" in inputs ? inputs.tagsAll : {}) as Record<string, string>;
}

export function tagList(tags: Record<string, string>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Names that are missing in the new tags. */
export function removedTags(news: Record<string, string>, olds: Record<string, string>): string[] {
  return Object.keys(olds).filter((name) => news[name] === undefined);
}

/** `path` of an API or a stage, e.g. `/restapis/abc`. */
export async function putApiTags(context: AwsContext, path: string, news: object, olds: object): Promise<void> {
  const { apigateway } = clientsOf(context);
  // The emulator has one partition, and these ARNs have no account.
  const resourceArn = `arn:aws:apigateway:${context.region}::${path}`;
  const tagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
  if (tagKeys.length > 0) await apigateway.send(new UntagResourceCommand({ resourceArn, tagKeys }));
  await apigateway.send(new TagResourceCommand({ resourceArn, tags: tagsAllOf(news) }));
}

/** Tags for the creation of a resource. Undefined without tags, because EC2 refuses an empty list. */
export function tagSpecification(kind: ResourceType, inputs: object): TagSpecification[] | undefined {
  const Tags = tagList(tagsAllOf(inputs));
  return Tags.length === 0 ? undefined : [{ ResourceType: kind, Tags }];
}

export async function putEc2Tags(context: AwsContext, id: string, news: object, olds: object): Promise<void> {
  const { ec2 } = clientsOf(context);
  const removed = removedTags(tagsAllOf(news), tagsAllOf(olds)).map((Key) => ({ Key }));
  if (removed.length > 0) await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: removed }));
  const Tags = tagList(tagsAllOf(news));
  if (Tags.length > 0) await ec2.send(new CreateTagsCommand({ Resources: [id], Tags }));
}
