/** A function with its role and its policy, for every role of the bridge. */
import * as alicloud from "@pulumi/alicloud";
import * as pulumi from "@pulumi/pulumi";
import { type Role as BridgeRole, encodeEnv, type RoleConfig } from "../../runtime/protocol/env";
import type { BridgeContext, Side } from "../cloud";
import { withinEnvironment } from "../config";
import { checkedFor } from "../config/errors";
import { isIncomplete } from "../mocked";
import { PROBER_PARTS } from "../prober";
import type { Logs } from "./logs";
import { physicalName } from "./names";
import { document, type PolicyDocument, writeLogs } from "./policies";
import { createRole } from "./role";

const DISK_MB = 512;

export interface BridgeFunctionArgs<R extends BridgeRole> {
  context: BridgeContext;
  role: R;
  /** Side of a prober. Other roles exist on one side only. */
  side?: Side;
  logs: Logs;
  /** The handler's configuration, from outputs of other resources. */
  config: pulumi.Output<RoleConfig<R>>;
  /** Permissions of the role, besides writing its log. */
  policy: pulumi.Output<PolicyDocument>;
  memoryMb: number;
  timeoutSeconds: number;
  description: string;
  /** Maximum of instances. @default the account's limit */
  instances?: number;
  /** Invocations that one instance takes at the same time. More than one needs the custom runtime. @default 1 */
  perInstance?: number;
  /** Resources that must exist before its first run. */
  dependsOn?: pulumi.Resource[];
}

/** `crossborder:alicloud:BridgeFunction` */
export class BridgeFunction<R extends BridgeRole> extends pulumi.ComponentResource {
  readonly functionArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;
  /** Resources that must exist before an invocation: without them the function has no permissions, or too many instances. */
  readonly ready: pulumi.Resource[];

  constructor(name: string, args: BridgeFunctionArgs<R>, opts: pulumi.ComponentResourceOptions) {
    super("crossborder:alicloud:BridgeFunction", name, {}, opts);
    const { context, role, side, logs } = args;
    const physical = physicalName(context.config.name, side === undefined ? role : PROBER_PARTS[side]);
    const child = { parent: this, provider: context.provider };
    const ramRole = createRole(name, {
      context,
      physicalName: physical,
      service: "fc.aliyuncs.com",
      description: args.description,
      policy: pulumi
        .all([args.policy, logs.storeArn])
        .apply(([policy, logStoreArn]) => document(...policy.Statement, writeLogs(logStoreArn))),
      parent: this,
    });
    const own = new alicloud.fc.V3Function(
      name,
      {
        functionName: physical,
        description: args.description,
        handler: "index.handler",
        ...runtimeOf(args.perInstance),
        code: { zipFile: context.zip(role) },
        role: ramRole.arn,
        ...functionSize(args.memoryMb),
        diskSize: DISK_MB,
        timeout: args.timeoutSeconds,
        internetAccess: true,
        environmentVariables: args.config.apply((config): Record<string, string> => {
          if (isIncomplete(config)) return {};
          return checkedFor(context.component, () =>
            withinEnvironment(role, "alicloud", {
              ...encodeEnv(role, config),
              // A custom runtime gets no context that would tell it.
              ...(args.perInstance === undefined ? {} : { TIMEOUT_SECONDS: String(args.timeoutSeconds) }),
            }),
          );
        }),
        logConfig: { project: logs.project, logstore: logs.store },
      },
      { ...child, dependsOn: [ramRole.attachment, ...logs.ready, ...(args.dependsOn ?? [])] },
    );
    const concurrency =
      args.instances === undefined
        ? []
        : [
            new alicloud.fc.V3ConcurrencyConfig(
              `${name}-concurrency`,
              { functionName: own.functionName, reservedConcurrency: args.instances },
              child,
            ),
          ];
    this.functionArn = own.functionArn;
    this.functionName = own.functionName;
    this.ready = [own, ...concurrency];
    this.registerOutputs({ functionName: this.functionName });
  }
}

/**
 * Options of an asynchronous invocation config. An update of the provider carries only what changed. If the service replaces the whole
 * config by it, the failure destination or the retries are gone. A new config carries everything.
 */
export const REPLACED_WHOLE: pulumi.CustomResourceOptions = { replaceOnChanges: ["*"], deleteBeforeReplace: true };

/** Where a custom runtime on Debian 10 has Node.js 20. https://www.alibabacloud.com/help/en/functioncompute/fc/custom-runtime/ */
const NODE = "/var/fc/lang/nodejs20/bin/node";
/** The port on which the function's own server listens, see `runtime/platforms/alicloud-fc/custom-runtime.ts`. */
const SERVER_PORT = 9000;

/**
 * Since Function Compute 3.0 only a custom runtime takes several invocations at once.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/configure-the-concurrency-of-a-single-instance
 */
function runtimeOf(
  perInstance: number | undefined,
): Pick<alicloud.fc.V3FunctionArgs, "runtime" | "customRuntimeConfig" | "instanceConcurrency"> {
  if (perInstance === undefined) return { runtime: "nodejs20" };
  return {
    runtime: "custom.debian10",
    customRuntimeConfig: { commands: [NODE], args: ["index.js"], port: SERVER_PORT },
    instanceConcurrency: perInstance,
  };
}

/** https://www.alibabacloud.com/help/en/ros/developer-reference/aliyun-fc3-function */
const MEMORY_STEP_MB = 64;
const CPU_STEPS_PER_CPU = 20;
/** GB of memory per vCPU. Function Compute allows 1 to 4. */
const GB_PER_CPU = 2;

/** Rounds the memory up to a size that Function Compute offers, and adds CPU in proportion. */
export function functionSize(memoryMb: number): { memorySize: number; cpu: number } {
  const memorySize = Math.ceil(memoryMb / MEMORY_STEP_MB) * MEMORY_STEP_MB;
  const steps = Math.ceil((memorySize / 1024 / GB_PER_CPU) * CPU_STEPS_PER_CPU);
  return { memorySize, cpu: steps / CPU_STEPS_PER_CPU };
}
