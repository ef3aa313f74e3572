/** The tick: once a minute a schedule invokes the sender, which probes and drains the outage queue. */
import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { type Account, physicalName } from "./account";

/** The event of a tick. A test compares it with the runtime's. */
export const TICK_EVENT = { crossborderbridge: "tick" };
/** The shortest that EventBridge accepts, and also the interval: after it the next tick is due. */
const TICK_AGE_SECONDS = 60;

export interface TickArgs {
  account: Account;
  sender: aws.lambda.Function;
  /** Resources that must exist before the first tick. */
  ready: pulumi.Resource[];
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rate-expressions.html */
export function createTick(
  context: BridgeContext,
  parent: pulumi.Resource,
  { account, sender, ready }: TickArgs,
): pulumi.Resource {
  const { config, provider } = context;
  const child = { parent, provider };
  const name = `${context.name}-tick`;
  const rule = new aws.cloudwatch.EventRule(
    name,
    {
      name: physicalName(config.name, "tick"),
      description: `Wakes the sender of bridge ${config.name}`,
      scheduleExpression: "rate(1 minute)",
    },
    child,
  );
  const permission = new aws.lambda.Permission(
    `${name}-permission`,
    {
      action: "lambda:InvokeFunction",
      function: sender.name,
      principal: account.service("events", config.source.region),
      sourceArn: rule.arn,
    },
    child,
  );
  return new aws.cloudwatch.EventTarget(
    `${name}-target`,
    {
      rule: rule.name,
      targetId: "sender",
      arn: sender.arn,
      input: JSON.stringify(TICK_EVENT),
      retryPolicy: { maximumEventAgeInSeconds: TICK_AGE_SECONDS, maximumRetryAttempts: 0 },
    },
    { ...child, dependsOn: [permission, ...ready] },
  );
}
