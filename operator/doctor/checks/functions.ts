/** The functions of the bridge, and how many of them the account may run at once. */
import {
  GetAccountSettingsCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { ossSenderInstances, receiverInstances } from "../../../components/config/defaults";
import { isCheckedAtSource, LAMBDA_QUOTA, lambdaExecutions, senderExecutions } from "../../../components/config/lambda-quota";
import { arrayAt, at, textAt } from "../../../runtime/protocol/json";
import {
  alicloudOf,
  alicloudSides,
  awsOf,
  awsSides,
  type Check,
  functionsOf,
  type Problem,
  SIDES,
  type SideName,
  settingsOf,
  type View,
} from "../check";
import { unlessCode } from "../clouds/aws";
import { aliyunCommand, awsCommand, bridgeCommandOf, configCommand, inOrder, refreshCommand, upCommand } from "../paste";

const functions: Check = {
  name: "functions",
  looksAt: "the functions of the bridge: that they are there, ready, and not switched off by a concurrency of 0",
  why: "A function that is missing or switched off does nothing: keys wait, and become dead letters after giveUpAfterHours.",
  when: "after",
  needs: ["credentials"],
  sides: (stack) => SIDES.filter((side) => functionsOf(stack, side).length > 0),
  async run(view) {
    const look = settingsOf(view).cloud === "alicloud" ? fcProblems : lambdaProblems;
    const found = await Promise.all(functionsOf(view.stack, view.side).map(([role, name]) => look(view, role, name)));
    return found.flat();
  },
};

const isGone = (view: View, role: string, name: string): Problem => ({
  what: `the ${role} ${name} is gone`,
  fix: refreshCommand(view),
});

const notReady = (view: View, text: string): Problem => ({ what: text, fix: refreshCommand(view) });

/** https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html */
async function lambdaProblems(view: View, role: string, FunctionName: string): Promise<Problem[]> {
  const { lambda } = awsOf(view);
  const options = { abortSignal: view.signal };
  const found = await unlessCode(
    /^ResourceNotFoundException$/,
    lambda.send(new GetFunctionConfigurationCommand({ FunctionName }), options),
  );
  if (found === undefined) return [isGone(view, role, FunctionName)];
  if (found.State === "Failed")
    return [notReady(view, `the ${role} ${FunctionName} has failed: ${found.StateReason ?? found.StateReasonCode}`)];
  if (found.LastUpdateStatus === "Failed")
    return [notReady(view, `the last update of the ${role} ${FunctionName} has failed: ${found.LastUpdateStatusReason}`)];
  const { ReservedConcurrentExecutions } = await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }), options);
  if (ReservedConcurrentExecutions !== 0) return [];
  return [
    {
      what: `the ${role} ${FunctionName} is switched off: its reserved concurrency is 0`,
      fix: switchOn(view, role, FunctionName),
    },
  ];
}

/** Gives a function back what the stack reserves for it. */
function switchOn(view: View, role: string, FunctionName: string): string {
  const { config } = view.stack;
  const named = { "function-name": FunctionName };
  if (role !== "sender" || !config.reserveConcurrency) return awsCommand(view, "lambda delete-function-concurrency", named);
  const reserved = { "reserved-concurrent-executions": String(senderExecutions(config)) };
  return awsCommand(view, "lambda put-function-concurrency", { ...named, ...reserved });
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-getfunction */
async function fcProblems(view: View, role: string, name: string): Promise<Problem[]> {
  const clients = alicloudOf(view);
  const path = `/functions/${encodeURIComponent(name)}`;
  const found = await clients.functionCompute("GetFunction", path, view.signal);
  if (found === undefined) return [isGone(view, role, name)];
  if (textAt(found, "state") === "Failed")
    return [notReady(view, `the ${role} ${name} has failed: ${textAt(found, "stateReason")}`)];
  if (textAt(found, "lastUpdateStatus") === "Failed")
    return [notReady(view, `the last update of the ${role} ${name} has failed: ${textAt(found, "lastUpdateStatusReason")}`)];
  const concurrency = await clients.functionCompute("GetConcurrencyConfig", `${path}/concurrency`, view.signal);
  if (at(concurrency, "reservedConcurrency") !== 0) return [];
  const reserved = { functionName: name, body: JSON.stringify({ reservedConcurrency: instancesOf(view, role) }) };
  const fix = aliyunCommand(view, "fc PutConcurrencyConfig", reserved);
  return [{ what: `the ${role} ${name} is switched off: its reserved concurrency is 0`, fix }];
}

/** Instances of a role, as the components reserve them. */
function instancesOf({ stack: { config } }: View, role: string): number {
  if (role === "sender") return ossSenderInstances(config);
  if (role === "receiver") return receiverInstances(config);
  return role === "copier" ? config.copy.concurrency : config.concurrency;
}

/** Lambda keeps this many for functions that reserve none. */
const UNRESERVED = 100;
const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

const lambdaQuota: Check = {
  name: "lambda-quota",
  looksAt: "how many Lambda functions the account may run at once, against the settings",
  why: "Lambda throttles what does not fit: keys wait, and the account's other functions too.",
  when: "always",
  needs: ["credentials"],
  sides: (stack) =>
    awsSides(stack).filter(
      (side) =>
        sum(Object.values(lambdaExecutions(stack.config, side))) > 0 &&
        !(side === "destination" && isCheckedAtSource(stack.config)),
    ),
  async run(view) {
    const { side, stack } = view;
    const { config } = stack;
    const answer = await awsOf(view).lambda.send(new GetAccountSettingsCommand({}), { abortSignal: view.signal });
    const quota = answer.AccountLimit?.ConcurrentExecutions ?? 0;
    const used = lambdaExecutions(config, side);
    const needed = sum(Object.values(used));
    const reserved = senderExecutions(config);
    const raise = (desired: number) =>
      awsCommand(view, "service-quotas request-service-quota-increase", {
        ...{ "service-code": LAMBDA_QUOTA.serviceCode, "quota-code": LAMBDA_QUOTA.quotaCode, "desired-value": String(desired) },
      });
    const list = Object.entries(used).map(([kind, count]) => `${count} ${kind}`);
    if (needed > quota)
      return [
        {
          what: `the account may run ${quota} Lambda functions at once in ${config[side].region}, and the settings ask for ${needed}: ${list.join(", ")}`,
          fix: raise(UNRESERVED + needed),
        },
      ];
    if (side !== "source" || !config.reserveConcurrency || stack.outputs !== undefined || quota >= UNRESERVED + reserved)
      return [];
    return [
      {
        what: `reserveConcurrency takes ${reserved} of ${quota} executions, and Lambda keeps ${UNRESERVED} unreserved: it would refuse the sender`,
        fix: raise(UNRESERVED + reserved),
      },
    ];
  },
};

/**
 * Functions may reserve 90 % of an account's instances in a region; a new account has 100. The account's own number is in Quota Center only.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-configuring-the-maximum-number-of-on-demand-instances
 */
const RESERVABLE = 90;

const fcQuota: Check = {
  name: "function-compute-quota",
  looksAt: "instances that all functions of the region reserve, with those of the settings, against the quota of a new account",
  why: "Function Compute refuses a reservation beyond the quota, and `pulumi up` stops there.",
  when: "before",
  needs: ["credentials"],
  sides: (stack) => alicloudSides(stack).filter((side) => neededInstances(stack.config, side) > 0),
  unavailable: ({ local }) => (local ? "the local Alibaba Cloud has no quotas" : undefined),
  async run(view) {
    const { config } = view.stack;
    const { region } = settingsOf(view);
    const reserved = await reservedInstances(view);
    const needed = neededInstances(config, view.side);
    if (reserved + needed <= RESERVABLE) return [];
    const fewer = configCommand(view, "concurrency", String(Math.max(2, Math.floor(config.concurrency / 2))));
    return [
      {
        what: `functions in ${region} reserve ${reserved} instances, and the bridge needs ${needed} more: a new account may reserve ${RESERVABLE}`,
        fix: `have the quota raised at https://quotas.console.aliyun.com/products/fc/quotas, or: ${inOrder(fewer, upCommand(view))}`,
      },
    ];
  },
};

function neededInstances(config: View["stack"]["config"], side: SideName): number {
  const { mode, concurrency, copy } = config;
  if (mode === "push") return side === "source" ? 2 * concurrency : 0;
  if (mode === "native") return 0;
  return side === "source" ? ossSenderInstances(config) : receiverInstances(config) + copy.concurrency;
}

/** https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-listconcurrencyconfigs */
async function reservedInstances(view: View): Promise<number> {
  const body = await alicloudOf(view).functionCompute("ListConcurrencyConfigs", "/concurrency-configs", view.signal);
  const configs = arrayAt(body, "configs") ?? [];
  return sum(configs.map((one) => Number(at(one, "reservedConcurrency") ?? 0)));
}

const paused: Check = {
  name: "paused",
  looksAt: "whether events are held back, by `pause` or by hand: the mapping, the tick, the functions",
  why: "A paused bridge replicates nothing, and after 7 days its work queue drops the keys.",
  when: "after",
  needs: ["functions", "event-mapping"],
  sides: ({ bridge }) => (bridge?.ways === undefined ? [] : ["source"]),
  async run(view) {
    const ways = (await view.stack.bridge?.ways?.read({ signal: view.signal })) ?? [];
    const closed = ways.filter(({ isOpen }) => !isOpen).map(({ name }) => name);
    if (closed.length === 0) return [];
    return [{ what: `the bridge is paused: switched off are ${closed.join(", ")}`, fix: bridgeCommandOf(view, "resume") }];
  },
};

export const FUNCTION_CHECKS: readonly Check[] = [functions, lambdaQuota, fcQuota, paused];
