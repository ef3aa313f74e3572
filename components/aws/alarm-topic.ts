/** The topic that the alarms of a source in AWS notify, its subscribers, and the function that hands alarms on to a webhook. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { seeRunbook } from "../alarm-text";
import type { BridgeContext } from "../cloud";
import { Account, physicalName } from "./account";
import { BridgeFunction } from "./function";
import { notifierPolicy, queuePolicy } from "./policies";
import { createSecret } from "./token";

const MEMORY_MB = 256;
const TIMEOUT_SECONDS = 60;
/** After the first one, a minute later and two minutes after that; the maximum of Lambda. */
const RETRIES = 2;
const RETENTION_SECONDS = 14 * 86_400;
const PERIOD_SECONDS = 60;

/** `crossborder:aws:AlarmTopic` */
export class AlarmTopic extends pulumi.ComponentResource {
  readonly topicArn: pulumi.Output<string>;

  constructor(context: BridgeContext) {
    const name = `${context.name}-alarms`;
    super("crossborder:aws:AlarmTopic", name, {}, { parent: context.parent });
    const { config, provider } = context;
    const child = { parent: this, provider };
    const topic = new aws.sns.Topic(name, { name: physicalName(config.name, "alarms") }, child);
    this.topicArn = topic.arn;
    for (const address of new Set(config.alarmEmails))
      new aws.sns.TopicSubscription(`${name}-${address}`, { topic: topic.arn, protocol: "email", endpoint: address }, child);
    if (context.webhook !== undefined) this.createNotifier(context, context.webhook);
    this.registerOutputs({ topicArn: this.topicArn });
  }

  private createNotifier(context: BridgeContext, webhook: NonNullable<BridgeContext["webhook"]>): void {
    const { config } = context;
    const name = `${context.name}-notifier`;
    const child = { parent: this, provider: context.provider };
    const account = new Account(context, this);
    const secret = createSecret(context, this, {
      side: "source",
      secret: "webhook",
      value: pulumi
        .all([webhook.url, webhook.secret])
        .apply(([url, key]) => JSON.stringify({ url, ...(key === undefined ? {} : { secret: key }) })),
      description: `Webhook of the alarms of bridge ${config.name}`,
    });
    const undelivered = this.createUndelivered(context);
    const notifier = new BridgeFunction(
      name,
      {
        context,
        account,
        role: "notifier",
        region: config.source.region,
        memoryMb: MEMORY_MB,
        timeoutSeconds: TIMEOUT_SECONDS,
        description: `Hands alarms of bridge ${config.name} on to a webhook`,
        policy: pulumi
          .all([secret.arn, undelivered.arn])
          .apply(([parameterArn, undeliveredArn]) => notifierPolicy({ parameterArn, undeliveredArn })),
        config: pulumi.output({
          ...{ bridgeId: config.name, logLevel: config.logLevel },
          ...{ format: config.alarmWebhookFormat, ownAlarm: alarmName(config.name), parameter: secret.name },
        }),
      },
      { parent: this },
    );
    new aws.lambda.FunctionEventInvokeConfig(
      `${name}-invocations`,
      {
        functionName: notifier.functionName,
        maximumRetryAttempts: RETRIES,
        destinationConfig: { onFailure: { destination: undelivered.arn } },
      },
      child,
    );
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        action: "lambda:InvokeFunction",
        function: notifier.functionName,
        principal: account.service("sns", config.source.region),
        sourceArn: this.topicArn,
      },
      child,
    );
    new aws.sns.TopicSubscription(
      `${name}-subscription`,
      { topic: this.topicArn, protocol: "lambda", endpoint: notifier.function.arn },
      { ...child, dependsOn: [permission] },
    );
    this.createAlarm(context, notifier);
  }

  /** Keeps the alarms that the webhook did not take. */
  private createUndelivered(context: BridgeContext): aws.sqs.Queue {
    const child = { parent: this, provider: context.provider };
    const name = `${context.name}-undelivered-alarms`;
    const queue = new aws.sqs.Queue(
      name,
      {
        name: physicalName(context.config.name, "undelivered-alarms"),
        sqsManagedSseEnabled: true,
        messageRetentionSeconds: RETENTION_SECONDS,
      },
      child,
    );
    new aws.sqs.QueuePolicy(
      `${name}-policy`,
      { queueUrl: queue.url, policy: queue.arn.apply((queueArn) => JSON.stringify(queuePolicy({ queueArn }))) },
      child,
    );
    return queue;
  }

  /** The webhook hears of it only when it works again; the e-mail addresses hear of it at once. */
  private createAlarm(context: BridgeContext, notifier: BridgeFunction<"notifier">): void {
    const { config, provider } = context;
    new aws.cloudwatch.MetricAlarm(
      `${context.name}-${SECTION}-alarm`,
      {
        name: alarmName(config.name),
        alarmDescription:
          `Bridge ${config.name}: the webhook did not take an alarm. Is its URL right, and its secret? The alarm is tried again ` +
          `twice, and is then in the queue ${physicalName(config.name, "undelivered-alarms")}. ${seeRunbook(config, SECTION)}`,
        namespace: "AWS/Lambda",
        metricName: "Errors",
        dimensions: { FunctionName: notifier.functionName },
        statistic: "Sum",
        period: PERIOD_SECONDS,
        evaluationPeriods: 1,
        comparisonOperator: "GreaterThanThreshold",
        threshold: 0,
        treatMissingData: "notBreaching",
        alarmActions: [this.topicArn],
        okActions: [this.topicArn],
      },
      { parent: this, provider },
    );
  }
}

/** The end of the alarm's name, and the section of the runbook. */
const SECTION = "webhook-fails";
const alarmName = (bridgeId: string): string => `crossborderbridge-${bridgeId}-${SECTION}`;
