/** The store's own replication, in mode `native`: the rules of the source bucket. */
import { GetBucketReplicationCommand, type ReplicationConfiguration } from "@aws-sdk/client-s3";
import { isAws } from "../../../components/config/clouds";
import type { XmlElement } from "../../../runtime/http/xml";
import {
  alicloudOf,
  awsOf,
  bucketOf,
  bucketText,
  type Check,
  type CheckedStack,
  hasBucket,
  type Problem,
  type SideName,
  type View,
} from "../check";
import { unlessCode } from "../clouds/aws";
import { awsCommand, configCommand, inOrder, ossCommand, quoted, refreshCommand, upCommand } from "../paste";

const isNative = ({ config }: CheckedStack): boolean => config.mode === "native";
/** The sides that replicate to the other. */
const replicating = (stack: CheckedStack): SideName[] => {
  if (!isNative(stack)) return [];
  return stack.config.direction === "two-way" ? ["source", "destination"] : ["source"];
};
const otherBucket = ({ stack, side }: View): string => bucketOf({ stack, side: side === "source" ? "destination" : "source" });

async function s3Replication(view: View): Promise<ReplicationConfiguration | undefined> {
  const command = new GetBucketReplicationCommand({ Bucket: bucketOf(view) });
  const none = /^ReplicationConfigurationNotFoundError$/;
  return (await unlessCode(none, awsOf(view).s3.send(command, { abortSignal: view.signal })))?.ReplicationConfiguration;
}

/** https://www.alibabacloud.com/help/en/oss/developer-reference/getbucketreplication */
async function ossReplication(view: View): Promise<XmlElement[]> {
  const none = /^NoSuchReplicationConfiguration$/;
  const answer = await alicloudOf(view).setting(bucketOf(view), { replication: null }, none, view.signal);
  return answer?.document?.all("Rule") ?? [];
}

const ruleTo = (bucket: string, rules: readonly XmlElement[]): XmlElement | undefined =>
  rules.find((rule) => rule.child("Destination")?.textOf("Bucket") === bucket);

/** Named by `components/alicloud/native.ts`. */
const roleOf = ({ stack }: View): string => `crossborderbridge-${stack.config.name}-replication`;

const foreignRules: Check = {
  name: "replication-owned",
  looksAt: "replication rules that an adopted bucket has already",
  why: "A deployment replaces the replication configuration of a bucket of S3. Where OSS has a rule for the two buckets, it takes over the first rule of the source, and later deletes it.",
  when: "before",
  needs: ["bucket"],
  sides: (stack) => replicating(stack).filter((side) => hasBucket(stack, side)),
  async run(view) {
    const pull = inOrder(configCommand(view, "mode", "pull"), upCommand(view));
    if (isAws(view.stack.config[view.side].cloud)) {
      const rules = (await s3Replication(view))?.Rules ?? [];
      if (rules.length === 0) return [];
      const named = rules.map(({ ID = "", Destination }) => `${ID} (to ${Destination?.Bucket?.split(":").at(-1)})`);
      return [
        { what: `${bucketText(view)} has the replication rules ${named.join(", ")}, which a deployment replaces`, fix: pull },
      ];
    }
    const rule = ruleTo(otherBucket(view), await ossReplication(view));
    if (rule === undefined) return [];
    const id = rule.textOf("ID");
    return [
      {
        what: `${bucketText(view)} has the replication rule ${id} to ${otherBucket(view)} already, so a deployment takes over a rule that it did not make`,
        fix: pull,
      },
    ];
  },
};

const replication: Check = {
  name: "replication",
  looksAt: "the replication rules that are deployed: that they lead to the other bucket, and are enabled",
  why: "The store replicates nothing without an enabled rule, and an object that was written meanwhile needs a backfill.",
  when: "after",
  needs: ["bucket"],
  sides: replicating,
  run: (view) => (isAws(view.stack.config[view.side].cloud) ? s3Problems(view) : ossProblems(view)),
};

const noRule = (view: View): Problem => ({
  what: `${bucketText(view)} has no replication rule to ${otherBucket(view)}`,
  fix: refreshCommand(view),
});

async function s3Problems(view: View): Promise<Problem[]> {
  const configuration = await s3Replication(view);
  const rules = configuration?.Rules ?? [];
  const other = otherBucket(view);
  const own = rules.filter(({ Destination }) => Destination?.Bucket?.split(":").at(-1) === other);
  const foreign = rules.filter((rule) => !own.includes(rule));
  const moveForeign = `move the rules ${foreign.map(({ ID }) => ID).join(", ")} into replication.rules`;
  if (own.length === 0)
    return [
      foreign.length === 0
        ? noRule(view)
        : { ...noRule(view), fix: `${moveForeign}, or this removes them: ${refreshCommand(view)}` },
    ];
  const problems: Problem[] = [];
  // Rules that the settings disable are no fault, so only a configuration without any enabled rule is one.
  if (own.every(({ Status }) => Status === "Disabled")) {
    const enabled = {
      ...configuration,
      Rules: rules.map((rule) => (own.includes(rule) ? { ...rule, Status: "Enabled" } : rule)),
    };
    problems.push({
      what: `every replication rule of ${bucketText(view)} to ${other} is disabled`,
      fix: awsCommand(view, "s3api put-bucket-replication", {
        bucket: bucketOf(view),
        "replication-configuration": JSON.stringify(enabled),
      }),
    });
  }
  if (foreign.length > 0)
    problems.push({
      what: `${bucketText(view)} also has the replication rules ${foreign.map(({ ID }) => ID).join(", ")}, which are not in the program`,
      why: "The program owns the whole replication configuration of the bucket: the next `pulumi up` that touches it removes them.",
      fix: `${moveForeign}, then: ${upCommand(view)}`,
    });
  return problems;
}

async function ossProblems(view: View): Promise<Problem[]> {
  const rule = ruleTo(otherBucket(view), await ossReplication(view));
  if (rule === undefined) return [noRule(view)];
  const role = rule.textOf("SyncRole");
  if (role !== roleOf(view))
    return [
      {
        what: `the replication rule ${rule.textOf("ID")} of ${bucketText(view)} has the role ${role ?? "(none)"}, so the bridge did not make it`,
        why: "The provider has taken it over: the next `pulumi destroy` deletes a rule of somebody else.",
        fix: `pulumi stack --show-urns --stack ${quoted(view.stack.name)}   # names the BucketReplication; then: pulumi state delete <its URN>`,
      },
    ];
  const status = rule.textOf("Status");
  if (status !== "closing") return [];
  const show = ossCommand(view, "get-bucket-replication", { bucket: bucketOf(view) });
  return [
    {
      what: `the replication rule ${rule.textOf("ID")} of ${bucketText(view)} is being closed`,
      fix: `${show}   # until it is gone, then: ${refreshCommand(view)}`,
    },
  ];
}

export const REPLICATION_CHECKS: readonly Check[] = [foreignRules, replication];
