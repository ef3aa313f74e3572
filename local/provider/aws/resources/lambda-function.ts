import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  GetFunctionCommand,
  PutFunctionConcurrencyCommand,
  type Runtime,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { zipOf } from "../../archive";
import type { Infer } from "../../schema";
import { sameValue } from "../../values";
import { type AwsContext, arnOf, clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { assertLambdaMayAssume } from "../roles";
import { removedTags, tagsAllOf } from "../tags";

const inputs = {
  name: "string",
  "role!": "string",
  "code!": "archive",
  "handler!": "string",
  "runtime!": "string",
  architectures: ["string"],
  description: "string",
  deadLetterConfig: { "targetArn!": "string" },
  environment: { variables: "map" },
  ephemeralStorage: { size: "number" },
  kmsKeyArn: "string",
  loggingConfig: { "logFormat!": "string", applicationLogLevel: "string", logGroup: "string", systemLogLevel: "string" },
  memorySize: "number",
  reservedConcurrentExecutions: "number",
  sourceCodeHash: "string",
  tags: "map",
  timeout: "number",
  tracingConfig: { "mode!": "string" },
  vpcConfig: { "securityGroupIds!": ["string"], "subnetIds!": ["string"], vpcId: "string" },
} as const;
type Inputs = Infer<typeof inputs>;

/**
 * The emulator runs every Node.js runtime on this machine's Node.js, so it does not detect a bundle that needs a newer version than
 * its runtime.
 */
export const lambdaFunction = resource({
  token: "aws:lambda/function:Function",
  inputs,
  computed: ["arn", "codeSha256", "invokeArn", "lastModified", "qualifiedArn", "sourceCodeSize", "version"],
  defaults: {
    memorySize: 128,
    packageType: "Zip",
    publish: false,
    reservedConcurrentExecutions: -1,
    timeout: 3,
    skipDestroy: false,
  },
  autoname: { property: "name", maxLength: 64 },
  replaceOn: ["name", "region", "architectures"],
  check: function* ({ runtime, timeout = 3, memorySize = 128, architectures = [] }) {
    if (!/^nodejs(22|24)\.x$/.test(runtime)) {
      yield { property: "runtime", reason: `runtime ${runtime}: the local cloud runs nodejs22.x and nodejs24.x` };
    }
    if (timeout < 1 || timeout > 900) yield { property: "timeout", reason: `timeout is ${timeout} s; AWS allows 1 to 900` };
    if (memorySize < 128 || memorySize > 10_240) {
      yield { property: "memorySize", reason: `memorySize is ${memorySize} MB; AWS allows 128 to 10,240` };
    }
    if (architectures.length > 1) yield { property: "architectures", reason: "a function has one architecture" };
  },
  create: async (context, given) => {
    const { lambda } = clientsOf(context);
    await assertLambdaMayAssume(context, given.role);
    const ZipFile = await zipOf(given.code, context.workingDirectory);
    const FunctionName = given.name ?? "";
    await lambda.send(
      new CreateFunctionCommand({
        ...configurationOf(given),
        FunctionName,
        Code: { ZipFile },
        Architectures: given.architectures as ("x86_64" | "arm64")[] | undefined,
        Tags: tagsAllOf(given),
      }),
    );
    await waitUntilFunctionActiveV2(waitingFor(context), { FunctionName });
    await putConcurrency(context, FunctionName, given);
    return FunctionName;
  },
  read: async (context, id) => {
    const found = await unlessMissing(clientsOf(context).lambda.send(new GetFunctionCommand({ FunctionName: id })));
    if (found?.Configuration === undefined) return undefined;
    const { FunctionArn, CodeSha256, CodeSize, LastModified } = found.Configuration;
    return {
      arn: FunctionArn,
      codeSha256: CodeSha256,
      invokeArn: `arn:aws:apigateway:${context.region}:lambda:path/2015-03-31/functions/${FunctionArn}/invocations`,
      lastModified: LastModified,
      qualifiedArn: `${FunctionArn}:$LATEST`,
      sourceCodeSize: CodeSize,
      version: "$LATEST",
    };
  },
  drift: async (context, id, { reservedConcurrentExecutions = -1 }) => {
    const { Concurrency } = await clientsOf(context).lambda.send(new GetFunctionCommand({ FunctionName: id }));
    const reserved = Concurrency?.ReservedConcurrentExecutions ?? -1;
    return reserved === reservedConcurrentExecutions ? {} : { reservedConcurrentExecutions: reserved };
  },
  update: async (context, id, news, olds) => {
    const { lambda } = clientsOf(context);
    await assertLambdaMayAssume(context, news.role);
    if (!sameValue(news.code, olds.code)) {
      const ZipFile = await zipOf(news.code, context.workingDirectory);
      await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: id, ZipFile }));
      await waitUntilFunctionUpdatedV2(waitingFor(context), { FunctionName: id });
    }
    await lambda.send(new UpdateFunctionConfigurationCommand({ ...configurationOf(news), FunctionName: id }));
    await waitUntilFunctionUpdatedV2(waitingFor(context), { FunctionName: id });
    await putConcurrency(context, id, news);
    const Resource = arnOf(context, "lambda", `function:${id}`);
    const TagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
    if (TagKeys.length > 0) await lambda.send(new UntagResourceCommand({ Resource, TagKeys }));
    await lambda.send(new TagResourceCommand({ Resource, Tags: tagsAllOf(news) }));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).lambda.send(new DeleteFunctionCommand({ FunctionName: id }))),
});

function configurationOf(given: Inputs) {
  return {
    Role: given.role,
    Handler: given.handler,
    Runtime: given.runtime as Runtime,
    Description: given.description ?? "",
    Timeout: given.timeout ?? 3,
    MemorySize: given.memorySize ?? 128,
    Environment: { Variables: given.environment?.variables ?? {} },
    EphemeralStorage: { Size: given.ephemeralStorage?.size ?? 512 },
    DeadLetterConfig: { TargetArn: given.deadLetterConfig?.targetArn ?? "" },
    KMSKeyArn: given.kmsKeyArn,
    LoggingConfig: given.loggingConfig && {
      LogFormat: given.loggingConfig.logFormat as "JSON" | "Text",
      LogGroup: given.loggingConfig.logGroup,
      ApplicationLogLevel: given.loggingConfig.applicationLogLevel as "INFO" | undefined,
      SystemLogLevel: given.loggingConfig.systemLogLevel as "INFO" | undefined,
    },
    TracingConfig: { Mode: (given.tracingConfig?.mode ?? "PassThrough") as "Active" | "PassThrough" },
    // Stored only: functions run in this machine's network.
    VpcConfig: { SecurityGroupIds: given.vpcConfig?.securityGroupIds ?? [], SubnetIds: given.vpcConfig?.subnetIds ?? [] },
  };
}

async function putConcurrency(context: AwsContext, FunctionName: string, given: Inputs): Promise<void> {
  const { lambda } = clientsOf(context);
  const reserved = given.reservedConcurrentExecutions ?? -1;
  if (reserved < 0) await ignoreMissing(lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName })));
  else await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: reserved }));
}

function waitingFor(context: AwsContext) {
  return { client: clientsOf(context).lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 2 };
}
