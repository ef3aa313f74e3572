/** The options of a doctor, and how it opens a stack. */
import { type CommonOptions, UsageError } from "../command";
import type { ConfiguredStack } from "../operated-bridge";

export interface DoctorOptions extends CommonOptions {
  all?: true;
  /** Names of checks. */
  only?: string[];
  concurrency: number;
  /** Milliseconds. */
  timeout: number;
}

/** Opens a stack that may not be deployed yet. */
export type OpenConfigured = (options: CommonOptions, signal: AbortSignal) => Promise<ConfiguredStack>;

/** @throws UsageError for a name that no check has */
export function assertNames(names: readonly string[], known: readonly string[]): void {
  const wrong = names.filter((name) => !known.includes(name));
  if (wrong.length > 0) throw new UsageError(`no check is named ${wrong.join(", ")}; there are: ${known.join(", ")}`);
}
