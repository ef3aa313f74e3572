/** What is to be done about one listed object. */
import type { Scope } from "../../runtime/protocol/env";
import type { ListedObject, ObjectStore } from "../../runtime/stores/object-store";
import { carried } from "../scopes";
import type { Presence } from "./presence";

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
  const isIn = await carried(source, scopes, { key, storeKey: key, sizeBytes }, signal);
  if (isIn === undefined) return { outcome: "gone" };
  if (!isIn) return { outcome: "outOfScope" };
  const found = await presence(key, signal);
  return found.outcome === "due" && storageClass !== undefined && ARCHIVED.has(storageClass) ? { outcome: "archived" } : found;
}
