/** The ways by which events reach a sender in AWS: the mapping of its queue, the tick, and with `buffer: none` the bucket itself. */
import { DescribeRuleCommand, DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import {
  type EventSourceMappingConfiguration,
  GetFunctionConfigurationCommand,
  LambdaClient,
  paginateListEventSourceMappings,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import { PAUSED_VARIABLE } from "../../runtime/platforms/paused";
import { CONFIG_VARIABLE } from "../../runtime/protocol/env";
import { BridgeError } from "../../runtime/stores/errors";
import type { AwsAccess, EventWay, EventWays } from "../operated-bridge";
import { awsClientOptions } from "./aws-client";
import type { SourceWays } from "./side";

interface Call {
  signal?: AbortSignal | undefined;
}

/**
 * - The mapping: its queue keeps the events. https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
 * - The tick: it would move held keys on. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html
 * - The bucket, with `buffer: none`: it invokes the function itself, which a variable lets keep the keys in the queue.
 *   docs/adr/0054-a-pause-is-a-variable-of-the-functions.md
 */
export function openEventWays(access: AwsAccess, source: SourceWays): EventWays {
  const { tickRule, isDirect } = source;
  const [functionName = ""] = source.functionNames;
  const withClients = async <T>({ signal }: Call, work: (clients: Clients) => Promise<T>): Promise<T> => {
    const clients: Clients = {
      lambda: new LambdaClient(awsClientOptions(access)),
      events: new EventBridgeClient(awsClientOptions(access)),
      options: signal === undefined ? {} : { abortSignal: signal },
    };
    try {
      return await work(clients);
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof BridgeError) throw cause;
      throw toBridgeError("ways", `the ways of events to ${functionName} cannot be read or changed`, cause);
    } finally {
      clients.lambda.destroy();
      clients.events.destroy();
    }
  };
  return {
    read: (options = {}) =>
      withClients(options, async (clients) => [
        ...(await mappingsOf(clients, functionName)).map(mappingWay),
        await tickWay(clients, tickRule),
        ...(isDirect ? [await directWay(clients, functionName)] : []),
      ]),
    set: (isOpen, options = {}) =>
      withClients(options, async (clients) => {
        // The tick goes first and comes last: it moves keys into the queue.
        if (!isOpen) await setTick(clients, tickRule, false);
        if (isDirect) await setDirect(clients, functionName, isOpen);
        for (const { UUID } of await mappingsOf(clients, functionName))
          await clients.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: isOpen }), clients.options);
        if (isOpen) await setTick(clients, tickRule, true);
      }),
  };
}

interface Clients {
  lambda: LambdaClient;
  events: EventBridgeClient;
  options: { abortSignal?: AbortSignal };
}

async function mappingsOf({ lambda, options }: Clients, functionName: string): Promise<EventSourceMappingConfiguration[]> {
  const found: EventSourceMappingConfiguration[] = [];
  for await (const page of paginateListEventSourceMappings({ client: lambda }, { FunctionName: functionName }, options as never))
    found.push(...(page.EventSourceMappings ?? []));
  if (found.length === 0)
    throw new BridgeError("NotFound", "ways", `the function ${functionName} has no mapping of a queue: run pulumi up`);
  return found;
}

/** `Enabling` and `Disabling` are on their way. */
const mappingWay = ({ EventSourceArn = "", State }: EventSourceMappingConfiguration): EventWay => ({
  name: `the queue ${EventSourceArn.split(":").at(-1)}`,
  isOpen: State !== "Disabled" && State !== "Disabling",
});

async function tickWay({ events, options }: Clients, rule: string): Promise<EventWay> {
  const { State } = await events.send(new DescribeRuleCommand({ Name: rule }), options);
  return { name: `the tick ${rule}`, isOpen: State !== "DISABLED" };
}

async function setTick({ events, options }: Clients, rule: string, isOpen: boolean): Promise<void> {
  if (isOpen) await events.send(new EnableRuleCommand({ Name: rule }), options);
  else await events.send(new DisableRuleCommand({ Name: rule }), options);
}

/** While an update is in progress, the function runs as before. https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html */
async function directWay(clients: Clients, functionName: string): Promise<EventWay> {
  const { variables, isUpdating } = await readFunction(clients, functionName);
  const willBeOpen = variables[PAUSED_VARIABLE] === undefined;
  return { name: `the function ${functionName}`, isOpen: isUpdating ? !willBeOpen : willBeOpen };
}

/** An update replaces all variables of a function, and nothing else of it. */
async function setDirect(clients: Clients, FunctionName: string, isOpen: boolean): Promise<void> {
  const { variables } = await readFunction(clients, FunctionName);
  const { [PAUSED_VARIABLE]: paused, ...others } = variables;
  if (isOpen === (paused === undefined)) return;
  const Variables = isOpen ? others : { ...others, [PAUSED_VARIABLE]: "1" };
  const command = new UpdateFunctionConfigurationCommand({ FunctionName, Environment: { Variables } });
  await clients.lambda.send(command, clients.options);
}

/** Rejects where the settings are missing: an update would then remove them. */
async function readFunction({ lambda, options }: Clients, FunctionName: string) {
  const found = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }), options);
  const variables = found.Environment?.Variables ?? {};
  if (!(CONFIG_VARIABLE in variables))
    throw new BridgeError(
      "Unexpected",
      "ways",
      `the function ${FunctionName} has no variable ${CONFIG_VARIABLE}: run pulumi up --refresh`,
    );
  return { variables, isUpdating: found.LastUpdateStatus === "InProgress" };
}
