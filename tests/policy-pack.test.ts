/** The policies, on the resources that bridges declare: a bridge passes each, and fails each after the change that it is for. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { credentials } from "@grpc/grpc-js";
import * as alicloud from "@pulumi/alicloud";
import * as aws from "@pulumi/aws";
import type { ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { on } from "../components";
import {
  allowlist,
  deadLetterAlarms,
  keptVersions,
  noPlainSecret,
  POLICIES,
  privateBuckets,
} from "../packages/policy-pack/src/policies";
import type { Resource } from "../packages/policy-pack/src/stack";
import { inOss, ossDestination, ossSource, push } from "./components/alicloud/fixture";
import { build, quietly, TOKEN, type Variation } from "./components/bridge-fixture";
import type { RecordedResource } from "./support/record-resources";

beforeEach(quietly);

const HEARD: Variation = { alarmTopicArn: "arn:aws:sns:us-east-1:111111111111:alarms" };

/** Bridges in S3, with S3 at one end, and in OSS. */
const BRIDGES: Record<string, Variation> = {
  "S3 to S3": HEARD,
  "S3 to S3 with addresses and a webhook": { alarmEmails: ["ops@example.com"], alarmWebhookUrl: "https://hooks.example.com/a" },
  "S3 to S3 with IAM": { ...HEARD, auth: { kind: "iam" }, allowedCidrs: ["0.0.0.0/0"] },
  "S3 to S3 with a fixed address": { ...HEARD, egress: "static", allowedCidrs: [] },
  "S3 to OSS": ossDestination(HEARD),
  "OSS to S3": ossSource(),
  "OSS to S3 with addresses": ossSource({ alarmEmails: ["ops@example.com"] }),
  "OSS to OSS": inOss({ mode: "pull" }),
  "OSS to OSS by push": push(),
};

async function resourcesOf(variation: Variation): Promise<Resource[]> {
  const { resources } = await build(variation);
  /** The types from the outermost component to the resource, as the engine writes them. The mocks write only the last two. */
  const chain = ({ type, parent }: RecordedResource): string => {
    const component = resources.find((one) => one.name === parent && one.type.startsWith("crossborder:"));
    return component === undefined ? type : `${chain(component)}$${type}`;
  };
  return resources.map((resource) => ({
    type: resource.type,
    name: resource.name,
    urn: `urn:pulumi:test::acme::${chain(resource)}::${resource.name}`,
    props: resource.inputs,
  }));
}

/** One line for each violation: the resource that it names, and the text. */
async function violations(policy: StackValidationPolicy | ResourceValidationPolicy, resources: Resource[]): Promise<string[]> {
  const found: string[] = [];
  if ("validateStack" in policy)
    await policy.validateStack({ resources } as never, (message, urn = "") => found.push(`${urn.split("::")[3]}: ${message}`));
  else {
    const checks = [policy.validateResource ?? []].flat();
    for (const resource of resources)
      for (const check of checks) await check(resource as never, (message) => found.push(`${resource.name}: ${message}`));
  }
  return found;
}

describe.each(Object.entries(BRIDGES))("a bridge from %s", (_, variation) => {
  test.each(POLICIES.map((policy) => [policy.name, policy] as const))("passes %s", async (_name, policy) => {
    expect(await violations(policy, await resourcesOf(variation))).toEqual([]);
  });
});

const NO_BLOCK_IN_S3 = on(aws.s3.BucketPublicAccessBlock, (args, _opts, name) => {
  if (name === "b-source-public-access-block") args.blockPublicPolicy = false;
});
const NO_BLOCK_IN_OSS = on(alicloud.oss.BucketPublicAccessBlock, (args) => {
  args.blockPublicAccess = false;
});
const OPEN = JSON.stringify({
  Statement: [{ Effect: "Allow", Principal: { AWS: ["*"] }, Action: "s3:GetObject", Resource: "*" }],
});
const OPEN_POLICY = on(aws.s3.BucketPolicy, (args, _opts, name) => {
  if (name === "b-destination-policy") args.policy = OPEN;
});
const NO_ALLOWLIST = on(aws.apigateway.RestApiPolicy, (args) => {
  args.policy = JSON.stringify({ Statement: [{ Effect: "Allow", Principal: "*", Action: "execute-api:Invoke", Resource: "*" }] });
});
const UNHEARD = on(aws.cloudwatch.MetricAlarm, (args) => {
  args.actionsEnabled = false;
});
const OF_ANOTHER = on(aws.cloudwatch.MetricAlarm, (args, _opts, name) => {
  if (name === "b-dead-letters-not-empty-alarm") args.dimensions = { QueueName: "another-queue" };
});
const DISABLED = on(alicloud.cms.Alarm, (args) => {
  args.enabled = false;
});
const PLAIN_PARAMETER = on(aws.ssm.Parameter, (args) => {
  args.type = "String";
});
const PLAIN_VARIABLE = on(aws.lambda.Function, (args, _opts, name) => {
  if (name === "b-sender") args.environment = { variables: { KEY: TOKEN } };
});
const KEY_IN_OSS = on(alicloud.fc.V3Function, (args, _opts, name) => {
  if (name === "b-receiver") args.environmentVariables = { SETTINGS: JSON.stringify({ key: `LTAI${"5t".repeat(10)}` }) };
});

const BREACHES: [StackValidationPolicy | ResourceValidationPolicy, string, Variation, RegExp[]][] = [
  [privateBuckets, "an open bucket in S3", { transform: [NO_BLOCK_IN_S3] }, [/^b-source: .*from-here does not block/]],
  [
    privateBuckets,
    "open buckets in OSS",
    push({ transform: [NO_BLOCK_IN_OSS] }),
    [/^b-source: /, /^b-destination: /, /^b-control: /],
  ],
  [privateBuckets, "a policy for everybody", { transform: [OPEN_POLICY] }, [/^b-destination-policy: .*to-there allows/]],
  [keptVersions, "no versions in S3", { destination: { versioning: false } }, [/^b-destination: .*to-there keeps no/]],
  [keptVersions, "no versions in OSS", push({ source: { versioning: false } }), [/^b-source: .*from-shanghai keeps no/]],
  [allowlist, "any address at S3", { allowedCidrs: ["0.0.0.0/0"] }, [/^b-receiver-endpoint-policy: .*any address/]],
  [allowlist, "any address at OSS", ossDestination({ allowedCidrs: ["0.0.0.0/0"] }), [/^b-receiver: .*any address/]],
  [allowlist, "no allowlist at S3", { transform: [NO_ALLOWLIST] }, [/^b-receiver-endpoint-policy: .*no allowlist/]],
  [allowlist, "no allowlist at OSS", ossDestination({ transform: [KEY_IN_OSS] }), [/^b-receiver: .*no allowlist/]],
  [deadLetterAlarms, "no topic", {}, [/^b-dead-letters: No one gets the alarm/]],
  [deadLetterAlarms, "alarms without actions", { ...HEARD, transform: [UNHEARD] }, [/^b-dead-letters: No one gets/]],
  [deadLetterAlarms, "an alarm on another queue", { ...HEARD, transform: [OF_ANOTHER] }, [/^b-dead-letters: No alarm/]],
  [deadLetterAlarms, "alarms of OSS that are off", push({ transform: [DISABLED] }), [/^b-dead-letters: No one gets/]],
  [
    noPlainSecret,
    "a plain parameter",
    { transform: [PLAIN_PARAMETER] },
    [/^b-source-token: .*SecureString/, /^b-destination-token: /],
  ],
  [noPlainSecret, "a secret in a variable", { transform: [PLAIN_VARIABLE] }, [/^b-sender: A variable/]],
  [noPlainSecret, "a key in a variable of OSS", ossDestination({ transform: [KEY_IN_OSS] }), [/^b-receiver: A variable/]],
];

test.each(BREACHES.map((breach) => [breach[0].name, breach[1], breach] as const))("%s fails on %s", async (...[, , breach]) => {
  const [policy, , variation, expected] = breach;
  const found = await violations(policy, await resourcesOf(variation));
  expect(found.length).toBe(expected.length);
  for (const pattern of expected) expect(found).toContainEqual(expect.stringMatching(pattern));
});

test("resources outside of a bridge are not judged", async () => {
  const open = await resourcesOf({ transform: [NO_BLOCK_IN_S3, OPEN_POLICY], destination: { versioning: false } });
  const elsewhere = open.map((resource) => ({
    ...resource,
    urn: resource.urn.replaceAll("crossborder:index:CrossBorderBridge$", "acme:index:Lake$"),
  }));
  for (const policy of POLICIES) expect(await violations(policy, elsewhere)).toEqual([]);
});

describe("the pack, as the engine runs it", () => {
  const FOLDER = join(__dirname, "..", "packages", "policy-pack");
  let running: ChildProcess;
  let client: AnalyzerClient;

  beforeAll(async () => {
    const runner = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
    running = spawn(process.execPath, [runner, "127.0.0.1:1", FOLDER], {
      cwd: FOLDER,
      env: { ...process.env, PULUMI_NODEJS_TRANSPILE_ONLY: "true" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const { stdout } = running;
    if (stdout === null) throw new Error("the runner has no output");
    const [port] = (await once(createInterface(stdout), "line")) as [string];
    client = new AnalyzerClient(`127.0.0.1:${port}`, credentials.createInsecure());
  });
  afterAll(async () => {
    client.close();
    const exited = once(running, "exit");
    running.kill();
    await exited;
  });

  const analyze = async (variation: Variation): Promise<string[]> => {
    const request = new analyzer.AnalyzeStackRequest();
    for (const { type, name, urn, props } of await resourcesOf(variation)) {
      const resource = new analyzer.AnalyzerResource();
      resource.setType(type);
      resource.setName(name);
      resource.setUrn(urn);
      resource.setProperties(Struct.fromJavaScript(JSON.parse(JSON.stringify(props))));
      resource.setOptions(new analyzer.AnalyzerResourceOptions());
      request.addResources(resource);
    }
    const response = await new Promise<analyzer.AnalyzeResponse>((resolve, reject) => {
      client.analyzeStack(request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
    });
    return response.getDiagnosticsList().map((one) => `${one.getPolicyname()}: ${one.getMessage()}`);
  };

  test("it passes a bridge whose alarms somebody gets", async () => {
    expect(await analyze(HEARD)).toEqual([]);
  });

  test("it reports a bridge that keeps no versions, by the name of the policy", async () => {
    expect(await analyze({ ...HEARD, source: { versioning: false } })).toEqual([
      expect.stringMatching(/^bridge-buckets-keep-versions: [\s\S]*from-here keeps no versions/),
    ]);
  });
});
