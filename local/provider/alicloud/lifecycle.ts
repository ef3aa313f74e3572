import type { Failure, Infer } from "../schema";
import { outsideRange } from "./checks";
import type { XmlFields } from "./oss-api";

export const LIFECYCLE_RULE = {
  id: "string",
  "enabled!": "boolean",
  prefix: "string",
  tags: "map",
  abortMultipartUploads: [{ days: "number", createdBeforeDate: "string" }],
  expirations: [{ days: "number", date: "string", createdBeforeDate: "string", expiredObjectDeleteMarker: "boolean" }],
  noncurrentVersionExpirations: [{ "days!": "number" }],
  transitions: [{ days: "number", createdBeforeDate: "string", "storageClass!": "string" }],
} as const;
export type LifecycleRule = Infer<typeof LIFECYCLE_RULE>;

const ACTIONS = ["abortMultipartUploads", "expirations", "noncurrentVersionExpirations", "transitions"] as const;

/** The provider refuses a rule without an action, and an action without exactly one of days and dates. */
export function* badRules(rules: readonly LifecycleRule[]): Generator<Failure> {
  for (const [index, rule] of rules.entries()) {
    const at = `lifecycleRules[${index}]`;
    yield* outsideRange(`${at}.id.length`, Buffer.byteLength(rule.id ?? ""), 0, 255);
    if (ACTIONS.every((action) => (rule[action] ?? []).length === 0)) {
      yield { property: at, reason: `${at} has no action; it has ${ACTIONS.join(", ")}` };
    }
    for (const action of ACTIONS) {
      for (const { storageClass: _, ...when } of (rule[action] ?? []) as { storageClass?: string }[]) {
        if (Object.values(when).filter((value) => value !== undefined).length !== 1) {
          yield { property: `${at}.${action}`, reason: `${at}.${action} needs one of days and dates` };
        }
      }
    }
  }
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketlifecycle */
export function lifecycleDocument(rules: readonly LifecycleRule[]): XmlFields {
  return {
    Rule: rules.map((rule) => ({
      ID: rule.id,
      Prefix: rule.prefix ?? "",
      Status: rule.enabled ? "Enabled" : "Disabled",
      Tag: Object.entries(rule.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
      Expiration: rule.expirations?.map((one) => ({
        Days: one.days,
        Date: midnight(one.date),
        CreatedBeforeDate: midnight(one.createdBeforeDate),
        ExpiredObjectDeleteMarker: one.expiredObjectDeleteMarker,
      })),
      AbortMultipartUpload: rule.abortMultipartUploads?.map((one) => ({
        Days: one.days,
        CreatedBeforeDate: midnight(one.createdBeforeDate),
      })),
      NoncurrentVersionExpiration: rule.noncurrentVersionExpirations?.map(({ days }) => ({ NoncurrentDays: days })),
      Transition: rule.transitions?.map((one) => ({
        Days: one.days,
        CreatedBeforeDate: midnight(one.createdBeforeDate),
        StorageClass: one.storageClass,
      })),
    })),
  };
}

/** The provider takes a day, OSS a time. */
const midnight = (day: string | undefined) => (day === undefined ? undefined : `${day}T00:00:00.000Z`);
