import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { StoreConfig } from "../../runtime/protocol/env";
import type { BridgeContext, Prober, ProberArgs } from "../cloud";
import { dutiesOf, PROBER_MEMORY_MB, PROBER_PARTS, PROBER_SECONDS, proberPrefix, proberSettings, slots } from "../prober";
import { createAlarm } from "./alarms";
import { adoptBucket } from "./bucket";
import { createDashboard } from "./dashboard";
import { BridgeFunction } from "./function";
import { Logs } from "./logs";
import { bucketArn, keyArn, type Place, physicalName, placeOf } from "./names";
import { proberPolicy } from "./policies";

interface Bucket {
  place: pulumi.Output<Place>;
  bucketName: pulumi.Output<string>;
  versioned: pulumi.Output<boolean>;
}

/** `crossborder:alicloud:Prober`: the latency probe on a side in Alibaba Cloud. */
export class AlicloudProber extends pulumi.ComponentResource implements Prober {
  readonly functionName: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string> | undefined;

  constructor(context: BridgeContext, args: ProberArgs) {
    const { side, bucketName } = args;
    const name = `${context.name}-${side}-prober`;
    super("crossborder:alicloud:Prober", name, {}, { parent: context.parent });
    const { config } = context;
    const { adopt, versioning = true } = config[side];
    const versioned = adopt ? adoptBucket(context, side, this).versioned : pulumi.output(versioning);
    const place = placeOf(context, side, this);
    const logs = new Logs(context, { side, prober: true, place, parent: this });
    const prober = this.createFunction(name, context, args, { place, bucketName, versioned, logs });
    const hasCanaries = config.probe.everyMinutes > 0;
    const watches = hasCanaries && dutiesOf(config, side).watches;
    if (hasCanaries) this.createSchedule(name, context, args, prober);
    if (watches) this.createAlarms(name, context, args, prober);
    this.dashboardUrl = watches ? createDashboard(context, this, { logs, side, what: "canaries" }) : undefined;
    this.functionName = prober.functionName;
    this.registerOutputs({ functionName: this.functionName });
  }

  private createFunction(
    name: string,
    context: BridgeContext,
    { side }: ProberArgs,
    { place, bucketName, versioned, logs }: Bucket & { logs: Logs },
  ): BridgeFunction<"prober"> {
    const { config } = context;
    return new BridgeFunction(
      name,
      {
        context,
        role: "prober",
        side,
        logs,
        memoryMb: PROBER_MEMORY_MB,
        timeoutSeconds: PROBER_SECONDS,
        description: `Probes the latency of bridge ${config.name} at its ${side}`,
        policy: pulumi
          .all([place, bucketName, versioned, config[side].kmsKeyId])
          .apply(([where, bucket, keepsVersions, kmsKeyId]) =>
            proberPolicy({
              bucketArn: bucketArn(where, bucket),
              prefix: proberPrefix(config, side),
              puts: dutiesOf(config, side).puts,
              tagged: Object.keys(config.scope.tags).length > 0,
              versioned: keepsVersions,
              lists: config.probe.everyMinutes > 0,
              kmsKeyArn: kmsKeyId === undefined ? undefined : keyArn(where, kmsKeyId),
            }),
          ),
        config: pulumi.all([context.resolved, bucketName, versioned]).apply(([settings, bucket, keepsVersions]) => ({
          ...proberSettings(settings, side),
          store: {
            kind: "oss",
            bucket,
            region: settings[side].region,
            versioned: keepsVersions,
            // The prober runs in its bucket's region, so it never uses the bridge's acceleration.
            network: "internal",
            ...(settings[side].kmsKeyId === undefined ? {} : { kmsKeyId: settings[side].kmsKeyId }),
          } satisfies StoreConfig,
        })),
      },
      { parent: this },
    );
  }

  /** https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/time-triggers */
  private createSchedule(
    name: string,
    context: BridgeContext,
    { side, ready }: ProberArgs,
    prober: BridgeFunction<"prober">,
  ): void {
    const { config, provider } = context;
    const { minutes, hours } = slots(config.probe.everyMinutes, (n) => `*/${n}`);
    new alicloud.fc.V3Trigger(
      `${name}-schedule`,
      {
        functionName: prober.functionName,
        triggerName: physicalName(config.name, PROBER_PARTS[side]),
        triggerType: "timer",
        qualifier: "LATEST",
        description: `Canaries of bridge ${config.name}`,
        triggerConfig: JSON.stringify({
          cronExpression: `CRON_TZ=UTC 0 ${minutes} ${hours} * * *`,
          enable: true,
          payload: "",
        }),
      },
      // Declared last: a canary that is sent before the bridge exists never arrives.
      { parent: this, provider, dependsOn: [...prober.ready, ...ready] },
    );
  }

  /**
   * The prober writes its measurements to its log, which CloudMonitor does not read. So the alarm watches the duration of a run: a run
   * takes as long as the canary that it waits for, and longest when it gives up.
   */
  private createAlarms(name: string, context: BridgeContext, { side }: ProberArgs, prober: BridgeFunction<"prober">): void {
    const { lagAlarmSeconds, giveUpAfterSeconds } = context.config.probe;
    const physical = physicalName(context.config.name, PROBER_PARTS[side]);
    createAlarm(context, this, {
      name: `${name}-late-alarm`,
      physicalName: `${physical}-late`,
      what: "longestRun",
      of: prober.functionName,
      side,
      threshold: Math.min(lagAlarmSeconds, giveUpAfterSeconds) * 1000,
    });
    createAlarm(context, this, {
      name: `${name}-error-alarm`,
      physicalName: `${physical}-errors`,
      what: "functionErrors",
      of: prober.functionName,
      side,
    });
  }
}
