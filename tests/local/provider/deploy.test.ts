/** A small program through the real engine: deployed, deployed again, changed, destroyed. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { request } from "node:https";
import { GetRestApisCommand } from "@aws-sdk/client-api-gateway";
import { ListRolesCommand } from "@aws-sdk/client-iam";
import { ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { ListQueuesCommand } from "@aws-sdk/client-sqs";
import type { LocalAws } from "../../../local/aws/local-aws";
import type { Engine } from "../../../local/engine";
import { makeClients } from "../../../local/provider/aws/clients";
import { type EngineProject, startEngineProject } from "./engine-project";

const PROGRAM = `
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
const config = new pulumi.Config();
const deploy = (name: string, region: string) => {
  const provider = new aws.Provider(name, { region, defaultTags: { tags: { from: "deploy.test" } } });
  const options = { provider };
  const { partition } = aws.getPartitionOutput({}, options);
  const lambda = aws.getServicePrincipalOutput({ serviceName: "lambda" }, options).name;
  const allow = (statement: object) => JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", ...statement }] });
  const bucket = new aws.s3.Bucket(name + "-bucket", {}, options);
  const queue = new aws.sqs.Queue(name + "-queue", { visibilityTimeoutSeconds: 30 }, options);
  const role = new aws.iam.Role(name + "-role", {
    assumeRolePolicy: lambda.apply((Service) => allow({ Principal: { Service }, Action: "sts:AssumeRole" })),
  }, options);
  const policy = new aws.iam.RolePolicy(name + "-policy", {
    role: role.name,
    policy: queue.arn.apply((Resource) => allow({
      Action: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], Resource,
    })),
  }, options);
  const secret = new aws.ssm.Parameter(name + "-secret", { type: "SecureString", value: config.requireSecret("secret") }, options);
  const code = "exports.handler = async () => ({ statusCode: 200, body: JSON.stringify([process.env.QUEUE, '" + config.require("body") + "']) })";
  const called = new aws.lambda.Function(name + "-function", {
    role: role.arn, runtime: "nodejs22.x", handler: "index.handler", timeout: 20,
    code: new pulumi.asset.AssetArchive({ "index.js": new pulumi.asset.StringAsset(code) }),
    environment: { variables: { QUEUE: queue.arn } },
  }, options);
  new aws.lambda.EventSourceMapping(name + "-mapping", { functionName: called.arn, eventSourceArn: queue.arn }, { provider, dependsOn: policy });
  const api = new aws.apigateway.RestApi(name + "-api", { endpointConfiguration: { types: "REGIONAL" } }, options);
  const place = { restApi: api.id, resourceId: api.rootResourceId, httpMethod: "POST" };
  const method = new aws.apigateway.Method(name + "-method", { ...place, authorization: "NONE" }, options);
  const integration = new aws.apigateway.Integration(name + "-integration", {
    ...place, type: "AWS_PROXY", integrationHttpMethod: "POST", uri: called.invokeArn,
  }, { provider, dependsOn: method });
  new aws.lambda.Permission(name + "-permission", {
    action: "lambda:InvokeFunction", function: called.name, principal: "apigateway.amazonaws.com",
    sourceArn: pulumi.interpolate\`\${api.executionArn}/*/POST/\`,
  }, options);
  const allowlist = new aws.apigateway.RestApiPolicy(name + "-allowlist", {
    restApiId: api.id,
    policy: allow({ Principal: "*", Action: "execute-api:Invoke", Resource: "*", Condition: { IpAddress: { "aws:SourceIp": config.require("cidr") } } }),
  }, options);
  const deployment = new aws.apigateway.Deployment(name + "-deployment", {
    restApi: api.id, triggers: { redeploy: config.require("redeploy") },
  }, { provider, dependsOn: [integration, allowlist] });
  const stage = new aws.apigateway.Stage(name + "-stage", { restApi: api.id, deployment: deployment.id, stageName: "v1" }, options);
  return { url: stage.invokeUrl, bucketArn: bucket.arn, queueArn: queue.arn, partition, secret: secret.value };
};
export const global = deploy("global", "us-east-1");
export const china = deploy("china", "cn-north-1");
`;

interface Outputs {
  global: Record<"url" | "bucketArn" | "queueArn" | "partition" | "secret", string>;
  china: Outputs["global"];
}

const stack = "test";
let project: EngineProject;
let local: LocalAws;
let engine: Engine;

beforeAll(async () => {
  project = await startEngineProject("deploy-test", stack, PROGRAM);
  ({ local, engine } = project);
}, 900_000);

afterAll(() => project?.close());

interface Settings {
  body: string;
  cidr: string;
  redeploy: string;
}
const first: Settings = { body: "one", cidr: "127.0.0.0/8", redeploy: "1" };

async function up(settings: Settings) {
  await project.configure({ ...settings, secret: "hush" });
  return engine.up({ stack });
}

const outputs = async () => (await engine.stackOutputs({ stack })) as unknown as Outputs;

function post(url: string): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method: "POST", ca: readFileSync(local.caPath), agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }));
    });
    call.on("error", reject);
    call.end("{}");
  });
}

/** Names of the resources in one partition. */
async function leftovers(partition: LocalAws["aws"]): Promise<string[]> {
  const { s3, sqs, iam, lambda, apigateway } = makeClients(partition, partition.region);
  const [buckets, queues, roles, functions, apis] = await Promise.all([
    s3.send(new ListBucketsCommand({})),
    sqs.send(new ListQueuesCommand({})),
    iam.send(new ListRolesCommand({})),
    lambda.send(new ListFunctionsCommand({})),
    apigateway.send(new GetRestApisCommand({})),
  ]);
  return [
    ...(buckets.Buckets ?? []).map((one) => `bucket ${one.Name}`),
    ...(queues.QueueUrls ?? []).map((url) => `queue ${url}`),
    ...(roles.Roles ?? []).map((one) => `role ${one.RoleName}`),
    ...(functions.Functions ?? []).map((one) => `function ${one.FunctionName}`),
    ...(apis.items ?? []).map((one) => `API ${one.name}`),
  ];
}

// The tests run in order: each starts with the state that the previous one left.
test("up makes every resource, each in its provider's partition", async () => {
  expect(await up(first)).toEqual({ create: 31 });
  const { global, china } = await outputs();
  expect(global).toMatchObject({
    partition: "aws",
    secret: "hush",
    bucketArn: expect.stringMatching(/^arn:aws:s3:::global-bucket-/),
  });
  expect(china).toMatchObject({
    partition: "aws-cn",
    queueArn: expect.stringMatching(/^arn:aws-cn:sqs:cn-north-1:222222222222:/),
  });
  expect(await leftovers(local.aws)).toHaveLength(5);
  for (const { url } of [global, china]) {
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/_aws\/execute-api\//);
    const { status, body } = await post(`${url}/`);
    expect({ status, body: JSON.parse(body) }).toEqual({ status: 200, body: [expect.stringMatching(/^arn:aws:sqs:/), "one"] });
  }
}, 120_000);

test("a second up changes nothing, and the settings file stays the same", async () => {
  const before = await readFile(project.settingsPath, "utf8");
  expect(await up(first)).toEqual({ same: 31 });
  expect(await engine.preview({ stack, refresh: true })).toEqual({ same: 31 });
  expect(await readFile(project.settingsPath, "utf8")).toBe(before);
}, 120_000);

test("changed code updates only the functions", async () => {
  expect(await up({ ...first, body: "two" })).toEqual({ update: 2, same: 29 });
  const { body } = await post(`${(await outputs()).china.url}/`);
  expect(JSON.parse(body)[1]).toBe("two");
}, 120_000);

test("a changed allowlist is refused without a new deployment and takes effect with one", async () => {
  const closed = { ...first, body: "two", cidr: "192.0.2.0/24" };
  await expect(up(closed)).rejects.toThrow(/AWS would keep serving the old one/);
  expect(await up({ ...closed, redeploy: "2" })).toMatchObject({ replace: 2 });
  expect((await post(`${(await outputs()).global.url}/`)).status).toBe(403);
}, 120_000);

test("the state holds secrets as secrets", async () => {
  const { deployment } = await engine.exportStack({ stack });
  const parameter = deployment.resources?.find((one) => one.type === "aws:ssm/parameter:Parameter");
  expect(JSON.stringify(parameter)).toContain("1b47061264138c4ac30d75fd1eb44270");
  expect(project.lines.join("\n")).not.toContain("hush");
}, 60_000);

test("destroy leaves nothing", async () => {
  await engine.destroy({ stack });
  expect(await leftovers(local.aws)).toEqual([]);
  expect(await leftovers(local["aws-cn"])).toEqual([]);
}, 120_000);
