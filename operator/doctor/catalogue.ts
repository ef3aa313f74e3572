/** Every check, in the order in which results are shown. docs/doctor.md has a row for each, and a test compares both. */
import type { Check } from "./check";
import { ACCESS_CHECKS } from "./checks/access";
import { BUCKET_POLICY_CHECKS } from "./checks/bucket-policy";
import { BUCKET_CHECKS } from "./checks/buckets";
import { CLOUDFLOW_CHECKS } from "./checks/cloudflow";
import { ENCRYPTION_CHECKS } from "./checks/encryption";
import { EVENT_CHECKS } from "./checks/events";
import { FUNCTION_CHECKS } from "./checks/functions";
import { OSS_CHECKS } from "./checks/oss";
import { QUEUE_CHECKS } from "./checks/queues";
import { RECEIVER_CHECKS } from "./checks/receiver";
import { REFUSAL_CHECKS } from "./checks/refusals";
import { REPLICATION_CHECKS } from "./checks/replication";
import { SECRET_CHECKS } from "./checks/secrets";

export const CHECKS: readonly Check[] = [
  ...ACCESS_CHECKS,
  ...BUCKET_CHECKS,
  ...ENCRYPTION_CHECKS,
  ...BUCKET_POLICY_CHECKS,
  ...EVENT_CHECKS,
  ...QUEUE_CHECKS,
  ...FUNCTION_CHECKS,
  ...RECEIVER_CHECKS,
  ...REFUSAL_CHECKS,
  ...SECRET_CHECKS,
  ...OSS_CHECKS,
  ...CLOUDFLOW_CHECKS,
  ...REPLICATION_CHECKS,
];

export const checkNames = (): string[] => CHECKS.map(({ name }) => name);

/** The named checks, and those that they need. */
export function chooseChecks(only: readonly string[] | undefined): readonly Check[] {
  if (only === undefined) return CHECKS;
  const wanted = new Set(only);
  // A check stands after those that it needs.
  for (const check of CHECKS.toReversed()) if (wanted.has(check.name)) for (const needed of check.needs) wanted.add(needed);
  return CHECKS.filter(({ name }) => wanted.has(name));
}

const WHEN = { always: "before and after", before: "before", after: "after" } as const;

/** The table of docs/doctor.md. */
export function checksTable(): string {
  const rows = CHECKS.map(({ name, when, looksAt, why }) => `| \`${name}\` | ${WHEN[when]} | ${looksAt} | ${why} |`);
  return ["| Check | `pulumi up` | Looks at | Why it matters |", "|---|---|---|---|", ...rows].join("\n");
}
