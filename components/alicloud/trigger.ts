/** Mode `pull` from OSS: events of the source bucket invoke the sender directly. */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeContext, type Receiver, senderSettings, type Trigger } from "../cloud";
import { DeadLetters } from "./dead-letters";
import { BridgeFunction } from "./function";
import { Logs } from "./logs";
import { bucketArn, keyArn } from "./names";
import { OssEvents } from "./oss-events";
import { senderPolicy } from "./policies";
import { type AlicloudSourceStore, sourceConfig } from "./stores";
import { createSecret, type SecretParameter, tokenAt } from "./token";

const MEMORY_MB = 512;

/** `crossborder:alicloud:Trigger` */
export class AlicloudTrigger extends pulumi.ComponentResource implements Trigger {
  readonly senderFunctionName: pulumi.Output<string>;
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  readonly ready: pulumi.Resource[] = [this];

  constructor(context: BridgeContext, args: { store: AlicloudSourceStore; receiver: Receiver }) {
    super("crossborder:alicloud:Trigger", `${context.name}-trigger`, {}, { parent: context.parent });
    const { store, receiver } = args;
    const { place } = store;
    const logs = new Logs(context, { side: "source", place, parent: this });
    const deadLetters = new DeadLetters(context, { place, parent: this });
    const token = tokenAt(context, this, "source", place);
    const invoker = this.storeInvoker(context, store, receiver);
    const sender = this.createSender(context, { store, receiver, logs, deadLetters, token, invoker });
    new OssEvents(context, { store, role: "sender", function: sender, deadLetters, parent: this });
    this.senderFunctionName = sender.functionName;
    this.deadLetterQueueUrl = deadLetters.url;
    this.registerOutputs({ senderFunctionName: this.senderFunctionName, deadLetterQueueUrl: this.deadLetterQueueUrl });
  }

  private createSender(
    context: BridgeContext,
    parts: {
      store: AlicloudSourceStore;
      receiver: Receiver;
      logs: Logs;
      deadLetters: DeadLetters;
      token: SecretParameter;
      invoker: SecretParameter | undefined;
    },
  ): BridgeFunction<"sender"> {
    const { config } = context;
    const { store, receiver, deadLetters, token, invoker } = parts;
    const { kmsKeyId } = config.source;
    const secrets = [token, ...(invoker === undefined ? [] : [invoker])];
    return new BridgeFunction(
      `${context.name}-sender`,
      {
        context,
        role: "sender",
        logs: parts.logs,
        memoryMb: MEMORY_MB,
        timeoutSeconds: config.timeouts.senderSeconds,
        description: `Sends notices for bridge ${config.name}`,
        instances: config.concurrency,
        policy: pulumi
          .all([
            store.place,
            store.bucketName,
            store.bucket.versioned,
            deadLetters.arn,
            pulumi.all(secrets.map(({ arns }) => arns)),
          ])
          .apply(([place, bucket, versioned, deadLetterArn, arns]) =>
            senderPolicy({
              bucketArn: bucketArn(place, bucket),
              prefixes: config.scope.prefixes,
              kmsKeyArn: kmsKeyId === undefined ? undefined : keyArn(place, kmsKeyId),
              statusTags: config.statusTags,
              versioned,
              deadLetterArn,
              secrets: arns,
            }),
          ),
        config: pulumi
          .all([store.bucketName, store.bucket.versioned, deadLetters.url, receiver.url])
          .apply(([bucket, versioned, deadLetterUrl, receiverUrl]) => ({
            ...senderSettings(context, { token: token.name, invoker: invoker?.name }),
            source: sourceConfig(context, { bucket, versioned }),
            deadLetterUrl,
            receiverUrl,
          })),
        dependsOn: [deadLetters.queue, ...secrets.flatMap(({ dependsOn }) => dependsOn)],
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
