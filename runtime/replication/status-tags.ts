import type { ObjectSnapshot } from "../protocol/snapshot";
import type { ObjectStore } from "../stores/object-store";
import { STATUS_TAG } from "./snapshot";

export type Status = "PENDING" | "COMPLETED" | "FAILED";

/** S3 and OSS refuse more. An object that has as many tags of its owner gets no status tag. */
const MAX_TAGS = 10;

/**
 * Adds the status tag to the tags of the object. Writes nothing when it is set already, so that the event of its own write causes no other
 * write. In a versioned bucket exactly the replicated version is tagged. No store writes tags conditionally: a tag change between the read and
 * the write here is lost at the source.
 */
export async function setStatusTag(source: ObjectStore, key: string, snapshot: ObjectSnapshot, status: Status): Promise<void> {
  const tags = await source.getTags(key);
  if (tags[STATUS_TAG] === status) return;
  if (tags[STATUS_TAG] === undefined && Object.keys(tags).length >= MAX_TAGS) return;
  await source.putTags(key, { ...tags, [STATUS_TAG]: status }, { versionId: snapshot.versionId });
}
