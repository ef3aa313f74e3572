/** Connects events of the source bucket to a function by asynchronous invocations, which Function Compute keeps until one succeeds. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { Scope } from "../../runtime/protocol/env";
import { type BridgeContext, onlyPlain } from "../cloud";
import { createAlarm } from "./alarms";
import { type BridgeFunction, REPLACED_WHOLE } from "./function";
import { aliasesInModes, eventSourceArn, physicalName } from "./names";
import { invokeFunction } from "./policies";
import type { DeadLetters } from "./queues";
import { createRole } from "./role";
import type { AlicloudSourceStore } from "./stores";

/** The maximum of retries in Function Compute. https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/retry-policy */
const RETRIES = 8;
/** The maximum that the provider accepts. An event waits this long for a throttled or failing function. The service itself allows a week. */
const EVENT_AGE_SECONDS = 86_400;

export interface OssEventsArgs {
  store: AlicloudSourceStore;
  role: "sender" | "dispatcher";
  function: BridgeFunction<"sender"> | BridgeFunction<"dispatcher">;
  deadLetters: DeadLetters;
  parent: pulumi.Resource;
}

/** `crossborder:alicloud:OssEvents` */
export class OssEvents extends pulumi.ComponentResource {
  constructor(context: BridgeContext, args: OssEventsArgs) {
    const name = `${context.name}-events`;
    super("crossborder:alicloud:OssEvents", name, {}, { parent: args.parent, aliases: aliasesInModes(context) });
    const { config } = context;
    const { store, deadLetters } = args;
    const { functionName, functionArn, ready } = args.function;
    const child = { parent: this, provider: context.provider };
    const invocations = new alicloud.fc.V3AsyncInvokeConfig(
      `${name}-invocations`,
      {
        functionName,
        maxAsyncRetryAttempts: RETRIES,
        maxAsyncEventAgeInSeconds: EVENT_AGE_SECONDS,
        destinationConfig: { onFailure: { destination: deadLetters.arn } },
      },
      { ...child, ...REPLACED_WHOLE, dependsOn: [deadLetters.queue] },
    );
    const role = createRole(name, {
      context,
      physicalName: physicalName(config.name, "events"),
      service: "oss.aliyuncs.com",
      description: `Events for bridge ${config.name}`,
      policy: functionArn.apply(invokeFunction),
      parent: this,
    });
    // Declared last, so that everything exists before OSS sends the first event.
    new alicloud.fc.V3Trigger(
      `${name}-trigger`,
      {
        functionName,
        triggerName: physicalName(config.name, "events"),
        triggerType: "oss",
        qualifier: "LATEST",
        sourceArn: pulumi.all([store.place, store.bucketName]).apply(([place, bucket]) => eventSourceArn(place, bucket)),
        invocationRole: role.arn,
        triggerConfig: JSON.stringify(ossTriggerConfig(config)),
      },
      {
        ...child,
        dependsOn: [role.attachment, invocations, ...ready, ...store.bucket.settled],
        // A name is unique on a function, and OSS refuses a second trigger for the same events.
        deleteBeforeReplace: true,
      },
    );
    createAlarm(context, this, {
      name: `${name}-error-alarm`,
      physicalName: `${physicalName(config.name, args.role)}-errors`,
      what: "functionErrors",
      of: functionName,
    });
    this.registerOutputs({});
  }
}

/**
 * The events that can change what a reader of the source sees. They are listed one by one, because `oss:ObjectCreated:*` also includes every
 * part of an upload. OSS has no event for a change of tags alone, and a trigger of Function Compute has none for the end of a restore. Objects
 * that OSS's own replication writes into the source bucket have an event type of their own.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-oss-trigger
 */
const WRITTEN = [
  ...["PutObject", "PutSymlink", "PostObject", "CopyObject", "AppendObject", "CompleteMultipartUpload"].map(
    (name) => `oss:ObjectCreated:${name}`,
  ),
  ...["ObjectCreated", "ObjectModified"].map((name) => `oss:ObjectReplication:${name}`),
];
/** Included whatever `deletes` says: if the newest version is removed, the version before it becomes current. */
const REMOVED = ["oss:ObjectRemoved:DeleteObject", "oss:ObjectRemoved:DeleteObjects", "oss:ObjectReplication:ObjectRemoved"];
const CHANGED = "oss:ObjectModified:UpdateObjectMeta";

/** OSS has the event `CHANGED` only in these regions. */
const REGIONS_WITH_CHANGED: ReadonlySet<string> = new Set([
  "cn-hangzhou",
  "cn-shanghai",
  "cn-qingdao",
  "cn-beijing",
  "cn-zhangjiakou",
  "cn-huhehaote",
  "cn-shenzhen",
  "cn-chengdu",
]);

/** The bridge's code drops a key that is absent when deletes are ignored. */
export function sourceEvents(region: string): string[] {
  return [...WRITTEN, ...(REGIONS_WITH_CHANGED.has(region) ? [CHANGED] : []), ...REMOVED];
}

export function ossTriggerConfig({
  source,
  scope,
}: {
  source: { region: string };
  scope: Pick<Scope, "prefixes" | "suffixes">;
}): object {
  const key = { prefix: onlyPlain(scope.prefixes) ?? "", suffix: onlyPlain(scope.suffixes) ?? "" };
  return { events: sourceEvents(source.region), filter: { key } };
}
