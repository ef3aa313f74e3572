/** Decides which source states a bridge replicates: by key, size and tags, by the rule for deletes, and by where the object came from. Pure. */

import { CONTROL_PREFIX, inControlPrefix } from "../protocol/control";
import type { DispatcherConfig, Scope } from "../protocol/env";
import type { ObjectSnapshot } from "../protocol/snapshot";
import { readProvenance } from "./provenance";

/** `isReturned`: the object came from the destination, and is in scope otherwise. */
export type ScopeVerdict = { inScope: true } | { inScope: false; reason: string; isReturned?: true };

const IN_SCOPE: ScopeVerdict = { inScope: true };

/** The verdict on the key alone: nothing is read for a key that is out of scope. */
export function inScopeByKey(scope: Scope, key: string): ScopeVerdict {
  if (inControlPrefix(key)) return out(`keys under ${CONTROL_PREFIX} belong to bridges`);
  if (scope.prefixes.length > 0 && !scope.prefixes.some((prefix) => key.startsWith(prefix))) {
    return out(`the key starts with none of the prefixes ${list(scope.prefixes)}`);
  }
  if (scope.suffixes.length > 0 && !scope.suffixes.some((suffix) => key.endsWith(suffix))) {
    return out(`the key ends with none of the suffixes ${list(scope.suffixes)}`);
  }
  return IN_SCOPE;
}

/** The verdict on what an event says. Nothing is read. @param sizeBytes undefined where the event does not say it */
export function inScopeByEvent(scope: Scope, { key, sizeBytes }: { key: string; sizeBytes?: number | undefined }): ScopeVerdict {
  const byKey = inScopeByKey(scope, key);
  if (!byKey.inScope || sizeBytes === undefined) return byKey;
  if (sizeBytes < scope.minSizeBytes) return out(`${sizeBytes} bytes are fewer than minSizeBytes ${scope.minSizeBytes}`);
  if (scope.maxSizeBytes !== undefined && sizeBytes > scope.maxSizeBytes)
    return out(`${sizeBytes} bytes are more than maxSizeBytes ${scope.maxSizeBytes}`);
  return IN_SCOPE;
}

/** The verdict on a present object. */
export function inScope(scope: Scope, key: string, snapshot: Pick<ObjectSnapshot, "sizeBytes" | "tags">): ScopeVerdict {
  const bySize = inScopeByEvent(scope, { key, sizeBytes: snapshot.sizeBytes });
  if (!bySize.inScope) return bySize;
  for (const [name, value] of Object.entries(scope.tags)) {
    // Own properties only: every object inherits a property named "constructor".
    const actual = Object.hasOwn(snapshot.tags, name) ? snapshot.tags[name] : undefined;
    if (actual !== value) return out(`the tag ${JSON.stringify(name)} is not ${JSON.stringify(value)}`);
  }
  return IN_SCOPE;
}

export type EligibilityRules = Pick<DispatcherConfig, "scope" | "deletes" | "destinationId">;

/**
 * The verdict on a source state, as every role that reads the source needs it.
 * @param snapshot undefined stands for absent
 */
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
    ? { inScope: false, reason: "a replica of the destination's own object", isReturned: true }
    : verdict;
}

function out(reason: string): ScopeVerdict {
  return { inScope: false, reason };
}

function list(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}
