/** Which objects of a store a bridge replicates, in every mode. */
import { outermost } from "../components/config/defaults";
import type { Scope } from "../runtime/protocol/env";
import { inScope } from "../runtime/replication/scope";
import { isBridgeError } from "../runtime/stores/errors";
import { compareKeys } from "../runtime/stores/keys";
import type { ObjectStore } from "../runtime/stores/object-store";
import type { OperatedBridge } from "./operated-bridge";

type Scoping = Pick<OperatedBridge["config"], "mode" | "scope" | "replication">;

/** An object is in scope if one of these accepts it: the rules of S3 replication if there are any, else the scope. */
export function scopesOf({ mode, scope, replication }: Scoping): Scope[] {
  const rules = mode === "native" ? replication.rules : [];
  if (rules.length === 0) return [scope];
  return rules
    .filter(({ enabled }) => enabled)
    .map(({ prefix, tags }) => ({ prefixes: prefix === "" ? [] : [prefix], suffixes: [], tags, minSizeBytes: 0 }));
}

/** The scopes that accept the key and the size. Empty if no tags can bring the object into scope. */
export function scopesFor(scopes: readonly Scope[], key: string, sizeBytes: number): Scope[] {
  return scopes.filter((scope) => inScope({ ...scope, tags: {} }, key, { sizeBytes, tags: {} }).inScope);
}

export interface ScopedObject {
  key: string;
  /** The key with its side's prefix. */
  storeKey: string;
  sizeBytes: number;
}

/** Whether one of the scopes accepts the object. Undefined if it was deleted meanwhile. Reads tags only if they decide. */
export async function isInAnyScope(
  store: Pick<ObjectStore, "getTags">,
  scopes: readonly Scope[],
  { key, storeKey, sizeBytes }: ScopedObject,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const candidates = scopesFor(scopes, key, sizeBytes);
  if (candidates.length === 0) return false;
  if (!candidates.every(asksForTags)) return true;
  try {
    const tags = await store.getTags(storeKey, { signal });
    return candidates.some((scope) => inScope(scope, key, { sizeBytes, tags }).inScope);
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

const asksForTags = ({ tags }: Scope): boolean => Object.keys(tags).length > 0;

/**
 * The prefixes that together list every key that can be in scope, none of them twice, in the order of keys.
 * @param prefix the operator's own filter
 */
export function listingPrefixes(scopes: readonly Scope[], prefix: string): string[] {
  const wanted = scopes
    .flatMap(({ prefixes }) => (prefixes.length === 0 ? [""] : prefixes))
    .flatMap((own) => (own.startsWith(prefix) ? [own] : prefix.startsWith(own) ? [prefix] : []));
  return outermost(wanted).sort(compareKeys);
}
