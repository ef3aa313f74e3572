import { CreateTagsCommand, DeleteTagsCommand, type ResourceType, type TagSpecification } from "@aws-sdk/client-ec2";
import { type AwsContext, clientsOf } from "./context";
import { removedTags, tagList, tagsAllOf } from "./tags";

/** For the creation of a resource; undefined without tags, since the service refuses an empty list. */
export function tagSpecification(kind: ResourceType, inputs: object): TagSpecification[] | undefined {
  const Tags = tagList(tagsAllOf(inputs));
  return Tags.length === 0 ? undefined : [{ ResourceType: kind, Tags }];
}

export async function putTags(context: AwsContext, id: string, news: object, olds: object): Promise<void> {
  const { ec2 } = clientsOf(context);
  const removed = removedTags(tagsAllOf(news), tagsAllOf(olds)).map((Key) => ({ Key }));
  if (removed.length > 0) await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: removed }));
  const Tags = tagList(tagsAllOf(news));
  if (Tags.length > 0) await ec2.send(new CreateTagsCommand({ Resources: [id], Tags }));
}
