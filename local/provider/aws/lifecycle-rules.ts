/**
 * Rules of S3 on a lifecycle configuration that the emulator does not check:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 */
import type { Failure } from "../schema";

interface LifecycleRule {
  id: string;
  filter?: { prefix?: string | undefined; tag?: object | undefined } | undefined;
  expiration?: { days?: number | undefined } | undefined;
  transitions?: { days?: number | undefined; storageClass: string }[] | undefined;
}

/** The infrequent-access classes take objects that are at least 30 days old. */
const MIN_DAYS: Record<string, number> = { STANDARD_IA: 30, ONEZONE_IA: 30 };

export function* lifecycleFailures(rules: LifecycleRule[]): Generator<Failure> {
  const ids = new Set<string>();
  for (const [index, rule] of rules.entries()) {
    const refuse = (path: string, reason: string) => ({ property: `rules[${index}].${path}`, reason });
    if (ids.has(rule.id)) {
      yield refuse("id", `InvalidArgument: Rule ID must be unique. Found same ID for more than one rule: ${rule.id}`);
    }
    ids.add(rule.id);
    for (const failure of daysFailures(rule)) yield refuse(failure.property, failure.reason);
  }
}

function* daysFailures({ filter, expiration, transitions = [] }: LifecycleRule): Generator<Failure> {
  const expires = expiration?.days;
  if (expires !== undefined && !(Number.isInteger(expires) && expires > 0)) {
    yield { property: "expiration.days", reason: "InvalidArgument: 'Days' for Expiration action must be a positive integer" };
  }
  for (const [index, { days = 0, storageClass }] of transitions.entries()) {
    const property = `transitions[${index}].days`;
    const least = MIN_DAYS[storageClass] ?? 0;
    if (days < least) {
      const reason = `InvalidArgument: 'Days' in Transition action must be greater than or equal to ${least} for storageClass '${storageClass}'`;
      yield { property, reason };
    }
    if (expires !== undefined && expires <= days) {
      const of = `(prefix=${filter?.prefix ?? ""})`;
      const reason = `InvalidArgument: 'Days' in the Expiration action for filter '${of}' must be greater than 'Days' in the Transition action`;
      yield { property: "expiration.days", reason };
    }
  }
}
