/** Facts about the parts of a bridge in AWS: its alarms, its metrics, its roles and its outage queue. */
import { CloudWatchClient, DescribeAlarmsCommand, ListMetricsCommand, type MetricAlarm } from "@aws-sdk/client-cloudwatch";
import { IAMClient, SimulatePrincipalPolicyCommand } from "@aws-sdk/client-iam";
import {
  DeleteFunctionConcurrencyCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from "@aws-sdk/client-lambda";
import { SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs";
import { awsClientOptions } from "../../operator/clouds/aws-client";
import type { AwsAccess, OperatedOutputs } from "../../operator/operated-bridge";
import { encodeLook } from "../../runtime/protocol/queue-messages";
import { type BridgeCheck, type CheckContext, holds, NotShown, SIDES, type SideName, type Subject } from "../check";
import { arrives, send, until } from "./crossing";

const MINUTE_MS = 60_000;
const common = { on: "bridge", safeOn: "any-stack" } as const;

function awsAccess({ sides }: Pick<CheckContext, "sides">, name: SideName): AwsAccess {
  const { access } = sides[name];
  if (access.cloud === "alicloud") throw new NotShown(`the ${name} is not in AWS`);
  return access;
}

const notFromAws = ({ config }: Subject): string | undefined =>
  config.source.cloud !== "alicloud" && config.mode === "pull" ? undefined : "only a pull from AWS has them";

/** Runs `work` with a client, and closes it. */
async function using<C extends { destroy(): void }, T>(client: C, work: (client: C) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}

async function alarmsOf({ config, signal, ...context }: CheckContext): Promise<MetricAlarm[]> {
  const command = new DescribeAlarmsCommand({ AlarmNamePrefix: `crossborderbridge-${config.name}-` });
  return using(new CloudWatchClient(awsClientOptions(awsAccess(context, "source"))), async (client) => {
    const { MetricAlarms = [] } = await client.send(command, { abortSignal: signal });
    return MetricAlarms;
  });
}

export const alarmsExist: BridgeCheck = {
  ...common,
  name: "alarms-exist",
  fact: "The alarms of the source exist and are switched on.",
  why: "An alarm that the service did not take rings for nobody.",
  source: "docs/runbook.md",
  reliesOn: ["components/aws/alarms.ts"],
  timeoutMs: 5 * MINUTE_MS,
  notFor: notFromAws,
  async run(context) {
    const alarms = await alarmsOf(context);
    holds(alarms.length > 0, "there is no alarm of this bridge");
    const off = alarms.filter(({ ActionsEnabled }) => ActionsEnabled === false);
    holds(off.length === 0, `switched off: ${off.map(({ AlarmName }) => AlarmName).join(", ")}`);
    return alarms.map(({ AlarmName, StateValue }) => `${AlarmName}: ${StateValue ?? "no state"}`);
  },
};

export const metricsArrive: BridgeCheck = {
  ...common,
  name: "metrics-arrive",
  fact: "Log lines in the embedded metric format become metrics, also in AWS China.",
  why: "The alarms of the bridge watch these metrics. Without them no alarm rings.",
  source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html",
  reliesOn: ["runtime/platforms/aws-lambda/metrics.ts", "components/aws/alarms.ts"],
  notLocal: "the local CloudWatch makes no metrics of log lines",
  timeoutMs: 20 * MINUTE_MS,
  notFor: notFromAws,
  async run(context) {
    const { config, signal } = context;
    const Dimensions = [{ Name: "BridgeId", Value: config.name }];
    const command = new ListMetricsCommand({ Namespace: "CrossBorderBridge", Dimensions });
    const what = "CloudWatch lists metrics of the bridge";
    return using(new CloudWatchClient(awsClientOptions(awsAccess(context, "source"))), (client) =>
      until(context, { what, deadlineMs: 15 * MINUTE_MS }, async () => {
        const { Metrics = [] } = await client.send(command, { abortSignal: signal });
        const names = [...new Set(Metrics.map(({ MetricName = "" }) => MetricName))].sort();
        return names.length > 0 ? [names.join(", ")] : undefined;
      }),
    );
  },
};

const functionsAt = (side: SideName, outputs: OperatedOutputs): string[] =>
  (side === "source" ? [outputs.senderFunctionName] : [outputs.receiverFunctionName, outputs.copierFunctionName]).filter(
    (name) => name !== undefined,
  );

/** No role of a bridge needs any of these. */
const FORBIDDEN = [
  ...["iam:CreateUser", "iam:PassRole", "iam:PutRolePolicy", "sts:AssumeRole", "lambda:UpdateFunctionCode", "s3:DeleteBucket"],
  ...["s3:PutBucketPolicy", "s3:PutObjectAcl", "s3:ListAllMyBuckets", "ec2:RunInstances", "secretsmanager:GetSecretValue"],
];

export const roleRights: BridgeCheck = {
  ...common,
  name: "role-rights",
  fact: "The roles of the functions may do nothing but what the bridge needs: IAM itself denies a list of other actions.",
  why: "That the rights are enough is shown by the pair table. That they are not too many is shown here.",
  source: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html",
  reliesOn: ["components/aws/policies.ts", "docs/security.md"],
  notLocal: "the local IAM does not simulate policies",
  timeoutMs: 10 * MINUTE_MS,
  notFor({ config }) {
    const isAws = SIDES.some((side) => config[side].cloud !== "alicloud");
    return isAws && config.mode === "pull" ? undefined : "the stack has no function in AWS";
  },
  async run(context) {
    const { bridge, config, signal } = context;
    const evidence: string[] = [];
    for (const side of SIDES.filter((one) => config[one].cloud !== "alicloud"))
      for (const FunctionName of functionsAt(side, bridge.outputs)) {
        const options = awsClientOptions(awsAccess(context, side));
        const { Role } = await using(new LambdaClient(options), (client) =>
          client.send(new GetFunctionConfigurationCommand({ FunctionName }), { abortSignal: signal }),
        );
        const command = new SimulatePrincipalPolicyCommand({ PolicySourceArn: Role, ActionNames: FORBIDDEN });
        const { EvaluationResults = [] } = await using(new IAMClient(options), (client) =>
          client.send(command, { abortSignal: signal }),
        );
        const allowed = EvaluationResults.filter(({ EvalDecision }) => EvalDecision === "allowed");
        holds(
          EvaluationResults.length === FORBIDDEN.length,
          `IAM answered about ${EvaluationResults.length} of ${FORBIDDEN.length} actions`,
        );
        holds(allowed.length === 0, `${FunctionName} may: ${allowed.map(({ EvalActionName }) => EvalActionName).join(", ")}`);
        evidence.push(`${FunctionName}: ${FORBIDDEN.length} actions are denied`);
      }
    return evidence;
  },
};

export const alarmRings: BridgeCheck = {
  ...common,
  name: "alarm-rings",
  fact: "A dead letter makes the alarm `dead-letters-not-empty` ring within 15 minutes.",
  why: "An operator learns of a lost key from this alarm alone.",
  source: "docs/runbook.md",
  reliesOn: ["components/aws/alarms.ts"],
  safeOn: "own-stack",
  notLocal: "the local CloudWatch evaluates no alarms",
  timeoutMs: 20 * MINUTE_MS,
  notFor: notFromAws,
  async run(context) {
    const { bridge, keys, signal } = context;
    const { deadLetterQueueUrl: QueueUrl } = bridge.outputs;
    if (QueueUrl === undefined) throw new NotShown("the stack has no dead-letter queue");
    const MessageBody = encodeLook({ key: keys.key("alarm"), failures: 0, firstSeenMs: Date.now() });
    await using(new SQSClient(awsClientOptions(awsAccess(context, "source"))), (client) =>
      client.send(new SendMessageCommand({ QueueUrl, MessageBody }), { abortSignal: signal }),
    );
    const startMs = Date.now();
    await until(context, { what: "the alarm dead-letters-not-empty rings", deadlineMs: 15 * MINUTE_MS }, async () =>
      (await alarmsOf(context)).find(
        ({ AlarmName, StateValue }) => AlarmName?.endsWith("-dead-letters-not-empty") && StateValue === "ALARM",
      ),
    );
    return [`the alarm rang after ${Math.round((Date.now() - startMs) / 1000)} s`];
  },
};

export const outageHeals: BridgeCheck = {
  ...common,
  name: "outage-heals",
  fact: "While the receiver cannot run, keys wait in the outage queue; when it runs again, they arrive by themselves.",
  why: "A throttled function, a lost network and a wrong deployment look like this.",
  source: "docs/adr/0031-the-outage-queue-is-the-breaker.md",
  reliesOn: ["runtime/replication/breaker.ts", "runtime/roles/sender/sender.ts", "components/aws/tick.ts"],
  safeOn: "own-stack",
  notLocal: "the local AWS runs a function whatever its reserved concurrency is",
  timeoutMs: 45 * MINUTE_MS,
  load: () => ({ objects: 1, sizeBytes: 100 }),
  notFor(subject) {
    if (subject.config.destination.cloud === "alicloud") return "only a receiver in AWS can be stopped by its concurrency";
    return notFromAws(subject);
  },
  async run(context) {
    const { bridge, signal } = context;
    const { receiverFunctionName: FunctionName } = bridge.outputs;
    if (FunctionName === undefined) throw new NotShown("the stack has no receiver");
    const client = new LambdaClient(awsClientOptions(awsAccess(context, "destination")));
    return using(client, async () => {
      const { ReservedConcurrentExecutions: before } = await client.send(new GetFunctionConcurrencyCommand({ FunctionName }));
      const limit = (ReservedConcurrentExecutions: number) =>
        client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
      let key: string;
      try {
        await limit(0);
        key = await send(context, { name: "outage" });
        await until(context, { what: "the key waits in the outage queue", deadlineMs: 15 * MINUTE_MS }, async () => {
          const { looks } = await bridge.held({ limit: 1000, signal });
          return looks.find((look) => look.key === key);
        });
      } finally {
        // Without a signal: the receiver must run again also after Ctrl-C.
        if (before === undefined) await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
        else await limit(before);
      }
      const ms = await arrives(context, key, 20 * MINUTE_MS);
      return ["the key waited in the outage queue", `it arrived ${Math.round(ms / 1000)} s after the receiver could run again`];
    });
  },
};
