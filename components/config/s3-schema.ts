/** Settings that only S3 has: rules of its replication and of a bucket's lifecycle. */
import { z } from "zod";
import { DELETES } from "../../runtime/protocol/env";
import { S3_STORAGE_CLASSES, S3_TRANSITION_CLASSES } from "./clouds";
import { choice, flag, list, prefix, ruleId, tags, whole } from "./fields";
import { LIMITS } from "./limits";

/** Lifecycle rules that the bridge itself adds to a bucket that it creates: see `OWN_LIFECYCLE_IDS`. */
const OWN_LIFECYCLE_RULES = 2;

/** S3 takes a 32-bit number. */
const MAX_PRIORITY = 2_147_483_647;

const DAYS = { min: 1, max: 36_500 };

const priority = () => {
  const allowed = `a whole number, 0 to ${MAX_PRIORITY}, another one for every rule`;
  const error = `not a priority; allowed: ${allowed}`;
  return z.number({ error }).int({ error }).min(0, { error }).max(MAX_PRIORITY, { error }).meta({ allowed });
};

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ReplicationRule.html */
const replicationRuleSchema = z
  .strictObject({
    id: ruleId().describe("Id of the rule, unique among the rules."),
    priority: priority().describe(
      "Priority, unique among the rules. Where rules overlap, the rule with the highest number decides.",
    ),
    prefix: prefix().describe("The rule covers keys that begin with this text; every key when it is empty."),
    tags: tags().describe("The rule covers objects that have all of these tags. A rule with tags does not replicate deletes."),
    enabled: flag().default(true).describe("A disabled rule replicates nothing."),
    deletes: choice(DELETES)
      .optional()
      .meta({ description: "Whether the rule replicates delete markers.", fallback: "the bridge's own `deletes`" }),
    storageClass: choice(S3_STORAGE_CLASSES).optional().meta({
      description: "Storage class of this rule's replicas, in two-way bridges on both sides.",
      fallback: "destination.storageClass, or the object's own",
    }),
  })
  .meta({ title: "S3 replication: each rule", typeName: "ReplicationRuleArgs" });

export const replicationSchema = z
  .strictObject({
    rules: list(replicationRuleSchema, { what: "replication rules", max: LIMITS.s3ReplicationRules.most }).describe(
      "Rules in place of `scope.prefixes` and `scope.tags`. Without rules the bridge makes one for each prefix of the scope, with the scope's tags.",
    ),
    timeControl: flag()
      .default(false)
      .describe("S3 Replication Time Control: 15 minutes for 99.99 percent of the objects, at a price."),
    metrics: flag().optional().meta({
      description: "Replication metrics in CloudWatch, with alarms on latency and on failures.",
      fallback: "as timeControl",
    }),
    replicaModifications: flag().optional().meta({
      description: "Replicate changes of tags, ACLs and metadata that are made to replicas.",
      fallback: "true in two-way bridges, otherwise false",
    }),
    ownership: choice(["destination", "source"])
      .default("destination")
      .describe(
        "Which account owns the replicas, where the two accounts differ. `source` keeps owner and ACLs, and gives a destination bucket that the bridge creates the ownership `ObjectWriter`.",
      ),
  })
  .meta({
    title: "S3 replication",
    typeName: "ReplicationArgs",
    description: "S3's own replication, in mode `native` inside one partition of AWS.",
  });

const transitionSchema = z
  .strictObject({
    days: whole({ min: 0, max: DAYS.max }, "days").describe(
      "Age of the object. STANDARD_IA and ONEZONE_IA take objects of 30 days or more, and the class after them takes objects 30 days later.",
    ),
    storageClass: choice(S3_TRANSITION_CLASSES).describe(
      "Class that the object moves to. Objects in GLACIER and DEEP_ARCHIVE must be restored before they can be read.",
    ),
  })
  .meta({ title: "Lifecycle: each transition", typeName: "TransitionArgs" });

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html */
const lifecycleRuleSchema = z
  .strictObject({
    id: ruleId().describe("Id of the rule, unique in the bucket."),
    prefix: prefix().describe(
      "The rule covers keys of the destination bucket that begin with this text. They include the destination's own `prefix`.",
    ),
    expirationDays: whole(DAYS, "days").optional().meta({
      description: "Delete objects of this age. A bucket that keeps versions gets a delete marker.",
      fallback: "never",
    }),
    noncurrentExpirationDays: whole(DAYS, "days").optional().meta({
      description: "Delete a version for good this long after a newer one replaced it.",
      fallback: "never",
    }),
    transitions: z
      .array(transitionSchema, { error: "not a list of transitions; allowed: a list of days and storageClass" })
      .meta({ allowed: "a list of days and storageClass" })
      .default([])
      .describe("Moves to other storage classes, in the order in which they happen."),
  })
  .meta({ title: "Lifecycle: each rule", typeName: "LifecycleRuleArgs" });

export const lifecycleSchema = list(lifecycleRuleSchema, {
  what: "lifecycle rules",
  max: LIMITS.s3LifecycleRules.most - OWN_LIFECYCLE_RULES,
}).describe(
  "AWS: lifecycle rules of a bucket that the bridge creates, in any mode. The bridge adds rules of its own that clean up after it.",
);

export type ReplicationRule = z.output<typeof replicationRuleSchema>;
export type LifecycleRule = z.output<typeof lifecycleRuleSchema>;
