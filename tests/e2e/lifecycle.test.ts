/** From the first `pulumi up` to the last `pulumi destroy`: what changes, what stays, and where secrets are not. */
import { appendFile, cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { APIGatewayClient, GetRestApisCommand } from "@aws-sdk/client-api-gateway";
import { CloudWatchClient, DescribeAlarmsCommand } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient, DescribeLogGroupsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeAddressesCommand, DescribeVpcsCommand, EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient, ListPoliciesCommand, ListRolesCommand, ListUsersCommand } from "@aws-sdk/client-iam";
import { LambdaClient, ListEventSourceMappingsCommand, ListFunctionsCommand } from "@aws-sdk/client-lambda";
import { GetBucketEncryptionCommand, GetBucketVersioningCommand, GetObjectCommand, GetPublicAccessBlockCommand, ListBucketsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { DescribeParametersCommand, GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../local/aws/client-config";
import type { LocalPartition } from "../../local/aws/local-aws";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { REPOSITORY_ROOT } from "../../local/paths";
import { buildFunctions } from "../../scripts/build-functions";
import { readRawLog } from "./support/logs";
import { converged } from "./support/objects";
import { START_MS, startTestStack, type TestEnd, type TestStack } from "./support/stack";

let clouds: LocalClouds;
/** What a new cloud has before anybody deploys to it. */
let untouched: Inventory[];

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["aws", "aws-cn"] });
  untouched = await inventories();
}, START_MS);

afterAll(() => clouds?.stop());

/** With `auth: iam` every kind of secret is there: the signing token, and the key that may only invoke. */
describe("a stack whose buckets go with it", () => {
  let stack: TestStack | undefined;
  let checkout: string;
  const running = (): TestStack => {
    if (stack === undefined) throw new Error("the stack did not start: see beforeAll");
    return stack;
  };

  beforeAll(async () => {
    checkout = await copyOfCheckout(clouds);
    stack = await startTestStack({
      clouds,
      projectDir: checkout,
      settings: { "crossborderbridge:auth": { kind: "iam" }, "crossborderbridge:logLevel": "debug" },
    });
    await put(stack.source, "first", "arrives");
    await converged(stack, "first");
  }, START_MS);

  afterAll(() => stack?.stop());

  test("a second `pulumi up` changes nothing", async () => {
    const { changes } = running().local;
    expect(Object.keys(changes)).toEqual(["create"]);
    expect(await running().local.up()).toEqual({ same: changes.create });
  });

  test("changed code updates the function that it is the code of, and nothing else", async () => {
    const { local } = running();
    const former = await codeHashes(clouds);
    await appendFile(join(checkout, "dist", "functions", "aws-lambda", "sender", "index.js"), "\n// changed\n");
    expect(await local.up()).toEqual({ update: 1, same: (local.changes.create ?? 0) - 1 });
    const changed = Object.entries(await codeHashes(clouds)).filter(([name, hash]) => former[name] !== hash);
    expect(changed.map(([name]) => name)).toEqual([local.outputs.senderFunctionName]);
    await put(running().source, "second", "by the new code");
    await converged(running(), "second");
  });

  test("no secret is readable in the stack's state, a function's environment or a log", async () => {
    const { local, source, destination } = running();
    const secrets = await secretsOf(running());
    expect(secrets).toHaveLength(3);
    const texts: Record<string, string> = {
      state: JSON.stringify(await local.engine.exportStack({ stack: "dev", keepSecrets: true })),
    };
    for (const { cloud } of [source, destination]) {
      texts[`functions of ${cloud.partition}`] = JSON.stringify(
        await using(LambdaClient, cloud, (client) => client.send(new ListFunctionsCommand({}))),
      );
    }
    for (const [cloud, name] of [
      [source.cloud, local.outputs.senderFunctionName],
      [destination.cloud, local.outputs.receiverFunctionName],
    ] as const) {
      const log = (await readRawLog(cloud, name)).join("\n");
      expect(log).toContain("START RequestId");
      texts[`log of ${name}`] = log;
    }
    for (const [where, text] of Object.entries(texts)) {
      const found = secrets.filter(({ value }) => text.includes(value)).map(({ name }) => name);
      expect({ where, found }).toEqual({ where, found: [] });
    }
    // The same state does hold them, as ciphertext: with the passphrase they are there.
    const shown = JSON.stringify(await local.engine.exportStack({ stack: "dev" }));
    expect(secrets.filter(({ value }) => shown.includes(value))).toHaveLength(3);
  });

  test("`pulumi destroy` leaves nothing, objects and their buckets included", async () => {
    expect(await inventories()).not.toEqual(untouched);
    await running().local.destroy();
    expect(await inventories()).toEqual(untouched);
  });
});

describe("a stack that retains its buckets", () => {
  test("leaves buckets, their settings and their objects, and nothing else", async () => {
    const stack = await startTestStack({
      clouds,
      settings: { "crossborderbridge:retainBuckets": true, "crossborderbridge:forceDestroy": false },
    });
    const { source, destination, local } = stack;
    try {
      await put(source, "kept", "outlives the stack");
      await converged(stack, "kept");
      const before = { source: await settingsOf(source), destination: await settingsOf(destination) };
      await local.destroy();
      const kept = [[source.bucket], [destination.bucket]];
      expect(await inventories()).toEqual(untouched.map((one, index) => ({ ...one, buckets: kept[index] })));
      expect({ source: await settingsOf(source), destination: await settingsOf(destination) }).toEqual(before);
      for (const { s3, bucket, prefix } of [source, destination]) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: `${prefix}kept` }));
        expect(await Body?.transformToString()).toBe("outlives the stack");
      }
    } finally {
      await stack.stop();
    }
  });
});

/** A checkout of the program whose bundles a test may change. Inside the repository, so that its packages are found. */
async function copyOfCheckout({ runDir }: LocalClouds): Promise<string> {
  const folder = join(runDir, "checkout");
  await mkdir(folder);
  for (const name of ["index.ts", "components", "runtime", "package.json", "tsconfig.json", "Pulumi.yaml"]) {
    await cp(join(REPOSITORY_ROOT, name), join(folder, name), { recursive: true });
  }
  await buildFunctions({ outDir: join(folder, "dist", "functions") });
  return folder;
}

async function put({ s3, bucket }: TestEnd, key: string, body: string): Promise<void> {
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
}

/** What everything else would be decoded with: the token and both halves of the invoker's key that are secret. */
async function secretsOf({ source, destination }: TestStack): Promise<{ name: string; value: string }[]> {
  const read = async (cloud: LocalPartition, name: string) => {
    const { Parameter } = await using(SSMClient, cloud, (client) =>
      client.send(new GetParameterCommand({ Name: name, WithDecryption: true })),
    );
    return Parameter?.Value ?? "";
  };
  const token = await read(destination.cloud, "/crossborderbridge/dev/destination/token");
  const invoker = await read(source.cloud, "/crossborderbridge/dev/source/invoker");
  return [
    { name: "token", value: token },
    { name: "token without its prefix", value: token.replace("whsec_", "") },
    { name: "invoker's secret access key", value: (JSON.parse(invoker) as { secretAccessKey: string }).secretAccessKey },
  ];
}

async function codeHashes(of: LocalClouds): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const cloud of [of.aws, of["aws-cn"]]) {
    const { Functions = [] } = await using(LambdaClient, cloud, (client) => client.send(new ListFunctionsCommand({})));
    for (const { FunctionName = "", CodeSha256 = "" } of Functions) hashes[FunctionName] = CodeSha256;
  }
  return hashes;
}

async function settingsOf({ s3, bucket: Bucket }: TestEnd): Promise<unknown> {
  const [versioning, encryption, publicAccess] = await Promise.all([
    s3.send(new GetBucketVersioningCommand({ Bucket })),
    s3.send(new GetBucketEncryptionCommand({ Bucket })),
    s3.send(new GetPublicAccessBlockCommand({ Bucket })),
  ]);
  return [versioning.Status, encryption.ServerSideEncryptionConfiguration, publicAccess.PublicAccessBlockConfiguration];
}

type Inventory = Record<string, (string | undefined)[]>;

/** Of both clouds, by every service that a bridge uses. */
function inventories(): Promise<Inventory[]> {
  return Promise.all([inventory(clouds.aws), inventory(clouds["aws-cn"])]);
}

async function inventory(cloud: LocalPartition): Promise<Inventory> {
  const { Buckets = [] } = await using(S3Client, cloud, (client) => client.send(new ListBucketsCommand({})));
  const { Functions = [] } = await using(LambdaClient, cloud, (client) => client.send(new ListFunctionsCommand({})));
  const { EventSourceMappings = [] } = await using(LambdaClient, cloud, (client) =>
    client.send(new ListEventSourceMappingsCommand({})),
  );
  const { QueueUrls = [] } = await using(SQSClient, cloud, (client) => client.send(new ListQueuesCommand({})));
  const { Roles = [] } = await using(IAMClient, cloud, (client) => client.send(new ListRolesCommand({})));
  const { Users = [] } = await using(IAMClient, cloud, (client) => client.send(new ListUsersCommand({})));
  const { Policies = [] } = await using(IAMClient, cloud, (client) => client.send(new ListPoliciesCommand({ Scope: "Local" })));
  const { items: apis = [] } = await using(APIGatewayClient, cloud, (client) => client.send(new GetRestApisCommand({})));
  const { logGroups = [] } = await using(CloudWatchLogsClient, cloud, (client) => client.send(new DescribeLogGroupsCommand({})));
  const { Parameters = [] } = await using(SSMClient, cloud, (client) => client.send(new DescribeParametersCommand({})));
  const { MetricAlarms = [] } = await using(CloudWatchClient, cloud, (client) => client.send(new DescribeAlarmsCommand({})));
  const { Vpcs = [] } = await using(EC2Client, cloud, (client) => client.send(new DescribeVpcsCommand({})));
  const { Addresses = [] } = await using(EC2Client, cloud, (client) => client.send(new DescribeAddressesCommand({})));
  return {
    buckets: Buckets.map(({ Name }) => Name),
    functions: Functions.map(({ FunctionName }) => FunctionName),
    eventSourceMappings: EventSourceMappings.map(({ UUID }) => UUID),
    queues: QueueUrls,
    roles: Roles.map(({ RoleName }) => RoleName),
    users: Users.map(({ UserName }) => UserName),
    policies: Policies.map(({ PolicyName }) => PolicyName),
    apis: apis.map(({ name }) => name),
    logGroups: logGroups.map(({ logGroupName }) => logGroupName),
    parameters: Parameters.map(({ Name }) => Name),
    alarms: MetricAlarms.map(({ AlarmName }) => AlarmName),
    networks: Vpcs.map(({ VpcId }) => VpcId),
    addresses: Addresses.map(({ PublicIp }) => PublicIp),
  };
}

/** A call with a client of its own. */
async function using<Client extends { destroy(): void }, Output>(
  type: new (config: ReturnType<typeof clientConfig>) => Client,
  cloud: LocalPartition,
  call: (client: Client) => Promise<Output>,
): Promise<Output> {
  const client = new type(clientConfig(cloud));
  try {
    return await call(client);
  } finally {
    client.destroy();
  }
}
