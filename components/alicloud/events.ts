/** Which events of a source bucket wake a function, and how a trigger's configuration says so. */
import type { Scope } from "../../runtime/protocol/env";
import { onlyPlain } from "../event-filter";

/**
 * One by one: `oss:ObjectCreated:*` also tells of every part of an upload. OSS has no event for a change of tags alone. What the store's
 * own replication writes into the source bucket is told by events of another type.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger
 */
const WRITTEN = [
  ...["PutObject", "PostObject", "CopyObject", "AppendObject", "CompleteMultipartUpload"].map(
    (name) => `oss:ObjectCreated:${name}`,
  ),
  ...["ObjectCreated", "ObjectModified"].map((name) => `oss:ObjectReplication:${name}`),
];
const REMOVED = ["oss:ObjectRemoved:DeleteObject", "oss:ObjectRemoved:DeleteObjects", "oss:ObjectReplication:ObjectRemoved"];
const CHANGED = "oss:ObjectModified:UpdateObjectMeta";

/** Elsewhere OSS does not know `CHANGED`. */
const REGIONS_WITH_CHANGED: ReadonlySet<string> = new Set([
  "cn-hangzhou",
  "cn-shanghai",
  "cn-qingdao",
  "cn-beijing",
  "cn-zhangjiakou",
  "cn-huhehaote",
  "cn-shenzhen",
  "cn-chengdu",
]);

/** Removals matter only where deletes are replicated. */
export function sourceEvents(deletes: "ignore" | "replicate", region: string): string[] {
  const changed = REGIONS_WITH_CHANGED.has(region) ? [CHANGED] : [];
  return [...WRITTEN, ...changed, ...(deletes === "replicate" ? REMOVED : [])];
}

export function ossTriggerConfig({
  deletes,
  source,
  scope,
}: {
  deletes: "ignore" | "replicate";
  source: { region: string };
  scope: Pick<Scope, "prefixes" | "suffixes">;
}): object {
  const key = { prefix: onlyPlain(scope.prefixes) ?? "", suffix: onlyPlain(scope.suffixes) ?? "" };
  return { events: sourceEvents(deletes, source.region), filter: { key } };
}

/** Anybody may knock; the function checks address, rate and signature. */
export const HTTP_TRIGGER_CONFIG = { authType: "anonymous", methods: ["POST"], disableURLInternet: false };
