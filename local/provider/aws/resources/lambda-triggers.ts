import {
  AddPermissionCommand,
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionEventInvokeConfigCommand,
  type FunctionResponseType,
  GetEventSourceMappingCommand,
  GetFunctionConfigurationCommand,
  GetFunctionEventInvokeConfigCommand,
  GetPolicyCommand,
  PutFunctionEventInvokeConfigCommand,
  RemovePermissionCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { GetQueueAttributesCommand, GetQueueUrlCommand } from "@aws-sdk/client-sqs";
import type { Infer } from "../../schema";
import { type AwsContext, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { assertRoleAllows } from "../roles";

export const permission = resource({
  token: "aws:lambda/permission:Permission",
  inputs: {
    "action!": "string",
    "function!": "string",
    "principal!": "string",
    sourceAccount: "string",
    sourceArn: "string",
    statementId: "string",
    qualifier: "string",
  },
  computed: [],
  autoname: { property: "statementId", maxLength: 100 },
  create: async (context, given) => {
    await clientsOf(context).lambda.send(
      new AddPermissionCommand({
        Action: given.action,
        FunctionName: given.function,
        Principal: given.principal,
        SourceAccount: given.sourceAccount,
        SourceArn: given.sourceArn,
        StatementId: given.statementId,
        Qualifier: given.qualifier,
      }),
    );
    return given.statementId ?? "";
  },
  read: async (context, id, { function: FunctionName, qualifier: Qualifier }) => {
    const call = new GetPolicyCommand({ FunctionName, Qualifier });
    const found = await unlessMissing(clientsOf(context).lambda.send(call));
    const policy = JSON.parse(found?.Policy ?? "{}") as { Statement?: { Sid?: string }[] };
    return policy.Statement?.some((statement) => statement.Sid === id) ? {} : undefined;
  },
  delete: (context, id, { function: FunctionName, qualifier: Qualifier }) =>
    ignoreMissing(clientsOf(context).lambda.send(new RemovePermissionCommand({ FunctionName, StatementId: id, Qualifier }))),
});

const mappingInputs = {
  "functionName!": "string",
  "eventSourceArn!": "string",
  batchSize: "number",
  enabled: "boolean",
  functionResponseTypes: ["string"],
  maximumBatchingWindowInSeconds: "number",
  scalingConfig: { maximumConcurrency: "number" },
  filterCriteria: { filters: [{ pattern: "string" }] },
} as const;

export const eventSourceMapping = resource({
  token: "aws:lambda/eventSourceMapping:EventSourceMapping",
  inputs: mappingInputs,
  computed: ["arn", "functionArn", "state", "uuid"],
  defaults: { batchSize: 10, enabled: true },
  replaceOn: ["eventSourceArn", "region"],
  check: function* ({ batchSize = 10, maximumBatchingWindowInSeconds: window = 0, scalingConfig }) {
    if (batchSize > 10 && window < 1) {
      yield {
        property: "batchSize",
        reason: `batchSize ${batchSize} above 10 needs maximumBatchingWindowInSeconds of 1 or more`,
      };
    }
    const concurrency = scalingConfig?.maximumConcurrency;
    if (concurrency !== undefined && (concurrency < 2 || concurrency > 1000)) {
      yield {
        property: "scalingConfig.maximumConcurrency",
        reason: `maximumConcurrency is ${concurrency}; AWS allows 2 to 1,000`,
      };
    }
  },
  create: async (context, given) => {
    await assertMappable(context, given);
    const answer = await clientsOf(context).lambda.send(
      new CreateEventSourceMappingCommand({ ...mappingOf(given), EventSourceArn: given.eventSourceArn }),
    );
    return answer.UUID ?? "";
  },
  read: async (context, id) => {
    const found = await unlessMissing(clientsOf(context).lambda.send(new GetEventSourceMappingCommand({ UUID: id })));
    if (found === undefined) return undefined;
    const arn = `arn:aws:lambda:${context.region}:${context.accountId}:event-source-mapping:${id}`;
    return { arn, functionArn: found.FunctionArn, state: found.State, uuid: id };
  },
  drift: async (context, id, { enabled = true }) => {
    const { State } = await clientsOf(context).lambda.send(new GetEventSourceMappingCommand({ UUID: id }));
    const isEnabled = !/^Disabl/.test(State ?? "");
    return isEnabled === enabled ? {} : { enabled: isEnabled };
  },
  update: async (context, id, news) => {
    await assertMappable(context, news);
    await clientsOf(context).lambda.send(new UpdateEventSourceMappingCommand({ ...mappingOf(news), UUID: id }));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).lambda.send(new DeleteEventSourceMappingCommand({ UUID: id }))),
});

function mappingOf(given: Infer<typeof mappingInputs>) {
  return {
    FunctionName: given.functionName,
    BatchSize: given.batchSize ?? 10,
    Enabled: given.enabled ?? true,
    FunctionResponseTypes: (given.functionResponseTypes ?? []) as FunctionResponseType[],
    MaximumBatchingWindowInSeconds: given.maximumBatchingWindowInSeconds ?? 0,
    ScalingConfig: given.scalingConfig && { MaximumConcurrency: given.scalingConfig.maximumConcurrency },
    FilterCriteria: given.filterCriteria && {
      Filters: (given.filterCriteria.filters ?? []).map(({ pattern }) => ({ Pattern: pattern })),
    },
  };
}

/** Rules of AWS at creation that the emulator does not check: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
async function assertMappable(context: AwsContext, given: Infer<typeof mappingInputs>): Promise<void> {
  const { lambda, sqs } = clientsOf(context);
  const called = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: given.functionName }));
  const QueueName = given.eventSourceArn.split(":").pop() ?? "";
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
  const queue = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["VisibilityTimeout"] }));
  const visibility = Number(queue.Attributes?.VisibilityTimeout);
  const timeout = called.Timeout ?? 3;
  if (visibility < timeout) {
    throw new Error(
      `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds ` +
        `(${QueueName} and ${called.FunctionName}); set visibilityTimeoutSeconds to ${timeout} or more`,
    );
  }
  const actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
  await assertRoleAllows(context, called.Role ?? "", actions, given.eventSourceArn);
}

const invokeInputs = {
  "functionName!": "string",
  qualifier: "string",
  maximumEventAgeInSeconds: "number",
  maximumRetryAttempts: "number",
  destinationConfig: { onFailure: { "destination!": "string" } },
} as const;

export const functionEventInvokeConfig = resource({
  token: "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
  inputs: invokeInputs,
  computed: [],
  replaceOn: ["functionName", "qualifier", "region"],
  fixedIdentity: true,
  create: async (context, given) => {
    await putInvokeConfig(context, given);
    return given.qualifier === undefined ? given.functionName : `${given.functionName}:${given.qualifier}`;
  },
  read: async (context, _id, { functionName: FunctionName, qualifier: Qualifier }) => {
    const call = new GetFunctionEventInvokeConfigCommand({ FunctionName, Qualifier });
    return (await unlessMissing(clientsOf(context).lambda.send(call))) && {};
  },
  update: (context, _id, news) => putInvokeConfig(context, news),
  delete: (context, _id, { functionName: FunctionName, qualifier: Qualifier }) =>
    ignoreMissing(clientsOf(context).lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName, Qualifier }))),
});

async function putInvokeConfig(context: AwsContext, given: Infer<typeof invokeInputs>): Promise<void> {
  await clientsOf(context).lambda.send(
    new PutFunctionEventInvokeConfigCommand({
      FunctionName: given.functionName,
      Qualifier: given.qualifier,
      MaximumEventAgeInSeconds: given.maximumEventAgeInSeconds,
      MaximumRetryAttempts: given.maximumRetryAttempts,
      DestinationConfig: given.destinationConfig?.onFailure && {
        OnFailure: { Destination: given.destinationConfig.onFailure.destination },
      },
    }),
  );
}
