/** When a task is tried again. https://www.alibabacloud.com/help/en/serverless-workflow/latest/error-handling */
import type { RetryRule } from "./fdl-schema";
import { MAX_RETRY_INTERVAL_SECONDS } from "./limits";

export const matches = (errors: readonly string[], code: string): boolean => errors.includes(code) || errors.includes("FnF.ALL");

/** The retries of one task. The first rule that matches an error applies; each rule counts its own attempts. */
export class Retries {
  private readonly used = new Map<RetryRule, number>();
  /** The sum over all rules: `$Context.Current.RetryCount`. */
  count = 0;

  constructor(private readonly rules: readonly RetryRule[]) {}

  /** Seconds until the next attempt; undefined when there is none. */
  next(code: string): number | undefined {
    const rule = this.rules.find(({ Errors }) => matches(Errors, code));
    if (rule === undefined) return undefined;
    const used = this.used.get(rule) ?? 0;
    if (used >= rule.MaxAttempts) return undefined;
    this.used.set(rule, used + 1);
    this.count += 1;
    const interval = rule.IntervalSeconds * (rule.BackoffRate ?? 1) ** used;
    return Math.min(interval, rule.MaxBackoffSeconds ?? MAX_RETRY_INTERVAL_SECONDS);
  }
}
