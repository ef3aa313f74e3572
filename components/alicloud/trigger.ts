/**
 * Mode `pull` from OSS: events of the source bucket invoke the sender directly, and one instance takes many of them at once. Keys that have to
 * wait do so in queues, which a timer reads.
 */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeContext, type Receiver, senderSettings, type Trigger } from "../cloud";
import { ossSenderInstances } from "../config/defaults";
import { createDashboard } from "./dashboard";
import { BridgeFunction } from "./function";
import { Logs } from "./logs";
import { bucketArn, functionArn, keyArn, physicalName } from "./names";
import { OssEvents } from "./oss-events";
import { senderPolicy } from "./policies";
import { DeadLetters, WaitingKeys } from "./queues";
import { type AlicloudSourceStore, sourceConfig } from "./stores";
import { createTick } from "./tick";
import { createSecret, type SecretParameter, tokenAt } from "./token";

const MEMORY_MB = 512;
/** Two full batches. Function Compute starts another instance only when one has that many events. */
const EVENTS_PER_INSTANCE = 64;
/** `crossborder:alicloud:Trigger` */
export class AlicloudTrigger extends pulumi.ComponentResource implements Trigger {
  readonly senderFunctionName: pulumi.Output<string>;
  readonly queueUrl: pulumi.Output<string>;
  readonly outageQueueUrl: pulumi.Output<string>;
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string> | undefined;
  readonly ready: pulumi.Resource[] = [this];

  constructor(context: BridgeContext, args: { store: AlicloudSourceStore; receiver: Receiver }) {
    super("crossborder:alicloud:Trigger", `${context.name}-trigger`, {}, { parent: context.parent });
    const { store, receiver } = args;
    const { place } = store;
    const logs = new Logs(context, { side: "source", place, parent: this });
    const deadLetters = new DeadLetters(context, { place, parent: this });
    const waiting = new WaitingKeys(context, { place, parent: this });
    const token = tokenAt(context, this, "source", place);
    const invoker = this.storeInvoker(context, store, receiver);
    const sender = this.createSender(context, { store, receiver, logs, deadLetters, waiting, token, invoker });
    const events = new OssEvents(context, { store, role: "sender", function: sender, deadLetters, parent: this });
    createTick(context, { function: sender, dependsOn: [...sender.ready, events], parent: this });
    this.dashboardUrl = createDashboard(context, this, { logs, side: "source", what: "work" });
    this.senderFunctionName = sender.functionName;
    this.queueUrl = waiting.work.url;
    this.outageQueueUrl = waiting.outage.url;
    this.deadLetterQueueUrl = deadLetters.url;
    this.registerOutputs({
      senderFunctionName: this.senderFunctionName,
      queueUrl: this.queueUrl,
      outageQueueUrl: this.outageQueueUrl,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
    });
  }

  private createSender(
    context: BridgeContext,
    parts: {
      store: AlicloudSourceStore;
      receiver: Receiver;
      logs: Logs;
      deadLetters: DeadLetters;
      waiting: WaitingKeys;
      token: SecretParameter;
      invoker: SecretParameter | undefined;
    },
  ): BridgeFunction<"sender"> {
    const { config } = context;
    const { store, receiver, deadLetters, waiting, token, invoker } = parts;
    const secrets = [token, ...(invoker === undefined ? [] : [invoker])];
    const names = pulumi.all([token.name, invoker?.name]);
    return new BridgeFunction(
      `${context.name}-sender`,
      {
        context,
        role: "sender",
        logs: parts.logs,
        memoryMb: MEMORY_MB,
        timeoutSeconds: config.timeouts.senderSeconds,
        description: `Sends notices for bridge ${config.name}`,
        instances: ossSenderInstances(config),
        perInstance: EVENTS_PER_INSTANCE,
        policy: pulumi
          .all([
            store.place,
            store.bucketName,
            store.bucket.versioned,
            deadLetters.arn,
            waiting.arns,
            pulumi.all(secrets.map(({ arns }) => arns)),
            config.source.kmsKeyId,
          ])
          .apply(([place, bucket, versioned, deadLetterArn, waitingArns, arns, kmsKeyId]) =>
            senderPolicy({
              bucketArn: bucketArn(place, bucket),
              prefixes: config.scope.prefixes,
              kmsKeyArn: kmsKeyId === undefined ? undefined : keyArn(place, kmsKeyId),
              statusTags: config.statusTags,
              versioned,
              deadLetterArn,
              waiting: waitingArns,
              functionArn: functionArn(place, physicalName(config.name, "sender")),
              secrets: arns,
            }),
          ),
        config: pulumi
          .all([context.resolved, names, store.bucketName, store.bucket.versioned, deadLetters.url, waiting.urls, receiver.url])
          .apply(([settings, [tokenName, invokerName], bucket, versioned, deadLetterUrl, queues, receiverUrl]) => ({
            ...senderSettings(settings, { token: tokenName, invoker: invokerName }),
            source: sourceConfig(settings, { bucket, versioned }),
            deadLetterUrl,
            ...queues,
            receiverUrl,
          })),
        dependsOn: [deadLetters.queue, ...waiting.queues, ...secrets.flatMap(({ dependsOn }) => dependsOn)],
      },
      { parent: this },
    );
  }

  private storeInvoker(context: BridgeContext, { place }: AlicloudSourceStore, receiver: Receiver): SecretParameter | undefined {
    if (receiver.invokerCredentials === undefined) return undefined;
    return createSecret(context, this, {
      side: "source",
      secret: "invoker",
      place,
      value: receiver.invokerCredentials,
      description: `Invoke-only key for the receiver of bridge ${context.config.name}`,
    });
  }
}
