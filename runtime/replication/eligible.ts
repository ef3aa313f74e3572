/** Decides whether a source state is to be replicated. Every role that reads the source uses it. Pure. */
import type { DispatcherConfig } from "../protocol/env";
import type { ObjectSnapshot } from "../protocol/snapshot";
import { readProvenance } from "./provenance";
import { inScope, inScopeByKey, type ScopeVerdict } from "./scope";

export type EligibilityRules = Pick<DispatcherConfig, "scope" | "deletes" | "destinationId">;

/** @param snapshot undefined stands for absent */
export function eligible(
  { scope, deletes, destinationId }: EligibilityRules,
  key: string,
  snapshot: ObjectSnapshot | undefined,
): ScopeVerdict {
  const verdict = snapshot === undefined ? inScopeByKey(scope, key) : inScope(scope, key, snapshot);
  if (!verdict.inScope) return verdict;
  if (snapshot === undefined) {
    return deletes === "replicate" ? verdict : { inScope: false, reason: "absent at the source, and deletes are ignored" };
  }
  // A replica that came from the destination is never sent back to it.
  return readProvenance(snapshot.metadata)?.origin === destinationId
    ? { inScope: false, reason: "a replica of the destination's own object" }
    : verdict;
}
