/** Which objects of a store a bridge is about, for every mode. */
import { outermost } from "../components/config/defaults";
import type { Scope } from "../runtime/protocol/env";
import { inScope } from "../runtime/replication/scope";
import { isBridgeError } from "../runtime/stores/errors";
import { compareKeys } from "../runtime/stores/keys";
import type { ObjectStore } from "../runtime/stores/object-store";
import type { OperatedBridge } from "./operated-bridge";

type Scoping = Pick<OperatedBridge["config"], "mode" | "scope" | "replication">;

/** An object is in where one of these lets it in: the rules of S3 replication where there are some, else the scope. */
export function scopesOf({ mode, scope, replication }: Scoping): Scope[] {
  const rules = mode === "native" ? replication.rules : [];
  if (rules.length === 0) return [scope];
  return rules
    .filter(({ enabled }) => enabled)
    .map(({ prefix, tags }) => ({ prefixes: prefix === "" ? [] : [prefix], suffixes: [], tags, minSizeBytes: 0 }));
}

/** What key and size leave of them; empty where the object is out whatever its tags are. */
export function scopesFor(scopes: readonly Scope[], key: string, sizeBytes: number): Scope[] {
  return scopes.filter((scope) => inScope({ ...scope, tags: {} }, key, { sizeBytes, tags: {} }).inScope);
}

export interface ScopedObject {
  key: string;
  /** With what the store's side has in front of the key. */
  storeKey: string;
  sizeBytes: number;
}

/** Whether one of them lets the object in; undefined when it was deleted meanwhile. Reads its tags only where they decide. */
export async function carried(
  store: Pick<ObjectStore, "getTags">,
  scopes: readonly Scope[],
  { key, storeKey, sizeBytes }: ScopedObject,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const left = scopesFor(scopes, key, sizeBytes);
  if (left.length === 0) return false;
  if (!left.every(asksForTags)) return true;
  try {
    const tags = await store.getTags(storeKey, { signal });
    return left.some((scope) => inScope(scope, key, { sizeBytes, tags }).inScope);
  } catch (error) {
    if (isBridgeError(error, "NotFound")) return undefined;
    throw error;
  }
}

const asksForTags = ({ tags }: Scope): boolean => Object.keys(tags).length > 0;

/**
 * The listings that together hold every key that can be in scope, none of them twice, in the order of keys.
 * @param prefix what the operator narrows the command to
 */
export function listingPrefixes(scopes: readonly Scope[], prefix: string): string[] {
  const wanted = scopes
    .flatMap(({ prefixes }) => (prefixes.length === 0 ? [""] : prefixes))
    .flatMap((own) => (own.startsWith(prefix) ? [own] : prefix.startsWith(own) ? [prefix] : []));
  return outermost(wanted).sort(compareKeys);
}
