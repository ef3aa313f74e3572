/** Rules about the lifecycle of a destination bucket in S3 that the bridge creates. They follow S3's own limits. */
import { isAws, S3_TRANSITION_CLASSES } from "./clouds";
import { type Rule, repeated, type Violation, when } from "./define-rule";
import type { LifecycleRule } from "./s3-schema";

const LIST = ["destination", "lifecycle"] as const;

/** Ids of the lifecycle rules that the bridge itself adds to a created bucket. */
export const OWN_LIFECYCLE_IDS: readonly string[] = ["abort-abandoned-uploads", "expire-bridge-records"];

/** S3 moves objects to these classes after 30 days or more, and keeps them there for 30 days or more. https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html */
const SELDOM_READ: readonly string[] = ["STANDARD_IA", "ONEZONE_IA"];
const SELDOM_READ_DAYS = 30;

const ownBucket: Rule = ({ destination }) => {
  const { cloud, adopt, lifecycle = [] } = destination ?? {};
  if (lifecycle.length === 0) return [];
  return [
    ...when(adopt === true, LIST, "an adopted bucket's settings are never changed; allowed: leave it out, or adopt: false", [
      "destination",
      "adopt",
    ]),
    ...when(cloud === "alicloud", LIST, "rules of S3, and the destination is a bucket of OSS; allowed: leave it out"),
  ];
};

const distinctIds: Rule = ({ destination }) => {
  const rules = destination?.lifecycle ?? [];
  const message = "another rule of this bucket already has this id; allowed: another one";
  return [
    ...repeated(
      rules,
      ({ id }) => id,
      (index) => ({ path: [...LIST, index, "id"], message }),
    ),
    ...rules.flatMap(({ id }, index) => when(OWN_LIFECYCLE_IDS.includes(id), [...LIST, index, "id"], message)),
  ];
};

const actions: Rule = ({ destination }) =>
  (destination?.lifecycle ?? []).flatMap((rule, index) => {
    const path = [...LIST, index];
    const lastDays = Math.max(...rule.transitions.map(({ days }) => days));
    return [
      ...when(
        rule.transitions.length === 0 && rule.expirationDays === undefined && rule.noncurrentExpirationDays === undefined,
        path,
        "a rule that does nothing; allowed: at least one of expirationDays, noncurrentExpirationDays and transitions",
      ),
      ...when(
        rule.expirationDays !== undefined && rule.expirationDays <= lastDays,
        [...path, "expirationDays"],
        `not after the last transition; allowed: more than ${lastDays}`,
      ),
      ...when(
        rule.noncurrentExpirationDays !== undefined && destination?.versioning === false,
        [...path, "noncurrentExpirationDays"],
        "destination.versioning is false, so the bucket has no earlier versions; allowed: leave it out",
        ["destination", "versioning"],
      ),
    ];
  });

const transitions: Rule = ({ destination }) =>
  (destination?.lifecycle ?? []).flatMap((rule, index) =>
    rule.transitions.flatMap((_, at) => transition(rule, at, [...LIST, index, "transitions", at])),
  );

/** Returns at most one violation for a transition. */
function transition({ transitions: all }: LifecycleRule, at: number, path: readonly PropertyKey[]): Violation[] {
  const [current, previous] = [all[at], all[at - 1]];
  if (current === undefined) return [];
  const { days, storageClass } = current;
  if (SELDOM_READ.includes(storageClass) && days < SELDOM_READ_DAYS)
    return when(true, [...path, "days"], `too early for ${storageClass}; allowed: ${SELDOM_READ_DAYS} or more`);
  if (previous === undefined) return [];
  const rank = (name: (typeof S3_TRANSITION_CLASSES)[number]) => S3_TRANSITION_CLASSES.indexOf(name);
  if (rank(storageClass) <= rank(previous.storageClass)) {
    const later = S3_TRANSITION_CLASSES.slice(rank(previous.storageClass) + 1);
    const allowed = later.length > 0 ? later.join(", ") : "nothing more";
    return when(
      true,
      [...path, "storageClass"],
      `S3 does not move objects there from ${previous.storageClass}; allowed: ${allowed}`,
    );
  }
  const earliest = previous.days + (SELDOM_READ.includes(previous.storageClass) ? SELDOM_READ_DAYS : 1);
  return when(
    days < earliest,
    [...path, "days"],
    `too early after the transition to ${previous.storageClass}; allowed: ${earliest} or more`,
  );
}

/** Applies a rule only to a bucket that the bridge creates in AWS. `ownBucket` refuses the whole list for any other bucket. */
const ofOwnBucket =
  (rule: Rule): Rule =>
  (config, context) =>
    isAws(config.destination?.cloud) && config.destination.adopt !== true ? rule(config, context) : [];

export const LIFECYCLE_RULES: readonly Rule[] = [ownBucket, ...[distinctIds, actions, transitions].map(ofOwnBucket)];
