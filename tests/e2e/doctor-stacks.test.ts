/**
 * `doctor` on stacks in the local Alibaba Cloud: nothing while they are in order; then each fault is planted in the cloud, must be found alone, and is
 * mended again. And nothing on stacks of the other modes and pairs.
 */
import type OSS from "ali-oss";
import { ends } from "../../local/cli/ends";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { ossClient } from "../../local/oss-client";
import { diagnose } from "./support/doctor";
import { START_MS } from "./support/stack";

interface Fault {
  name: string;
  /** Plants it. @returns what mends it */
  plant(local: LocalStack): Promise<() => unknown>;
  found: RegExp;
}

/** The calls of ali-oss that its types leave out. */
interface BucketSettings {
  putBucketVersioning(name: string, status: "Enabled" | "Suspended"): Promise<unknown>;
  putBucketPolicy(name: string, policy: object): Promise<unknown>;
  getBucketPolicy(name: string): Promise<{ policy: object }>;
}

function clientOf(local: LocalStack, side: "source" | "destination"): OSS & BucketSettings {
  const { region, bucket } = ends(local)[side];
  const { alicloud } = local.clouds;
  const { accessKeyId, accessKeySecret: secretAccessKey } = alicloud.ram.root;
  const { public: endpoint } = alicloud.endpointsOf(region).oss;
  const options = { endpoint, region, bucket, caPath: alicloud.caPath, credentials: { accessKeyId, secretAccessKey } };
  return ossClient(options) as OSS & BucketSettings;
}

const suspended: Fault = {
  name: "suspended versioning",
  async plant(local) {
    const client = clientOf(local, "destination");
    const { bucket } = ends(local).destination;
    await client.putBucketVersioning(bucket, "Suspended");
    return () => client.putBucketVersioning(bucket, "Enabled");
  },
  found: /^versioning \(destination\): .* versioning is Suspended$/,
};

const denied: Fault = {
  name: "a bucket policy for one VPC",
  async plant(local) {
    const client = clientOf(local, "source");
    const { bucket } = ends(local).source;
    const { policy } = await client.getBucketPolicy(bucket);
    const before = (typeof policy === "string" ? JSON.parse(policy) : policy) as { Statement: object[] };
    const deny = {
      ...{ Effect: "Deny", Principal: ["*"], Action: ["oss:GetObject"], Resource: [`acs:oss:*:*:${bucket}/*`] },
      Condition: { StringNotEquals: { "acs:SourceVpc": ["vpc-1"] } },
    };
    await client.putBucketPolicy(bucket, { ...before, Statement: [...before.Statement, deny] });
    return () => client.putBucketPolicy(bucket, before);
  },
  found: /^bucket-policy \(source\): a Deny in the policy of .* denies the bridge oss:GetObject$/,
};

const switchedOff = (functionName: (local: LocalStack) => string | undefined, found: RegExp): Fault => ({
  name: "a function that is switched off",
  async plant(local) {
    const { region } = ends(local).source;
    const name = functionName(local) ?? "";
    const { fc } = local.clouds.alicloud;
    const before = fc.getConcurrency(region, name);
    fc.putConcurrency(region, name, 0);
    return () => (before === undefined ? fc.deleteConcurrency(region, name) : fc.putConcurrency(region, name, before));
  },
  found,
});

const withoutTrigger = (functionName: (local: LocalStack) => string | undefined, triggerName: string): Fault => ({
  name: "a deleted trigger",
  async plant(local) {
    const { region } = ends(local).source;
    const name = functionName(local) ?? "";
    const { fc } = local.clouds.alicloud;
    const trigger = fc.getTrigger(region, name, triggerName);
    if (trigger === undefined) throw new Error(`${name} has no trigger ${triggerName}`);
    fc.deleteTrigger(region, name, triggerName);
    return () => fc.createTrigger(region, name, trigger);
  },
  found: new RegExp(`^trigger \\(source\\): the function \\S+ has no trigger ${triggerName}$`),
});

const withoutQueue: Fault = {
  name: "a deleted queue",
  async plant(local) {
    const { region } = ends(local).source;
    const queueName = local.outputs.outageQueueUrl?.split("/").at(-1) ?? "";
    const { messages } = local.clouds.alicloud;
    const queue = messages.getQueue(region, queueName);
    if (queue === undefined) throw new Error(`there is no queue ${queueName}`);
    messages.deleteQueue(region, queueName);
    return () => messages.createQueue(region, queue);
  },
  found: /^queues \(source\): the outage queue \S+ is gone$/,
};

const otherSecret: Fault = {
  name: "secrets that differ",
  async plant(local) {
    const { region } = ends(local).source;
    const { secrets } = local.clouds.alicloud;
    const parameter = secrets.get(region, "crossborderbridge/oss-pull/source/token");
    if (parameter === undefined) throw new Error("the source has no secret");
    secrets.put(region, { ...parameter, value: Buffer.alloc(32, 9).toString("base64") });
    return () => secrets.put(region, parameter);
  },
  found: /^same-secret \(destination\): the signing secrets of the source and the destination differ$/,
};

const PULL: Fault[] = [
  suspended,
  otherSecret,
  denied,
  switchedOff(({ outputs }) => outputs.senderFunctionName, /^functions \(source\): the sender \S+ is switched off/),
  withoutTrigger(({ outputs }) => outputs.senderFunctionName, "crossborderbridge-oss-pull-events"),
  withoutQueue,
];
const PUSH: Fault[] = [
  suspended,
  switchedOff(({ outputs }) => outputs.dispatcherFunctionName, /^functions \(source\): the dispatcher \S+ is switched off/),
  withoutTrigger(({ outputs }) => outputs.dispatcherFunctionName, "crossborderbridge-oss-accelerated-events"),
  withoutQueue,
];

describe.each([
  ["oss-pull", PULL, ["allowlist (destination): the local clouds are on loopback"]],
  ["oss-accelerated", PUSH, []],
] as [string, Fault[], string[]][])("%s", (name, faults, unavailable) => {
  let local: LocalStack;
  beforeAll(async () => {
    local = await startLocalStack({ stack: name });
  }, START_MS);
  afterAll(() => local?.stop(), START_MS);

  const inOrder = async () => {
    const diagnosis = await diagnose(local, name);
    expect(diagnosis).toMatchObject({ exitCode: 0, found: [], unchecked: [], unavailable });
    expect(diagnosis.passed).toBeGreaterThan(12);
  };
  test("in order: no finding, and every check was made but those that a local cloud cannot have", inOrder);

  test.each(faults.map((fault) => [fault.name, fault] as const))("%s", async (_, { plant, found }) => {
    const mend = await plant(local);
    try {
      const diagnosis = await diagnose(local, name);
      expect(diagnosis.found).toEqual([expect.stringMatching(found)]);
      expect(diagnosis.exitCode).toBe(1);
    } finally {
      await mend();
    }
  });

  test("all faults are mended: no finding", inOrder);
});

describe("stacks of other modes and pairs", () => {
  test.each([
    ["two-way", [], {}],
    ["china-iam", [], { "crossborderbridge:source": { cloud: "aws", region: "us-west-2", bucket: "example-images-global" } }],
    ["aws-to-oss", [], {}],
    ["oss-to-aws", ["allowlist"], {}],
    ["oss-native", [], {}],
  ] as [string, string[], Record<string, unknown>][])(
    "%s is in order: no finding",
    async (name, unavailable, settings) => {
      const local = await startLocalStack({ stack: name, settings });
      try {
        const diagnosis = await diagnose(local, name);
        expect(diagnosis).toMatchObject({ exitCode: 0, found: [], unchecked: [] });
        expect(diagnosis.unavailable.map((text) => text.split(" ")[0])).toEqual(unavailable);
      } finally {
        await local.stop();
      }
    },
    START_MS,
  );
});
