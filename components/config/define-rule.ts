/** The type of a rule about several fields, and helpers. A rule reads only fields that are present and valid, so all rules can run at once. */
import type { LenientConfig } from "./schema";

export interface Violation {
  path: readonly PropertyKey[];
  message: string;
  /** Other fields that the rule relies on. The violation is dropped when one of them is invalid itself. */
  assumes?: readonly (readonly PropertyKey[])[];
}

export interface RuleContext {
  /** The component whose arguments the rules check; undefined for a stack's configuration. */
  component: string | undefined;
}

export type Rule = (config: LenientConfig, context: RuleContext) => Violation[];

export const SIDES = ["source", "destination"] as const;

export const when = (
  broken: boolean,
  path: readonly PropertyKey[],
  message: string,
  ...assumes: (readonly PropertyKey[])[]
): Violation[] => (broken ? [{ path, message, assumes }] : []);

/** Reports every element whose `value` an earlier element has too. */
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
