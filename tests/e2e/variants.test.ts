/** Variants of a bridge by its settings. Each is deployed alone to the same two clouds and replicates objects. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import {
  CreateBucketCommand,
  GetBucketNotificationConfigurationCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { GetParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { clientConfig } from "../../local/aws/client-config";
import { sendAndProve } from "../../local/cli/once";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { REPOSITORY_ROOT } from "../../local/paths";
import { CONTROL_PREFIX } from "../../runtime/protocol/control";
import { parseSecrets, signRequest } from "../../runtime/protocol/signing";
import { statusTagOf } from "../../runtime/replication/snapshot";
import { eventually } from "./support/eventually";
import { type Attributes, converged, look, put, remove, sha256 } from "./support/objects";
import { readParameter } from "./support/parameters";
import { heldKeys, settled, takeDeadLetters } from "./support/queues";
import { START_MS, startTestStack, type TestStack } from "./support/stack";

type Settings = Record<string, unknown>;

let clouds: LocalClouds;

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["aws", "aws-cn"], scheduleMinuteMs: 3_000 });
}, START_MS);

afterAll(() => clouds?.stop());

const GLOBAL = { cloud: "aws", region: "us-east-1" };
const CHINA = { cloud: "aws-cn", region: "cn-north-1" };

variant("buffer-none", { buffer: "none" }, async (stack) => {
  const { local, source, destination } = stack;
  await replicates(stack, "small", "by way of no queue");
  await replicates(stack, "large", randomBytes(9 * 1024 ** 2));
  await remove(source, "small");
  await eventually(async () => expect(await look(destination, "small")).toBeUndefined(), {
    deadlineMs: 60_000,
    what: "the object is deleted at the destination",
  });

  // The path is bucket -> function -> API -> function -> bucket. The queues have the keys that wait, and the failure destination.
  const { deployment } = await local.engine.exportStack({ stack: "dev" });
  const services = (deployment.resources ?? []).flatMap(({ type }) => /^aws:([^/]+)\//.exec(type)?.[1] ?? []);
  expect([...new Set(services)].sort()).toEqual(["apigateway", "cloudwatch", "iam", "lambda", "s3", "sqs", "ssm"]);
  expect(await queueNames()).toEqual({
    aws: ["dead-letters", "outage", "queue"].map((part) => `crossborderbridge-buffer-none-${part}`),
    "aws-cn": [],
  });

  // The receiver refuses the sender. The key waits as it does with a queue, and is no false letter.
  const { settings } = local;
  await local.up({ ...settings, "crossborderbridge:allowedCidrs": ["203.0.113.0/24"] });
  await put(source, "waits", "until the receiver hears of it");
  await eventually(async () => expect(await heldKeys(stack)).toBeGreaterThan(0), {
    deadlineMs: 60_000,
    what: "the key waits in the outage queue",
  });
  await local.up(settings);
  await eventually(async () => expect(await look(destination, "waits")).toBeDefined(), {
    deadlineMs: 100_000,
    what: "the key arrives after the receiver is back",
  });
  await settled(stack, 100_000);
  expect(await takeDeadLetters(stack)).toEqual([]);
});

variant("auth-iam", { auth: { kind: "iam" } }, async (stack) => {
  await replicates(stack, "signed", "twice: by the bridge and by IAM");
  const { receiverUrl, copierFunctionName } = stack.local.outputs;
  const body = JSON.stringify({ version: 1, bridgeId: "auth-iam", notices: [{ key: "k", url: "https://x/", state: "absent" }] });
  const secrets = parseSecrets(await readParameter(clouds["aws-cn"], "/crossborderbridge/auth-iam/destination/token"));
  const headers = signRequest({ id: "unsigned-by-iam", timestampMs: Date.now(), body, secrets });
  expect(await post(receiverUrl, body, headers)).toEqual({ status: 403, text: '{"message":"Missing Authentication Token"}' });

  // The key that left China may call only the receiver's method.
  const invoker = JSON.parse(await readParameter(clouds.aws, "/crossborderbridge/auth-iam/source/invoker")) as {
    accessKeyId: string;
    secretAccessKey: string;
  };
  const china = clientConfig(clouds["aws-cn"], invoker);
  const [s3, lambda, ssm] = [new S3Client(china), new LambdaClient(china), new SSMClient(china)];
  const refused = {
    $metadata: expect.objectContaining({ httpStatusCode: expect.any(Number) }),
    name: expect.stringMatching(/AccessDenied/),
  };
  await expect(s3.send(new HeadObjectCommand({ Bucket: stack.destination.bucket, Key: "signed" }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 403 },
  });
  await expect(lambda.send(new InvokeCommand({ FunctionName: copierFunctionName }))).rejects.toMatchObject(refused);
  await expect(
    ssm.send(new GetParameterCommand({ Name: "/crossborderbridge/auth-iam/destination/token" })),
  ).rejects.toMatchObject(refused);
});

variant(
  "status-tags",
  {
    statusTags: true,
    deletes: "ignore",
    auth: { tokenParameter: "/bridges/ours/token" },
    inlineLimitBytes: 1024,
    source: { ...CHINA, bucket: "status-tags-source" },
    destination: { ...GLOBAL, bucket: "status-tags-destination", prefix: "copies/" },
  },
  async (stack) => {
    const tagged = { Tagging: "owner=finance&year=2026" };
    const owned = { owner: "finance", year: "2026" };
    const status = (value: string) => ({ ...owned, [statusTagOf("status-tags")]: value });
    await put(stack.source, "small", "tagged", tagged);
    await put(stack.source, "copied", randomBytes(4096), tagged);
    await hasTags(stack, "copied", status("PENDING"));
    await hasTags(stack, "small", status("COMPLETED"));
    await hasTags(stack, "copied", status("COMPLETED"));
    // The key fits at the source. With the destination's prefix it is too long for any store.
    const tooLong = "k".repeat(1024);
    const file = {
      path: join(REPOSITORY_ROOT, "package.json"),
      key: tooLong,
      sizeBytes: statSync(join(REPOSITORY_ROOT, "package.json")).size,
    };
    // `npm start -- --once` reports it long before its deadline.
    await expect(
      sendAndProve(stack.local, file, { deadlineMs: Date.now() + 60_000, signal: new AbortController().signal }),
    ).rejects.toThrow(/: parked: .*the store allows 1024/);
    await hasTags(stack, tooLong, { [statusTagOf("status-tags")]: "FAILED" });
    for (const key of ["small", "copied"]) expect((await look(stack.destination, key))?.tags).toEqual(owned);
    // `deletes` is ignore: a removed version brings the one before it back, and a delete is ignored.
    const newest = await put(stack.source, "small", "newest", tagged);
    await hasTags(stack, "small", status("COMPLETED"));
    expect((await look(stack.destination, "small"))?.sha256).toBe(sha256("newest"));
    await remove(stack.source, "small", newest);
    await eventually(async () => expect((await look(stack.destination, "small"))?.sha256).toBe(sha256("tagged")), {
      deadlineMs: 45_000,
      what: "the version before the removed one arrives",
    });
    await remove(stack.source, "small");
    await settled(stack);
    expect((await look(stack.destination, "small"))?.sha256).toBe(sha256("tagged"));
    const [letter] = await takeDeadLetters(stack);
    expect(letter).toMatchObject({ key: tooLong, reason: expect.stringContaining("the store allows 1024") });

    // The bridge reads the operator's parameter and creates none.
    const { deployment } = await stack.local.engine.exportStack({ stack: "dev" });
    expect(deployment.resources?.filter(({ type }) => type.startsWith("aws:ssm"))).toEqual([]);
  },
);

variant(
  "inside-global",
  { mode: "pull", source: { ...GLOBAL, bucket: "inside-global" }, destination: { ...GLOBAL, bucket: "inside-global-too" } },
  (stack) => replicates(stack, "a/b c", "from AWS Global to AWS Global"),
);

test("adopted buckets inside China, with KMS keys: the bridge uses them, and destroy keeps them", async () => {
  const [source, destination] = ["adopted-source", "adopted-destination"];
  const s3 = new S3Client(clientConfig(clouds["aws-cn"]));
  const [sourceKey, destinationKey] = [await createKey(), await createKey()];
  for (const Bucket of [source, destination]) await s3.send(new CreateBucketCommand({ Bucket }));
  await deployed(
    "adopted",
    {
      mode: "pull",
      source: { ...CHINA, bucket: source, adopt: true, kmsKeyArn: sourceKey },
      destination: { ...CHINA, bucket: destination, adopt: true, kmsKeyArn: destinationKey },
    },
    async (stack) => {
      const { requiredNotification } = stack.local.outputs as unknown as { requiredNotification: string };
      // An operator does this by hand. The local cloud uses the partition aws in ARNs.
      const NotificationConfiguration = JSON.parse(requiredNotification.replaceAll("arn:aws-cn:", "arn:aws:"));
      await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: source, NotificationConfiguration }));
      const sse = { ServerSideEncryption: "aws:kms", SSEKMSKeyId: sourceKey } as const;
      await replicates(stack, "small", "under lock and key", sse);
      await replicates(stack, "large", randomBytes(9 * 1024 ** 2), sse);
      for (const Key of ["small", "large"]) {
        const { ServerSideEncryption, SSEKMSKeyId } = await s3.send(new HeadObjectCommand({ Bucket: destination, Key }));
        expect({ ServerSideEncryption, key: SSEKMSKeyId?.split("/")[1] }).toEqual({
          ServerSideEncryption: "aws:kms",
          key: destinationKey.split("/")[1],
        });
      }
      await stack.local.destroy();
    },
  );
  const { QueueConfigurations = [] } = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: source }));
  expect(QueueConfigurations.map(({ Id }) => Id)).toEqual(["crossborderbridge-adopted-queue"]);
  for (const Bucket of [source, destination]) {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
    const keys = Contents.flatMap(({ Key = "" }) => (Key.startsWith(CONTROL_PREFIX) ? [] : [Key]));
    expect({ Bucket, keys }).toEqual({ Bucket, keys: ["large", "small"] });
  }
  s3.destroy();
});

/** https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html */
/** Adds a test: deploys a stack with this name and these settings. `pulumi destroy` is tested in lifecycle.test.ts. */
function variant(name: string, settings: Settings, body: (stack: TestStack) => Promise<void>): void {
  test(name, () => deployed(name, settings, body), 300_000);
}

async function deployed(name: string, settings: Settings, body: (stack: TestStack) => Promise<void>): Promise<void> {
  const all: Settings = {
    name,
    source: { ...GLOBAL, bucket: `${name}-source` },
    destination: { ...CHINA, bucket: `${name}-destination` },
    ...settings,
  };
  const named = Object.entries(all).map(([key, value]) => [`crossborderbridge:${key}`, value]);
  const stack = await startTestStack({ clouds, settings: Object.fromEntries(named) });
  try {
    await body(stack);
  } finally {
    await stack.stop();
  }
}

/** Puts an object and waits until it is at the destination. */
async function replicates(stack: TestStack, key: string, body: string | Buffer, attributes: Attributes = {}): Promise<void> {
  await put(stack.source, key, body, attributes);
  const arrived = await converged(stack, key, 45_000);
  expect(arrived?.sizeBytes).toBe(Buffer.byteLength(body));
}

async function hasTags({ source }: TestStack, key: string, tags: Record<string, string>): Promise<void> {
  await eventually(
    async () => {
      const { TagSet = [] } = await source.s3.send(new GetObjectTaggingCommand({ Bucket: source.bucket, Key: key }));
      expect(Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]))).toEqual(tags);
    },
    { deadlineMs: 30_000, what: `the source object's tags are ${JSON.stringify(tags)}` },
  );
}

async function queueNames(): Promise<Record<"aws" | "aws-cn", string[]>> {
  const names = { aws: [] as string[], "aws-cn": [] as string[] };
  for (const partition of ["aws", "aws-cn"] as const) {
    const sqs = new SQSClient(clientConfig(clouds[partition]));
    const { QueueUrls = [] } = await sqs.send(new ListQueuesCommand({}));
    names[partition] = QueueUrls.map((url) => url.slice(url.lastIndexOf("/") + 1)).sort();
    sqs.destroy();
  }
  return names;
}

/** Creates a key in AWS China and returns its ARN there. */
async function createKey(): Promise<string> {
  const kms = new KMSClient(clientConfig(clouds["aws-cn"]));
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  kms.destroy();
  return (KeyMetadata?.Arn ?? "").replace(/^arn:aws:/, "arn:aws-cn:");
}

async function post(url: string, body: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const call = request(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    ca: readFileSync(clouds.caPath),
    agent: false,
  });
  call.end(body);
  const [answer] = await once(call, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString() };
}
