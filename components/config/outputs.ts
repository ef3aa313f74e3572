/**
 * The outputs of a bridge: each with its name, its description and when it is present. `npm run docs:configuration` writes the type
 * `BridgeOutputs` and the table in docs/configuration.md from it.
 */
import { z } from "zod";

const name = () => z.string().min(1);
/** `when` completes "Present ...". */
const text = (when: string, description: string) => name().optional().meta({ when, description });

const sideNames = z
  .object({
    source: name().describe("Name at the source."),
    destination: name().describe("Name at the destination."),
  })
  .meta({ title: "A name on each side", typeName: "SideNames" });
const sideStatements = z
  .object({
    source: name().optional().describe("Statements for the source, as JSON."),
    destination: name().optional().describe("Statements for the destination, as JSON."),
  })
  .meta({ title: "Policy statements for a side", typeName: "SideStatements" });

const sideUrls = z
  .object({
    source: name().optional().describe("Address at the source."),
    destination: name().optional().describe("Address at the destination."),
  })
  .meta({ title: "An address for a side", typeName: "SideUrls" });

export const outputsSchema = z
  .object({
    sourceBucket: name().describe("Name of the source bucket."),
    destinationBucket: name().describe("Name of the destination bucket."),
    receiverUrl: text("in mode `pull`", "URL that the sender posts to. It answers only to the allowlist."),
    queueUrl: text(
      "in the modes `pull` and `push`",
      "URL of the queue of the keys that wait. At a source in AWS it holds the source's events too, unless `buffer` is `none`.",
    ),
    outageQueueUrl: text(
      "in the modes `pull` and `push`",
      "URL of the queue of the keys that wait for the other side to come back.",
    ),
    deadLetterQueueUrl: text(
      "in the modes `pull` and `push`",
      "URL of the queue of the keys that the bridge gave up, each with its reason.",
    ),
    senderFunctionName: text("in mode `pull`", "Name of the sender's function."),
    receiverFunctionName: text("in mode `pull`", "Name of the receiver's function."),
    copierFunctionName: text("in mode `pull`", "Name of the copier's function."),
    flowName: text("in mode `push`", "Name of the workflow that copies each object."),
    dispatcherFunctionName: text("in mode `push`", "Name of the function that starts the workflow."),
    pusherFunctionName: text("in mode `push`", "Name of the function that does the workflow's steps."),
    requiredNotification: text(
      "in mode `pull` at an adopted source in AWS",
      "JSON to merge into the bucket's notification configuration.",
    ),
    replicationRoleArn: text("in mode `native` in AWS", "ARN of the role in which S3 replicates to the destination."),
    backwardReplicationRoleArn: text("with `direction: two-way`", "ARN of the role in which S3 replicates back to the source."),
    backfillRoleArn: text(
      "in mode `native` in AWS with `existingObjects: replicate`",
      "ARN of the role for jobs of S3 Batch Operations.",
    ),
    requiredBucketPolicyStatements: sideStatements.optional().meta({
      when: "in mode `native` in AWS across accounts, for adopted buckets that replicas go to",
      description: "Statements that the bucket's policy needs, a JSON list for each bucket.",
    }),
    kmsKeyPolicyStatements: sideStatements.describe(
      "For each side with a `kmsKeyArn`, what its key policy needs: a JSON statement, or a JSON list in mode `native` and with `probe.enabled`.",
    ),
    proberFunctionNames: sideNames.optional().meta({
      when: "with `probe.enabled`",
      description: "Names of the functions that `npm run bridge -- probe` calls.",
    }),
    dashboardUrls: sideUrls.optional().meta({
      when: "with `dashboard`, for each dashboard that there is",
      description: "Addresses of the dashboards in the clouds' consoles.",
    }),
    alarmTopicArn: text(
      "at a source in AWS with `alarmEmails` or `alarmWebhookUrl`",
      "ARN of the bridge's topic, which its alarms notify.",
    ),
    senderAddress: text(
      "in mode `pull` with `egress: static`",
      "The address that all requests of the sender come from, as a network: `203.0.113.7/32`.",
    ),
    estimatedCost: z
      .array(name())
      .describe(
        "What the bridge costs, as `npm run preview` prints it: for two example loads, and each month while nothing arrives.",
      ),
    notices: z
      .array(name())
      .describe("What an operator should know about this configuration. The deployment also shows these as warnings."),
  })
  .meta({
    title: "Outputs",
    typeName: "BridgeOutputs",
    description: "What `index.ts` exports and the component has as properties.",
  });

/** The names, in the order of the declaration. */
export type OutputName = keyof z.output<typeof outputsSchema>;
export const OUTPUT_NAMES = Object.keys(outputsSchema.shape) as OutputName[];
