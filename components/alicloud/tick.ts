import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import type { BridgeFunction } from "./function";
import { aliasesInModes, physicalName } from "./names";

/** The event of the tick; `runtime/platforms` reads it. */
const PAYLOAD = JSON.stringify({ crossborderbridge: "tick" });

/**
 * The timer that wakes a function once a minute. The function hands over the keys that are due, and looks whether an outage is over.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/time-triggers
 */
export function createTick(
  context: BridgeContext,
  args: { function: BridgeFunction<"sender"> | BridgeFunction<"pusher">; dependsOn: pulumi.Resource[]; parent: pulumi.Resource },
): alicloud.fc.V3Trigger {
  return new alicloud.fc.V3Trigger(
    `${context.name}-tick`,
    {
      functionName: args.function.functionName,
      triggerName: physicalName(context.config.name, "tick"),
      triggerType: "timer",
      qualifier: "LATEST",
      description: `Wakes bridge ${context.config.name} once a minute`,
      triggerConfig: JSON.stringify({ cronExpression: "@every 1m", enable: true, payload: PAYLOAD }),
    },
    {
      parent: args.parent,
      provider: context.provider,
      dependsOn: args.dependsOn,
      // A name is unique on a function.
      deleteBeforeReplace: true,
      aliases: aliasesInModes(context),
    },
  );
}
