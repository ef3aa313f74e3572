/** Which events of a source bucket wake the sender, and how a bucket's notification configuration says so. */
import type { Scope } from "../../runtime/protocol/env";
import { onlyPlain } from "../event-filter";

/** A changed tag is a change to carry; removals matter only where deletes are replicated. */
export function sourceEvents(deletes: "ignore" | "replicate"): string[] {
  const changes = ["s3:ObjectCreated:*", "s3:ObjectTagging:*"];
  return deletes === "replicate" ? [...changes, "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"] : changes;
}

/** A notification takes one prefix and one suffix; the sender, which checks the scope anyway, drops the rest. */
export function eventFilter(scope: Pick<Scope, "prefixes" | "suffixes">): { filterPrefix?: string; filterSuffix?: string } {
  const filterPrefix = onlyPlain(scope.prefixes);
  const filterSuffix = onlyPlain(scope.suffixes);
  return { ...(filterPrefix === undefined ? {} : { filterPrefix }), ...(filterSuffix === undefined ? {} : { filterSuffix }) };
}

export interface RequiredNotificationArgs {
  id: string;
  target: { queueArn: string } | { functionArn: string };
  deletes: "ignore" | "replicate";
  scope: Pick<Scope, "prefixes" | "suffixes">;
}

/** What an operator merges into an adopted bucket's configuration (`aws s3api put-bucket-notification-configuration`). */
export function requiredNotification({ id, target, deletes, scope }: RequiredNotificationArgs): object {
  const { filterPrefix, filterSuffix } = eventFilter(scope);
  const rules = [
    ...(filterPrefix === undefined ? [] : [{ Name: "prefix", Value: filterPrefix }]),
    ...(filterSuffix === undefined ? [] : [{ Name: "suffix", Value: filterSuffix }]),
  ];
  const common = {
    Id: id,
    Events: sourceEvents(deletes),
    ...(rules.length > 0 ? { Filter: { Key: { FilterRules: rules } } } : {}),
  };
  return "queueArn" in target
    ? { QueueConfigurations: [{ ...common, QueueArn: target.queueArn }] }
    : { LambdaFunctionConfigurations: [{ ...common, LambdaFunctionArn: target.functionArn }] };
}
