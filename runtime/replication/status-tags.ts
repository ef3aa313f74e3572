import type { ObjectSnapshot } from "../protocol/snapshot";
import type { ObjectStore } from "../stores/object-store";
import { STATUS_TAG } from "./snapshot";

export type Status = "PENDING" | "COMPLETED" | "FAILED";

/** Beyond this S3 and OSS refuse; an object whose owner uses all of them gets no status. */
const MAX_TAGS = 10;

/**
 * Sets the status tag beside the tags that are there. Writes nothing when it is set already: the tag event of the last write ends here.
 * In a versioned bucket exactly the replicated version is tagged. No store writes tags conditionally, so a tag change between the read
 * and the write here is lost at the source.
 */
export async function setStatusTag(source: ObjectStore, key: string, snapshot: ObjectSnapshot, status: Status): Promise<void> {
  const tags = await source.getTags(key);
  if (tags[STATUS_TAG] === status) return;
  if (tags[STATUS_TAG] === undefined && Object.keys(tags).length >= MAX_TAGS) return;
  const version = snapshot.versionId === undefined ? {} : { versionId: snapshot.versionId };
  await source.putTags(key, { ...tags, [STATUS_TAG]: status }, version);
}
