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
