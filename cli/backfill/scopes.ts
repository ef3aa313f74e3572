/** Which listed objects a backfill is about, for every mode. Pure. */
import type { Scope } from "../../runtime/protocol/env";
import type { Tags } from "../../runtime/protocol/snapshot";
import { inScope } from "../../runtime/replication/scope";
import { compareKeys } from "../../runtime/stores/keys";
import type { OperatedBridge } from "../operated-bridge";

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

export const asksForTags = (scopes: readonly Scope[]): boolean => scopes.every(({ tags }) => Object.keys(tags).length > 0);

export function anyInScope(scopes: readonly Scope[], key: string, sizeBytes: number, tags: Tags): boolean {
  return scopes.some((scope) => inScope(scope, key, { sizeBytes, tags }).inScope);
}

/**
 * The listings that together hold every key that can be in scope, none of them twice, in the order of keys.
 * @param prefix what the operator narrows the backfill to
 */
export function listingPrefixes(scopes: readonly Scope[], prefix: string): string[] {
  const wanted = scopes
    .flatMap(({ prefixes }) => (prefixes.length === 0 ? [""] : prefixes))
    .flatMap((own) => (own.startsWith(prefix) ? [own] : prefix.startsWith(own) ? [prefix] : []))
    .sort(compareKeys);
  return wanted.filter((own, index) => !wanted.slice(0, index).some((earlier) => own.startsWith(earlier)));
}
