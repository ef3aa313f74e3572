/** Which events of a source bucket wake a function, and how a trigger's configuration says so. */
import type { Scope } from "../../runtime/protocol/env";
import { onlyPlain } from "../event-filter";

/**
 * One by one: `oss:ObjectCreated:*` also tells of every part of an upload. OSS has no event for a change of tags alone.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger
 */
const CREATED = ["PutObject", "PostObject", "CopyObject", "AppendObject", "CompleteMultipartUpload"];
const REMOVED = ["DeleteObject", "DeleteObjects"];

/** Removals matter only where deletes are replicated. */
export function sourceEvents(deletes: "ignore" | "replicate"): string[] {
  const created = CREATED.map((event) => `oss:ObjectCreated:${event}`);
  return deletes === "replicate" ? [...created, ...REMOVED.map((event) => `oss:ObjectRemoved:${event}`)] : created;
}

export function ossTriggerConfig({
  deletes,
  scope,
}: {
  deletes: "ignore" | "replicate";
  scope: Pick<Scope, "prefixes" | "suffixes">;
}): object {
  const key = { prefix: onlyPlain(scope.prefixes) ?? "", suffix: onlyPlain(scope.suffixes) ?? "" };
  return { events: sourceEvents(deletes), filter: { key } };
}

/** Anybody may knock; the function checks address, rate and signature. */
export const HTTP_TRIGGER_CONFIG = { authType: "anonymous", methods: ["POST"], disableURLInternet: false };
