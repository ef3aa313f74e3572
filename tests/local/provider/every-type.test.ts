/** Creates, reads, updates and deletes every resource type of the table in the China partition. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { GetStageCommand } from "@aws-sdk/client-api-gateway";
import { GetFunctionCommand, InvokeCommand } from "@aws-sdk/client-lambda";
import { GetBucketTaggingCommand, GetBucketVersioningCommand } from "@aws-sdk/client-s3";
import { GetQueueAttributesCommand, ListQueueTagsCommand } from "@aws-sdk/client-sqs";
import { GetParameterCommand } from "@aws-sdk/client-ssm";
import { makeClients } from "../../../local/provider/aws/clients";
import { RESOURCES } from "../../../local/provider/aws/registry";
import { type EngineProject, startEngineProject } from "./engine-project";

const stack = "test";
const program = readFileSync(join(__dirname, "fixtures", "every-type.ts"), "utf8");
let project: EngineProject;

beforeAll(async () => {
  project = await startEngineProject("every-type", stack, program);
}, 900_000);

afterAll(() => project?.close());

const outputs = async () => (await project.engine.stackOutputs({ stack })) as Record<string, string>;

// The tests run in order: each starts with the state that the previous one left.
test("create: the program has every type of the table", async () => {
  await project.configure({ round: "1" });
  await project.engine.up({ stack });
  const { deployment } = await project.engine.exportStack({ stack });
  const made = new Set(deployment.resources?.map((one) => one.type));
  expect(RESOURCES.map((type) => type.token).filter((token) => !made.has(token))).toEqual([]);
  const { publicIps } = (await project.engine.stackOutputs({ stack })) as { publicIps: string[] };
  expect(publicIps[0]).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  expect(publicIps[1]).toBe(publicIps[0]);
}, 120_000);

test("read: a refresh finds every resource unchanged", async () => {
  project.lines.length = 0;
  const changes = await project.engine.preview({ stack, refresh: true });
  expect(Object.keys(changes)).toEqual(["same"]);
  expect(project.lines.filter((line) => line.startsWith(" ") && / (update|delete|create|replace)/.test(line))).toEqual([]);
}, 120_000);

test("update: inputs change in place, and the emulator has the new values", async () => {
  await project.configure({ round: "2" });
  const changes = await project.engine.up({ stack });
  // The deployment is the one that never changes in place.
  expect(changes).toMatchObject({ replace: 1 });
  expect(changes).not.toHaveProperty("create");
  expect(changes).not.toHaveProperty("delete");

  const { bucketName: Bucket, queueUrl: QueueUrl, functionName: FunctionName, apiId: restApiId, stageName } = await outputs();
  const { s3, sqs, lambda, apigateway, ssm } = makeClients(project.local["aws-cn"], "cn-north-1");
  const tagging = await s3.send(new GetBucketTaggingCommand({ Bucket }));
  expect(Object.fromEntries((tagging.TagSet ?? []).map(({ Key, Value }) => [Key, Value]))).toEqual({ round: "2", added: "now" });
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBe("Suspended");
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["All"] }));
  expect(Attributes).toMatchObject({ VisibilityTimeout: "90", DelaySeconds: "0" });
  expect((await sqs.send(new ListQueueTagsCommand({ QueueUrl }))).Tags).toEqual({ round: "2", added: "now" });
  const called = await lambda.send(new GetFunctionCommand({ FunctionName }));
  expect(called.Configuration).toMatchObject({ Timeout: 20, MemorySize: 512, Runtime: "nodejs22.x" });
  expect(called.Concurrency?.ReservedConcurrentExecutions).toBeUndefined();
  expect(called.Tags).toEqual({ round: "2", added: "now" });
  const { Payload } = await lambda.send(new InvokeCommand({ FunctionName }));
  expect(Buffer.from(Payload ?? []).toString()).toBe("2");
  const stage = await apigateway.send(new GetStageCommand({ restApiId, stageName }));
  expect(stage.methodSettings?.["*/*"]).toMatchObject({ throttlingBurstLimit: 5, throttlingRateLimit: 25 });
  const parameter = await ssm.send(new GetParameterCommand({ Name: "/every/type", WithDecryption: true }));
  expect(parameter.Parameter?.Value).toBe("hush 2");
}, 120_000);

test("unchanged after the update", async () => {
  expect(Object.keys(await project.engine.up({ stack }))).toEqual(["same"]);
}, 120_000);

test("delete: every resource is deleted in the engine's order", async () => {
  project.lines.length = 0;
  await project.engine.destroy({ stack });
  expect(project.lines.join("\n")).not.toMatch(/error/i);
}, 120_000);
