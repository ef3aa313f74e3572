import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext, Prober, ProberArgs } from "../cloud";
import { dutiesOf, PROBER_MEMORY_MB, PROBER_PARTS, PROBER_SECONDS, proberPrefix, proberSettings, slots } from "../prober";
import { Account, physicalName } from "./account";
import { createProbeAlarms } from "./alarms";
import { BridgeFunction } from "./function";
import { kmsKeyStatement, type ProberPolicyArgs, proberKeyActions, proberPolicy } from "./policies";
import { storeConfig } from "./stores";

/** `crossborder:aws:Prober`: the latency probe on a side in AWS. */
export class AwsProber extends pulumi.ComponentResource implements Prober {
  readonly functionName: pulumi.Output<string>;
  readonly kmsKeyStatement?: pulumi.Output<string>;

  constructor(context: BridgeContext, args: ProberArgs) {
    const { side } = args;
    const name = `${context.name}-${side}-prober`;
    super("crossborder:aws:Prober", name, {}, { parent: context.parent });
    const { config } = context;
    const account = new Account(context, this);
    const prober = this.createFunction(name, context, args, account);
    if (config.probe.everyMinutes > 0) {
      this.createSchedule(name, context, { ...args, account, prober });
      if (dutiesOf(config, side).watches) createProbeAlarms(context, this, { name, side });
    }
    this.functionName = prober.functionName;
    const { kmsKeyArn } = config[side];
    if (kmsKeyArn !== undefined)
      this.kmsKeyStatement = pulumi
        .all([prober.roleArn, kmsKeyArn])
        .apply(([role, key]) =>
          JSON.stringify(kmsKeyStatement("CrossBorderBridgeProbes", key, [role], proberKeyActions(dutiesOf(config, side).puts))),
        );
    this.registerOutputs({ functionName: this.functionName });
  }

  private createFunction(
    name: string,
    context: BridgeContext,
    { side, bucketName }: ProberArgs,
    account: Account,
  ): BridgeFunction<"prober"> {
    const { config } = context;
    return new BridgeFunction(
      name,
      {
        context,
        account,
        role: "prober",
        side,
        region: config[side].region,
        memoryMb: PROBER_MEMORY_MB,
        timeoutSeconds: PROBER_SECONDS,
        description: `Probes the latency of bridge ${config.name} at its ${side}`,
        policy: pulumi.all([account.partition, bucketName, config[side].kmsKeyArn]).apply(([partition, bucket, kmsKeyArn]) =>
          proberPolicy({
            bucketArn: `arn:${partition}:s3:::${bucket}`,
            prefix: proberPrefix(config, side),
            puts: dutiesOf(config, side).puts,
            tagged: Object.keys(config.scope.tags).length > 0,
            removal: removalActions(config[side]),
            kmsKeyArn,
          }),
        ),
        config: pulumi.all([context.resolved, bucketName]).apply(([settings, bucket]) => ({
          ...proberSettings(settings, side),
          store: storeConfig(settings, side, bucket),
        })),
      },
      { parent: this },
    );
  }

  /** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html */
  private createSchedule(
    name: string,
    context: BridgeContext,
    { side, ready, account, prober }: ProberArgs & { account: Account; prober: BridgeFunction<"prober"> },
  ): void {
    const { config, provider } = context;
    const child = { parent: this, provider };
    const { minutes, hours } = slots(config.probe.everyMinutes, (n) => `0/${n}`);
    const rule = new aws.cloudwatch.EventRule(
      `${name}-schedule`,
      {
        name: physicalName(config.name, PROBER_PARTS[side]),
        description: `Canaries of bridge ${config.name}`,
        scheduleExpression: `cron(${minutes} ${hours} * * ? *)`,
      },
      child,
    );
    const permission = new aws.lambda.Permission(
      `${name}-permission`,
      {
        action: "lambda:InvokeFunction",
        function: prober.functionName,
        principal: account.service("events", config[side].region),
        sourceArn: rule.arn,
      },
      child,
    );
    // Declared last: a canary that is sent before the bridge exists never arrives. The target has no input of its own, because the
    // schedule's event contains the time that it was due.
    new aws.cloudwatch.EventTarget(
      `${name}-target`,
      { rule: rule.name, targetId: "prober", arn: prober.function.arn },
      { ...child, dependsOn: [permission, ...ready] },
    );
  }
}

/** In a bucket that keeps versions the prober names the version, and S3 then checks another permission. */
function removalActions({
  adopt,
  versioning = true,
}: Pick<BridgeContext["config"]["source"], "adopt" | "versioning">): ProberPolicyArgs["removal"] {
  if (adopt) return ["s3:DeleteObject", "s3:DeleteObjectVersion"];
  return versioning ? ["s3:DeleteObjectVersion"] : ["s3:DeleteObject"];
}
