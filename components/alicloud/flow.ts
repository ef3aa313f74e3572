/** The workflow of mode `push`: one execution per object. The pusher does every step. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { createAlarm } from "./alarms";
import { flowDefinition } from "./flow-definition";
import type { BridgeFunction } from "./function";
import { physicalName } from "./names";
import { invokeFunction } from "./policies";
import { createRole } from "./role";

/** An attempt that is aborted at its timeout needs some time to end. */
const HARD_END_MARGIN_SECONDS = 5;

/** `crossborder:alicloud:ReplicationFlow` */
export class ReplicationFlow extends pulumi.ComponentResource {
  readonly flowName: pulumi.Output<string>;
  /** Resources that must exist before an execution is started. */
  readonly ready: pulumi.Resource[];

  constructor(context: BridgeContext, args: { pusher: BridgeFunction<"pusher">; parent: pulumi.Resource }) {
    const name = `${context.name}-flow`;
    super("crossborder:alicloud:ReplicationFlow", name, {}, { parent: args.parent });
    const { config } = context;
    const { functionArn, ready } = args.pusher;
    const physical = physicalName(config.name, "flow");
    const description = `Replicates objects for bridge ${config.name}`;
    const role = createRole(name, {
      context,
      physicalName: physical,
      service: "fnf.aliyuncs.com",
      description,
      policy: functionArn.apply(invokeFunction),
      parent: this,
    });
    const flow = new alicloud.fnf.Flow(
      name,
      {
        name: physical,
        description,
        type: "FDL",
        definition: functionArn.apply((arn) =>
          flowDefinition({
            name: physical,
            functionArn: arn,
            inlineHardEndSeconds: config.timeouts.receiverSeconds + HARD_END_MARGIN_SECONDS,
          }),
        ),
        roleArn: role.arn,
      },
      { parent: this, provider: context.provider, dependsOn: [role.attachment, ...ready] },
    );
    createAlarm(context, this, {
      name: `${name}-alarm`,
      physicalName: `${physical}-failed`,
      what: "failedExecutions",
      of: flow.name,
    });
    this.flowName = flow.name;
    this.ready = [flow];
    this.registerOutputs({ flowName: this.flowName });
  }
}
