/** The ways by which events reach a sender in AWS: the mapping of its queue, the tick, and with `buffer: none` the bucket itself. */
import { DescribeRuleCommand, DisableRuleCommand, EnableRuleCommand, EventBridgeClient } from "@aws-sdk/client-eventbridge";
import {
  DeleteFunctionConcurrencyCommand,
  type EventSourceMappingConfiguration,
  GetFunctionConcurrencyCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  paginateListEventSourceMappings,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { toBridgeError } from "../../runtime/platforms/aws-lambda/errors";
import { BridgeError } from "../../runtime/stores/errors";
import type { AwsAccess, EventWay, EventWays } from "../operated-bridge";
import { awsClientOptions } from "./aws-client";
import type { SenderWays } from "./side";

interface Call {
  signal?: AbortSignal | undefined;
}

/**
 * - The mapping: its queue keeps the events. https://docs.aws.amazon.com/lambda/latest/api/API_UpdateEventSourceMapping.html
 * - The tick: it would move held keys on. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DisableRule.html
 * - The bucket, with `buffer: none`: Lambda keeps throttled events for 6 hours, then they become dead letters.
 *   https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
 */
export function openEventWays(access: AwsAccess, sender: SenderWays): EventWays {
  const { functionName, tickRule, isDirect } = sender;
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
        for (const { UUID } of await mappingsOf(clients, functionName))
          await clients.lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: isOpen }), clients.options);
        if (isDirect) await setDirect(clients, sender, isOpen);
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

async function directWay({ lambda, options }: Clients, functionName: string): Promise<EventWay> {
  const { ReservedConcurrentExecutions } = await lambda.send(
    new GetFunctionConcurrencyCommand({ FunctionName: functionName }),
    options,
  );
  return { name: `the function ${functionName}`, isOpen: ReservedConcurrentExecutions !== 0 };
}

async function setDirect({ lambda, options }: Clients, { functionName, reserved }: SenderWays, isOpen: boolean): Promise<void> {
  if (isOpen && reserved === undefined) {
    await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: functionName }), options);
    return;
  }
  const ReservedConcurrentExecutions = isOpen ? reserved : 0;
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: functionName, ReservedConcurrentExecutions }), options);
}
