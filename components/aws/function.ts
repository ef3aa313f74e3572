/** A function with its role, its policy and its log group, for every role of the bridge. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { encodeEnv, type RoleConfig } from "../../runtime/protocol/env";
import type { BridgeContext, Side } from "../cloud";
import { withinEnvironment } from "../config";
import { checkedFor } from "../config/errors";
import { isIncomplete } from "../mocked";
import { PROBER_PARTS } from "../prober";
import { type Account, type AwsRole, physicalName } from "./account";
import { assumedBy, document, type PolicyDocument, writeLogs } from "./policies";

export interface BridgeFunctionArgs<R extends AwsRole> {
  context: BridgeContext;
  account: Account;
  role: R;
  /** Side of a prober. Other roles exist on one side only. */
  side?: Side;
  region: string;
  /** The handler's configuration, from outputs of other resources, or also of the function's own role. */
  config: pulumi.Output<RoleConfig<R>> | ((ownRole: aws.iam.Role) => pulumi.Output<RoleConfig<R>>);
  /** Permissions of the role, besides writing its log. */
  policy: pulumi.Output<PolicyDocument>;
  memoryMb: number;
  timeoutSeconds: number;
  description: string;
  /** Executions that Lambda keeps for this function, which are also its most at once. @default none are kept, and nothing bounds it */
  reservedConcurrency?: number | undefined;
  /** VPC that the function runs in. @default none */
  network?:
    | { subnetIds: pulumi.Output<string>[]; securityGroupIds: pulumi.Output<string>[]; ready: pulumi.Resource[] }
    | undefined;
}

/** `crossborder:aws:BridgeFunction` */
export class BridgeFunction<R extends AwsRole> extends pulumi.ComponentResource {
  readonly function: aws.lambda.Function;
  readonly roleArn: pulumi.Output<string>;
  readonly functionName: pulumi.Output<string>;

  constructor(name: string, args: BridgeFunctionArgs<R>, opts: pulumi.ComponentResourceOptions) {
    super("crossborder:aws:BridgeFunction", name, {}, opts);
    const { context, account, role, side } = args;
    const physical = physicalName(context.config.name, side === undefined ? role : PROBER_PARTS[side]);
    const child = { parent: this, provider: context.provider };

    const logGroup = new aws.cloudwatch.LogGroup(
      `${name}-log`,
      { name: `/aws/lambda/${physical}`, retentionInDays: context.config.logRetentionDays },
      child,
    );
    const lambdaRole = new aws.iam.Role(
      `${name}-role`,
      {
        name: physical,
        description: args.description,
        assumeRolePolicy: account.service("lambda", args.region).apply((service) => JSON.stringify(assumedBy(service))),
      },
      child,
    );
    const rolePolicy = new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        name: role,
        role: lambdaRole.name,
        policy: pulumi
          .all([args.policy, logGroup.arn])
          .apply(([policy, logGroupArn]) => JSON.stringify(document(...policy.Statement, writeLogs(logGroupArn)))),
      },
      child,
    );
    const networkAccess = args.network === undefined ? [] : [this.attachNetworkPolicy(name, lambdaRole, account, child)];

    const config = typeof args.config === "function" ? args.config(lambdaRole) : args.config;
    this.function = new aws.lambda.Function(
      name,
      {
        name: physical,
        description: args.description,
        runtime: "nodejs22.x",
        // arm64 is not confirmed in the China regions.
        architectures: ["x86_64"],
        handler: "index.handler",
        code: context.bundle(role),
        role: lambdaRole.arn,
        memorySize: args.memoryMb,
        timeout: args.timeoutSeconds,
        environment: {
          variables: config.apply((values) =>
            isIncomplete(values)
              ? {}
              : checkedFor(context.component, () => withinEnvironment(role, "aws", encodeEnv(role, values))),
          ),
        },
        loggingConfig: { logFormat: "Text", logGroup: logGroup.name },
        ...(args.reservedConcurrency === undefined ? {} : { reservedConcurrentExecutions: args.reservedConcurrency }),
        ...(args.network === undefined
          ? {}
          : { vpcConfig: { subnetIds: args.network.subnetIds, securityGroupIds: args.network.securityGroupIds } }),
      },
      // A function that runs before its policy is attached fails its first events.
      { ...child, dependsOn: [rolePolicy, logGroup, ...networkAccess, ...(args.network?.ready ?? [])] },
    );
    this.roleArn = lambdaRole.arn;
    this.functionName = this.function.name;
    this.registerOutputs({ functionName: this.functionName, roleArn: this.roleArn });
  }

  /**
   * The only managed policy that the bridge uses. Creating network interfaces needs actions that IAM can only grant on every
   * resource, and AWS maintains this list of them.
   */
  private attachNetworkPolicy(
    name: string,
    role: aws.iam.Role,
    account: Account,
    child: pulumi.CustomResourceOptions,
  ): aws.iam.RolePolicyAttachment {
    const policyArn = pulumi.interpolate`arn:${account.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole`;
    return new aws.iam.RolePolicyAttachment(`${name}-network`, { role: role.name, policyArn }, child);
  }
}
