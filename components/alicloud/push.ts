/** Mode `push`: everything but the destination bucket is at the source. One identity there reaches both stores. */
import * as pulumi from "@pulumi/pulumi";
import { type BridgeContext, identity, type PushBridge, type Sides } from "../cloud";
import { ConfigInvalid } from "../config";
import { checkedFor } from "../config/errors";
import { ControlBucket } from "./control-bucket";
import { createDashboard } from "./dashboard";
import { ReplicationFlow } from "./flow";
import { BridgeFunction } from "./function";
import { Logs } from "./logs";
import { bucketArn, functionArn, keyArn, type Place, physicalName } from "./names";
import { OssEvents } from "./oss-events";
import { dispatcherPolicy, pusherPolicy } from "./policies";
import { DeadLetters, WaitingKeys } from "./queues";
import {
  AlicloudDestinationStore,
  AlicloudSourceStore,
  destinationPolicyArgs,
  destinationSettings,
  sourceConfig,
} from "./stores";
import { createTick } from "./tick";

const DISPATCHER_MEMORY_MB = 512;
/** Long enough to wait while CloudFlow throttles the start of executions. */
const DISPATCHER_SECONDS = 60;

interface Parts {
  source: AlicloudSourceStore;
  destination: AlicloudDestinationStore;
  control: ControlBucket;
  logs: Logs;
  deadLetters: DeadLetters;
  waiting: WaitingKeys;
}

/** `crossborder:alicloud:Push` */
export class AlicloudPush extends pulumi.ComponentResource implements PushBridge {
  readonly sourceBucket: pulumi.Output<string>;
  readonly destinationBucket: pulumi.Output<string>;
  readonly flowName: pulumi.Output<string>;
  readonly dispatcherFunctionName: pulumi.Output<string>;
  readonly pusherFunctionName: pulumi.Output<string>;
  readonly queueUrl: pulumi.Output<string>;
  readonly outageQueueUrl: pulumi.Output<string>;
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  readonly dashboardUrls?: { source: pulumi.Output<string> };
  readonly ready: pulumi.Resource[] = [this];

  constructor(sides: Sides) {
    const context = sides.source;
    super("crossborder:alicloud:Push", `${context.name}-push`, {}, { parent: context.parent });
    const source = new AlicloudSourceStore(context);
    const destination = new AlicloudDestinationStore(sides.destination);
    const place = oneAccount(context.component, source, destination);
    const parts: Parts = {
      source,
      destination,
      control: new ControlBucket(context, { side: "source", place, parent: this }),
      logs: new Logs(context, { side: "source", place, parent: this }),
      deadLetters: new DeadLetters(context, { place, parent: this }),
      waiting: new WaitingKeys(context, { place, parent: this }),
    };
    const pusher = this.createPusher(context, parts);
    const flow = new ReplicationFlow(context, { pusher, parent: this });
    const dispatcher = this.createDispatcher(context, parts, flow);
    const events = new OssEvents(context, {
      store: source,
      role: "dispatcher",
      function: dispatcher,
      deadLetters: parts.deadLetters,
      parent: this,
    });
    createTick(context, { function: pusher, dependsOn: [...pusher.ready, events], parent: this });
    const dashboardUrl = createDashboard(context, this, { logs: parts.logs, side: "source", what: "work" });
    if (dashboardUrl !== undefined) this.dashboardUrls = { source: dashboardUrl };
    this.sourceBucket = source.bucketName;
    this.destinationBucket = destination.bucketName;
    this.flowName = flow.flowName;
    this.dispatcherFunctionName = dispatcher.functionName;
    this.pusherFunctionName = pusher.functionName;
    this.queueUrl = parts.waiting.work.url;
    this.outageQueueUrl = parts.waiting.outage.url;
    this.deadLetterQueueUrl = parts.deadLetters.url;
    this.registerOutputs({
      flowName: this.flowName,
      queueUrl: this.queueUrl,
      outageQueueUrl: this.outageQueueUrl,
      deadLetterQueueUrl: this.deadLetterQueueUrl,
    });
  }

  private createDispatcher(context: BridgeContext, parts: Parts, flow: ReplicationFlow): BridgeFunction<"dispatcher"> {
    const { config } = context;
    const { source, deadLetters, waiting } = parts;
    return new BridgeFunction(
      `${context.name}-dispatcher`,
      {
        context,
        role: "dispatcher",
        logs: parts.logs,
        memoryMb: DISPATCHER_MEMORY_MB,
        timeoutSeconds: DISPATCHER_SECONDS,
        description: `Starts an execution per object for bridge ${config.name}`,
        instances: config.concurrency,
        policy: pulumi
          .all([deadLetters.arn, waiting.work.arn])
          .apply(([deadLetterArn, workQueueArn]) => dispatcherPolicy({ deadLetterArn, workQueueArn })),
        config: pulumi
          .all([context.resolved, source.bucketName, source.bucket.versioned, flow.flowName, deadLetters.url, waiting.work.url])
          .apply(([settings, bucket, versioned, flowName, deadLetterUrl, queueUrl]) => ({
            ...identity(settings),
            source: sourceConfig(settings, { bucket, versioned }),
            scope: config.scope,
            deletes: config.deletes,
            flowName,
            queueUrl,
            deadLetterUrl,
            giveUpAfterSeconds: config.giveUpAfterHours * 3600,
          })),
        dependsOn: [deadLetters.queue, ...waiting.queues, ...flow.ready],
      },
      { parent: this },
    );
  }

  private createPusher(context: BridgeContext, parts: Parts): BridgeFunction<"pusher"> {
    const { config } = context;
    const { source, destination: store, control, deadLetters, waiting } = parts;
    const dispatcherFunctionName = physicalName(config.name, "dispatcher");
    return new BridgeFunction(
      `${context.name}-pusher`,
      {
        context,
        role: "pusher",
        logs: parts.logs,
        memoryMb: config.copy.memoryMb,
        timeoutSeconds: config.copy.timeoutSeconds,
        description: `Copies and verifies objects for bridge ${config.name}`,
        // Above this number the workflow retries the task later.
        instances: config.concurrency,
        policy: pulumi
          .all([
            sourceReadArgs(context, source),
            source.bucket.versioned,
            destinationPolicyArgs(context, { store, control }),
            deadLetters.arn,
            waiting.arns,
            source.place,
          ])
          .apply(([read, versioned, destination, deadLetterArn, waitingArns, place]) =>
            pusherPolicy({
              source: { ...read, statusTags: config.statusTags, versioned },
              destination,
              deletes: config.deletes,
              deadLetterArn,
              waiting: waitingArns,
              dispatcherArn: functionArn(place, dispatcherFunctionName),
            }),
          ),
        config: pulumi
          .all([
            context.resolved,
            source.bucketName,
            source.bucket.versioned,
            destinationSettings(context, { store, control }),
            deadLetters.url,
            waiting.urls,
          ])
          .apply(([settings, bucket, versioned, destination, deadLetterUrl, queues]) => ({
            ...identity(settings),
            ...destination,
            source: sourceConfig(settings, { bucket, versioned }),
            scope: config.scope,
            deletes: config.deletes,
            statusTags: config.statusTags,
            inlineLimitBytes: config.inlineLimitBytes,
            inlineTimeoutSeconds: config.timeouts.receiverSeconds,
            timeoutSeconds: config.copy.timeoutSeconds,
            partSizeBytes: config.copy.partSizeBytes,
            partsAtOnce: config.copy.partsAtOnce,
            copiesAtOnce: config.copy.concurrency,
            ...queues,
            dispatcherFunctionName,
            deadLetterUrl,
            maxAttempts: config.maxAttempts,
            giveUpAfterSeconds: config.giveUpAfterHours * 3600,
          })),
        dependsOn: [...control.settled, ...store.bucket.settled, deadLetters.queue, ...waiting.queues],
      },
      { parent: this },
    );
  }
}

function sourceReadArgs({ config }: BridgeContext, store: AlicloudSourceStore) {
  return pulumi.all([store.place, store.bucketName, config.source.kmsKeyId]).apply(([place, bucket, kmsKeyId]) => ({
    bucketArn: bucketArn(place, bucket),
    prefixes: config.scope.prefixes,
    kmsKeyArn: kmsKeyId === undefined ? undefined : keyArn(place, kmsKeyId),
  }));
}

/** The place of both stores, which must be in one account. The region is the source's. */
export function oneAccount(
  component: string,
  source: AlicloudSourceStore,
  destination: AlicloudDestinationStore,
): pulumi.Output<Place> {
  return pulumi.all([source.place, destination.place]).apply(([from, to]) => checkedFor(component, () => inOneAccount(from, to)));
}

/** @throws ConfigInvalid when the destination's provider is in another account, which the source's roles cannot reach. */
export function inOneAccount(from: Place, to: Place): Place {
  if (from.accountId === to.accountId) return from;
  throw new ConfigInvalid([
    `mode: the providers belong to accounts ${from.accountId} and ${to.accountId}, and this mode reaches both stores with one identity; allowed: pull, which works between accounts`,
  ]);
}
