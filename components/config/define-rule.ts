/** What a rule about several fields is. Each looks only at what is there and valid, so that all of them can be reported at once. */
import type { LenientConfig } from "./schema";

export interface Violation {
  path: readonly PropertyKey[];
  message: string;
  /** Other fields that the rule took at their word: when one of them is wrong itself, this is no error yet. */
  assumes?: readonly (readonly PropertyKey[])[];
}

export interface RuleContext {
  /** The caller gives the token as a value that is known only while deploying. */
  tokenIsDeferred: boolean;
}

export type Rule = (config: LenientConfig, context: RuleContext) => Violation[];

export const SIDES = ["source", "destination"] as const;

export const when = (
  broken: boolean,
  path: readonly PropertyKey[],
  message: string,
  ...assumes: (readonly PropertyKey[])[]
): Violation[] => (broken ? [{ path, message, assumes }] : []);

/** What a store's own replication would silently not do. */
export const notWithNative =
  (store: "OSS" | "S3") =>
  (broken: boolean, path: readonly PropertyKey[], why = `where ${store} itself replicates`): Violation[] =>
    when(broken, path, `not with mode: native, ${why}; allowed: leave it out, or mode: pull`, ["mode"]);

/** Complains about every element whose `value` an earlier one has. */
export function repeated<T>(
  list: readonly T[],
  value: (element: T) => string | number,
  violation: (index: number, earlier: T) => Violation,
): Violation[] {
  return list.flatMap((element, index) => {
    const earlier = list.slice(0, index).find((other) => value(other) === value(element));
    return earlier === undefined ? [] : [violation(index, earlier)];
  });
}
