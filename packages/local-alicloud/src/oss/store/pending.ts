/** Pure functions on pending replication. */
import type { Pending, Version } from "./model";

/** The versions that a change created or replaced, and those that it removed. */
export function changedVersions(before: readonly Version[], after: readonly Version[]): Version[] {
  const old = new Set(before);
  const left = new Set(after.map(({ versionId }) => versionId));
  return [...after.filter((version) => !old.has(version)), ...before.filter(({ versionId }) => !left.has(versionId))];
}

/** @param rulesOf ids of the rules that replicate a version */
export function withPending(
  pending: Pending | undefined,
  changed: readonly Version[],
  rulesOf: (version: Version) => readonly string[],
): Pending | undefined {
  let all = pending;
  for (const version of changed)
    for (const rule of rulesOf(version)) all = { ...all, [rule]: [...new Set([...(all?.[rule] ?? []), version.versionId])] };
  return all;
}

/** Undefined when nothing is left. */
export function withoutPending(pending: Pending | undefined, rule: string, done: ReadonlySet<string>): Pending | undefined {
  const left = (pending?.[rule] ?? []).filter((versionId) => !done.has(versionId));
  const { [rule]: _done, ...others } = pending ?? {};
  const all = left.length === 0 ? others : { ...others, [rule]: left };
  return Object.keys(all).length === 0 ? undefined : all;
}
