/** Connects the source to the sender: its events through a queue, or directly with `buffer: none`; keys that wait; and the tick. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Scope } from "../../runtime/protocol/env";
import { type BridgeContext, onlyPlain, type Receiver, senderSettings, type Trigger } from "../cloud";
import { senderExecutions } from "../config";
import { Account, physicalName } from "./account";
import { createAlarms } from "./alarms";
import { createSourceDashboard } from "./dashboard";
import { BridgeFunction } from "./function";
import { kmsKeyStatement, senderPolicy } from "./policies";
import { createQueues, mapQueue, type Queues } from "./queues";
import { warnOfQuota } from "./quota";
import type { StaticEgress } from "./static-egress";
import { type AwsSourceStore, storeConfig } from "./stores";
import { createTick } from "./tick";
import { createSecret, type SecretParameter, tokenAt } from "./token";

const MEMORY_MB = 512;
/** The maximum of Lambda. An event waits this long for a throttled or failing sender. */
const DIRECT_EVENT_AGE_SECONDS = 21_600;
/** With a queue only ticks invoke the sender asynchronously. A late tick is of no use: the next one is due. The minimum of Lambda. */
const TICK_EVENT_AGE_SECONDS = 60;

export interface AwsTriggerArgs {
  store: AwsSourceStore;
  receiver: Receiver;
  egress?: StaticEgress | undefined;
}

/** `crossborder:aws:Trigger` */
export class AwsTrigger extends pulumi.ComponentResource implements Trigger {
  readonly senderFunctionName: pulumi.Output<string>;
  readonly queueUrl: pulumi.Output<string>;
  readonly outageQueueUrl: pulumi.Output<string>;
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  readonly requiredNotification?: pulumi.Output<string>;
  readonly kmsKeyStatement?: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string> | undefined;
  readonly ready: pulumi.Resource[] = [this];

  constructor(context: BridgeContext, args: AwsTriggerArgs) {
    const name = `${context.name}-trigger`;
    super("crossborder:aws:Trigger", name, {}, { parent: context.parent });
    const { config } = context;
    const account = new Account(context, this);
    const queues = createQueues(context, this);
    const { store } = args;
    const sender = this.createSender(context, { ...args, account, queues });
    const mapped = mapQueue(context, this, { queue: queues.work, sender: sender.function, bucketArn: store.bucket.arn, account });
    const permission = this.configureInvocations(name, context, { store, account, sender, queues });
    const target = permission ?? mapped;
    if (config.source.adopt) this.requiredNotification = this.describeNotification(context, queues, sender);
    else this.createNotification(name, context, { store, target, queues, sender });
    const tick = createTick(context, this, { account, sender: sender.function, ready: [mapped] });
    const { functionName: senderFunctionName } = sender;
    const alarmArns = createAlarms(context, this, { queues, senderFunctionName, tick });
    this.dashboardUrl = createSourceDashboard(context, this, { senderFunctionName, queues, alarmArns, receiver: args.receiver });
    warnOfQuota(context, this, "source");

    this.senderFunctionName = senderFunctionName;
    this.queueUrl = queues.work.url;
    this.outageQueueUrl = queues.outage.url;
    this.deadLetterQueueUrl = queues.deadLetters.url;
    const { kmsKeyArn } = config.source;
    if (kmsKeyArn !== undefined)
      this.kmsKeyStatement = pulumi
        .all([sender.roleArn, kmsKeyArn])
        .apply(([role, key]) => JSON.stringify(kmsKeyStatement("CrossBorderBridgeReads", key, [role], ["kms:Decrypt"])));
    this.registerOutputs({
      senderFunctionName: this.senderFunctionName,
      queueUrl: this.queueUrl,
      outageQueueUrl: this.outageQueueUrl,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
    });
  }

  private createSender(
    context: BridgeContext,
    args: AwsTriggerArgs & { account: Account; queues: Queues },
  ): BridgeFunction<"sender"> {
    const { store, receiver, egress, account, queues } = args;
    const { config } = context;
    const token = tokenAt(context, this, "source", account);
    const invoker = this.storeInvoker(context, receiver);
    const parameterArns = pulumi.all([token, ...(invoker === undefined ? [] : [invoker])].map(({ arn }) => arn));
    const { work, outage, deadLetters } = queues;
    const urls = pulumi.all([work.url, outage.url, deadLetters.url, receiver.url]);
    const names = pulumi.all([token.name, invoker?.name]);
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
        reservedConcurrency: config.reserveConcurrency ? senderExecutions(config) : undefined,
        policy: pulumi
          .all([store.bucket.arn, work.arn, outage.arn, deadLetters.arn, parameterArns, config.source.kmsKeyArn])
          .apply(([bucketArn, queueArn, outageQueueArn, deadLetterArn, arns, kmsKeyArn]) =>
            senderPolicy({
              bucketArn,
              prefixes: config.scope.prefixes,
              tagging: taggingActions(config),
              kmsKeyArn,
              queueArn,
              outageQueueArn,
              deadLetterArn,
              parameterArns: arns,
            }),
          ),
        config: (ownRole) =>
          pulumi
            .all([context.resolved, names, store.bucketName, urls, ownRole.uniqueId])
            .apply(([settings, secrets, bucket, [queueUrl, outageQueueUrl, deadLetterUrl, receiverUrl], ownPrincipal]) => ({
              ...senderSettings(settings, { token: secrets[0], invoker: secrets[1] }),
              source: storeConfig(settings, "source", bucket),
              queueUrl,
              outageQueueUrl,
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

  /** Returns the permission of S3 to invoke the sender, with `buffer: none`. */
  private configureInvocations(
    name: string,
    context: BridgeContext,
    args: { store: AwsSourceStore; account: Account; sender: BridgeFunction<"sender">; queues: Queues },
  ): pulumi.Resource | undefined {
    const { store, account, sender, queues } = args;
    const child = { parent: this, provider: context.provider };
    const isDirect = context.config.buffer === "none";
    new aws.lambda.FunctionEventInvokeConfig(
      `${name}-invocations`,
      {
        functionName: sender.functionName,
        ...(isDirect
          ? {
              maximumRetryAttempts: 2,
              maximumEventAgeInSeconds: DIRECT_EVENT_AGE_SECONDS,
              destinationConfig: { onFailure: { destination: queues.deadLetters.arn } },
            }
          : { maximumRetryAttempts: 0, maximumEventAgeInSeconds: TICK_EVENT_AGE_SECONDS }),
      },
      child,
    );
    if (!isDirect) return undefined;
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
    args: { store: AwsSourceStore; target: pulumi.Resource; sender: BridgeFunction<"sender">; queues: Queues },
  ): void {
    const { store, target, queues, sender } = args;
    const { config } = context;
    const what = { id: physicalName(config.name, "queue"), events: sourceEvents(config.deletes), ...eventFilter(config.scope) };
    new aws.s3.BucketNotification(
      `${name}-notification`,
      {
        bucket: store.bucketName,
        ...(config.buffer === "none"
          ? { lambdaFunctions: [{ ...what, lambdaFunctionArn: sender.function.arn }] }
          : { queues: [{ ...what, queueArn: queues.work.arn }] }),
      },
      { parent: this, provider: context.provider, dependsOn: [target, ...store.bucket.settled] },
    );
  }

  private describeNotification(
    { config }: BridgeContext,
    queues: Queues,
    sender: BridgeFunction<"sender">,
  ): pulumi.Output<string> {
    const common = { id: physicalName(config.name, "queue"), deletes: config.deletes, scope: config.scope };
    const isDirect = config.buffer === "none";
    return (isDirect ? sender.function.arn : queues.work.arn).apply((arn) =>
      JSON.stringify(requiredNotification({ ...common, target: isDirect ? { functionArn: arn } : { queueArn: arn } })),
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
