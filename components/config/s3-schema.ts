/** The shape of what only S3 does: rules of replication and rules of a bucket's lifecycle. */
import { z } from "zod";
import { S3_STORAGE_CLASSES, S3_TRANSITION_CLASSES } from "./clouds";
import { choice, flag, prefix, ruleId, tags, whole } from "./fields";

/** Of replication and of a lifecycle alike. https://docs.aws.amazon.com/general/latest/gr/s3.html */
export const MAX_RULES = 1000;

/** S3 takes a 32-bit number. */
const MAX_PRIORITY = 2_147_483_647;

/** More than S3 itself would ever be asked to wait. */
const MAX_DAYS = 36_500;

const priority = () => {
  const error = `not a priority; allowed: a whole number, 0 to ${MAX_PRIORITY}, another one for every rule`;
  return z.number({ error }).int({ error }).min(0, { error }).max(MAX_PRIORITY, { error });
};

const listOf = <T extends z.ZodType>(element: T, what: string) => {
  const error = `not a list of ${what}; allowed: a list of at most ${MAX_RULES}`;
  return z.array(element, { error }).max(MAX_RULES, { error }).default([]);
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html */
export const replicationRuleSchema = z.strictObject({
  id: ruleId(),
  /** Where rules overlap, the one with the highest number decides. */
  priority: priority(),
  prefix: prefix(),
  tags: tags(),
  enabled: flag().default(true),
  /** The bridge's own `deletes` when absent. */
  deletes: choice(["ignore", "replicate"]).optional(),
  /** The destination's when absent. */
  storageClass: choice(S3_STORAGE_CLASSES).optional(),
});

export const replicationSchema = z.strictObject({
  /** Follow from the scope when empty. */
  rules: listOf(replicationRuleSchema, "rules of replication"),
  timeControl: flag().default(false),
  /** On with `timeControl` when absent. */
  metrics: flag().optional(),
  /** On in two-way bridges when absent. */
  replicaModifications: flag().optional(),
  ownership: choice(["destination", "source"]).default("destination"),
});

export const transitionSchema = z.strictObject({
  days: whole(0, MAX_DAYS, "days"),
  storageClass: choice(S3_TRANSITION_CLASSES),
});

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html */
export const lifecycleRuleSchema = z.strictObject({
  id: ruleId(),
  /** Of keys in the destination bucket, with the destination's own prefix. */
  prefix: prefix(),
  expirationDays: whole(1, MAX_DAYS, "days").optional(),
  noncurrentExpirationDays: whole(1, MAX_DAYS, "days").optional(),
  transitions: z
    .array(transitionSchema, { error: "not a list of transitions; allowed: a list of days and storageClass" })
    .default([]),
});

export const lifecycleSchema = listOf(lifecycleRuleSchema, "rules of a lifecycle");

export type ReplicationRule = z.output<typeof replicationRuleSchema>;
export type LifecycleRule = z.output<typeof lifecycleRuleSchema>;
