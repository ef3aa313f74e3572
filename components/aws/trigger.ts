/** Connects events of the source bucket to the sender: through a queue, or directly with `buffer: none`. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Scope } from "../../runtime/protocol/env";
import { type BridgeContext, onlyPlain, type Receiver, senderSettings, type Trigger } from "../cloud";
import { Account, physicalName } from "./account";
import { createAlarms } from "./alarms";
import { BridgeFunction } from "./function";
import { kmsKeyStatement, senderPolicy } from "./policies";
import { createDeadLetterQueue, createWorkQueue, mapQueue } from "./queues";
import type { StaticEgress } from "./static-egress";
import { type AwsSourceStore, storeConfig } from "./stores";
import { createSecret, type SecretParameter, tokenAt } from "./token";

const MEMORY_MB = 512;
/** The maximum of Lambda. An event waits this long for a throttled or failing sender. */
const DIRECT_EVENT_AGE_SECONDS = 21_600;

export interface AwsTriggerArgs {
  store: AwsSourceStore;
  receiver: Receiver;
  egress?: StaticEgress | undefined;
}

interface Queues {
  /** The work queue; undefined with `buffer: none`. */
  queue: aws.sqs.Queue | undefined;
  deadLetters: aws.sqs.Queue;
}

/** `crossborder:aws:Trigger` */
export class AwsTrigger extends pulumi.ComponentResource implements Trigger {
  readonly senderFunctionName: pulumi.Output<string>;
  readonly queueUrl?: pulumi.Output<string>;
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  readonly requiredNotification?: pulumi.Output<string>;
  readonly kmsKeyStatement?: pulumi.Output<string>;
  readonly ready: pulumi.Resource[] = [this];

  constructor(context: BridgeContext, args: AwsTriggerArgs) {
    const name = `${context.name}-trigger`;
    super("crossborder:aws:Trigger", name, {}, { parent: context.parent });
    const { config } = context;
    const account = new Account(context, this);
    const deadLetters = createDeadLetterQueue(context, this);
    const queue = config.buffer === "sqs" ? createWorkQueue(context, this, deadLetters) : undefined;
    const { store } = args;
    const sender = this.createSender(context, { ...args, account, queue, deadLetters });
    const target =
      queue === undefined
        ? this.invokeDirectly(name, context, { store, account, sender, deadLetters })
        : mapQueue(context, this, { queue, sender: sender.function, bucketArn: store.bucket.arn, account });
    if (config.source.adopt) this.requiredNotification = this.describeNotification(context, queue, sender);
    else this.createNotification(name, context, { store, target, queue, sender });
    createAlarms(context, this, { queue, deadLetters });

    this.senderFunctionName = sender.functionName;
    if (queue !== undefined) this.queueUrl = queue.url;
    this.deadLetterQueueUrl = deadLetters.url;
    const { kmsKeyArn } = config.source;
    if (kmsKeyArn !== undefined)
      this.kmsKeyStatement = sender.roleArn.apply((role) =>
        JSON.stringify(kmsKeyStatement("CrossBorderBridgeReads", kmsKeyArn, [role], ["kms:Decrypt"])),
      );
    this.registerOutputs({
      senderFunctionName: this.senderFunctionName,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
      ...(queue === undefined ? {} : { queueUrl: queue.url }),
    });
  }

  private createSender(context: BridgeContext, args: AwsTriggerArgs & Queues & { account: Account }): BridgeFunction<"sender"> {
    const { store, receiver, egress, account, queue, deadLetters } = args;
    const { config } = context;
    const token = tokenAt(context, this, "source", account);
    const invoker = this.storeInvoker(context, receiver);
    const parameterArns = pulumi.all([token, ...(invoker === undefined ? [] : [invoker])].map(({ arn }) => arn));
    const queueArn = queue?.arn ?? pulumi.output(undefined);
    const queueUrl = queue?.url ?? pulumi.output(undefined);
    return new BridgeFunction(
      `${context.name}-sender`,
      {
        context,
        account,
        role: "sender",
        region: config.source.region,
        memoryMb: MEMORY_MB,
        timeoutSeconds: config.timeouts.senderSeconds,
        description: `Sends notices for bridge ${config.name}`,
        policy: pulumi
          .all([store.bucket.arn, queueArn, deadLetters.arn, parameterArns])
          .apply(([bucketArn, workQueueArn, deadLetterArn, arns]) =>
            senderPolicy({
              bucketArn,
              prefixes: config.scope.prefixes,
              tagging: taggingActions(config),
              kmsKeyArn: config.source.kmsKeyArn,
              queueArn: workQueueArn,
              deadLetterArn,
              parameterArns: arns,
            }),
          ),
        config: (ownRole) =>
          pulumi
            .all([store.bucketName, queueUrl, deadLetters.url, receiver.url, ownRole.uniqueId])
            .apply(([bucket, workQueueUrl, deadLetterUrl, receiverUrl, ownPrincipal]) => ({
              ...senderSettings(context, { token: token.name, invoker: invoker?.name }),
              source: storeConfig(context, "source", bucket),
              ...(workQueueUrl === undefined ? {} : { queueUrl: workQueueUrl }),
              deadLetterUrl,
              receiverUrl,
              ownPrincipal,
            })),
        network: egress,
      },
      { parent: this },
    );
  }

  private storeInvoker(context: BridgeContext, receiver: Receiver): SecretParameter | undefined {
    if (receiver.invokerCredentials === undefined) return undefined;
    return createSecret(context, this, {
      side: "source",
      secret: "invoker",
      value: receiver.invokerCredentials,
      description: `Invoke-only key for the receiver of bridge ${context.config.name}`,
    });
  }

  private invokeDirectly(
    name: string,
    context: BridgeContext,
    args: { store: AwsSourceStore; account: Account; sender: BridgeFunction<"sender">; deadLetters: aws.sqs.Queue },
  ): pulumi.Resource {
    const { store, account, sender, deadLetters } = args;
    const child = { parent: this, provider: context.provider };
    new aws.lambda.FunctionEventInvokeConfig(
      `${name}-invocations`,
      {
        functionName: sender.functionName,
        maximumRetryAttempts: 2,
        maximumEventAgeInSeconds: DIRECT_EVENT_AGE_SECONDS,
        destinationConfig: { onFailure: { destination: deadLetters.arn } },
      },
      child,
    );
    return new aws.lambda.Permission(
      `${name}-permission`,
      {
        action: "lambda:InvokeFunction",
        function: sender.functionName,
        principal: account.service("s3", context.config.source.region),
        sourceArn: store.bucket.arn,
        sourceAccount: account.accountId,
      },
      child,
    );
  }

  /** Declared last, so that everything exists before S3 sends the first event. */
  private createNotification(
    name: string,
    context: BridgeContext,
    args: { store: AwsSourceStore; target: pulumi.Resource; sender: BridgeFunction<"sender"> } & Pick<Queues, "queue">,
  ): void {
    const { store, target, queue, sender } = args;
    const { config } = context;
    const what = { id: physicalName(config.name, "queue"), events: sourceEvents(config.deletes), ...eventFilter(config.scope) };
    new aws.s3.BucketNotification(
      `${name}-notification`,
      {
        bucket: store.bucketName,
        ...(queue === undefined
          ? { lambdaFunctions: [{ ...what, lambdaFunctionArn: sender.function.arn }] }
          : { queues: [{ ...what, queueArn: queue.arn }] }),
      },
      { parent: this, provider: context.provider, dependsOn: [target, ...store.bucket.settled] },
    );
  }

  private describeNotification(
    { config }: BridgeContext,
    queue: aws.sqs.Queue | undefined,
    sender: BridgeFunction<"sender">,
  ): pulumi.Output<string> {
    const common = { id: physicalName(config.name, "queue"), deletes: config.deletes, scope: config.scope };
    return (queue?.arn ?? sender.function.arn).apply((arn) =>
      JSON.stringify(requiredNotification({ ...common, target: queue === undefined ? { functionArn: arn } : { queueArn: arn } })),
    );
  }
}

/** In a bucket that keeps versions the sender names the version, and S3 then checks another permission. */
export function taggingActions(
  config: Pick<BridgeContext["config"], "statusTags" | "source">,
): ("s3:PutObjectTagging" | "s3:PutObjectVersionTagging")[] {
  if (!config.statusTags) return [];
  if (config.source.adopt) return ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"];
  return (config.source.versioning ?? true) ? ["s3:PutObjectVersionTagging"] : ["s3:PutObjectTagging"];
}

/**
 * The events that can change what a reader of the source sees. Removals are included whatever `deletes` says: if the newest version is removed,
 * the version before it becomes current. The sender drops a key that is absent when deletes are ignored. An expiration by lifecycle never makes
 * an older version current, so it matters only when deletes are replicated. An archived object can be copied once it is restored.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html
 */
export function sourceEvents(deletes: "ignore" | "replicate"): string[] {
  const changes = ["s3:ObjectCreated:*", "s3:ObjectTagging:*", "s3:ObjectRemoved:*", "s3:ObjectRestore:Completed"];
  return deletes === "replicate" ? [...changes, "s3:LifecycleExpiration:*"] : changes;
}

/** A notification filters by one prefix and one suffix. The sender checks the whole scope. */
export function eventFilter(scope: Pick<Scope, "prefixes" | "suffixes">): { filterPrefix?: string; filterSuffix?: string } {
  const filterPrefix = onlyPlain(scope.prefixes);
  const filterSuffix = onlyPlain(scope.suffixes);
  return { ...(filterPrefix === undefined ? {} : { filterPrefix }), ...(filterSuffix === undefined ? {} : { filterSuffix }) };
}

export interface RequiredNotificationArgs {
  id: string;
  target: { queueArn: string } | { functionArn: string };
  deletes: "ignore" | "replicate";
  scope: Pick<Scope, "prefixes" | "suffixes">;
}

/** The JSON that an operator merges into an adopted bucket's configuration (`aws s3api put-bucket-notification-configuration`). */
export function requiredNotification({ id, target, deletes, scope }: RequiredNotificationArgs): object {
  const { filterPrefix, filterSuffix } = eventFilter(scope);
  const rules = [
    ...(filterPrefix === undefined ? [] : [{ Name: "prefix", Value: filterPrefix }]),
    ...(filterSuffix === undefined ? [] : [{ Name: "suffix", Value: filterSuffix }]),
  ];
  const common = {
    Id: id,
    Events: sourceEvents(deletes),
    ...(rules.length > 0 ? { Filter: { Key: { FilterRules: rules } } } : {}),
  };
  return "queueArn" in target
    ? { QueueConfigurations: [{ ...common, QueueArn: target.queueArn }] }
    : { LambdaFunctionConfigurations: [{ ...common, LambdaFunctionArn: target.functionArn }] };
}
