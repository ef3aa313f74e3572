/** What is to be done about one listed object. */
import type { Scope } from "../../runtime/protocol/env";
import type { Tags } from "../../runtime/protocol/snapshot";
import { isBridgeError } from "../../runtime/stores/errors";
import type { ListedObject, ObjectStore } from "../../runtime/stores/object-store";
import type { Presence } from "./presence";
import { anyInScope, asksForTags, scopesFor } from "./scopes";

export type Verdict =
  /** `etag` is of the state that is not at the destination. */
  { outcome: "due"; etag: string } | { outcome: "present" | "outOfScope" | "archived" | "gone" };

/** Not readable until it was restored: of S3 and of OSS. `GLACIER_IR` is read at once. */
const ARCHIVED = new Set(["GLACIER", "DEEP_ARCHIVE", "Archive", "ColdArchive", "DeepColdArchive"]);

export interface ExamineDeps {
  source: Pick<ObjectStore, "getTags">;
  scopes: readonly Scope[];
  presence: Presence;
  signal: AbortSignal;
}

export async function examine(object: ListedObject, { source, scopes, presence, signal }: ExamineDeps): Promise<Verdict> {
  const { key, sizeBytes, storageClass } = object;
  const left = scopesFor(scopes, key, sizeBytes);
  if (left.length === 0) return { outcome: "outOfScope" };
  if (asksForTags(left)) {
    const tags = await tagsOf(source, key, signal);
    if (tags === undefined) return { outcome: "gone" };
    if (!anyInScope(left, key, sizeBytes, tags)) return { outcome: "outOfScope" };
  }
  const found = await presence(key, signal);
  return found.outcome === "due" && storageClass !== undefined && ARCHIVED.has(storageClass) ? { outcome: "archived" } : found;
}

async function tagsOf(source: Pick<ObjectStore, "getTags">, key: string, signal: AbortSignal): Promise<Tags | undefined> {
  try {
    return await source.getTags(key, { signal });
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}
