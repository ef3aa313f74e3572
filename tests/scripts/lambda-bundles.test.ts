/** The bundles of AWS Lambda, each in a process of its own. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeEnv, type ReceiverConfig, type Role, type RoleConfig } from "../../runtime/protocol/env";
import { generateSecret } from "../../runtime/protocol/signing";
import { FUNCTIONS } from "../../scripts/build-functions";
import { invokeBundle } from "./support/invoke-bundle";

/** Processes start slowly on a busy machine. */
jest.setTimeout(30_000);

/** Stands in for SSM, and for S3. */
let parameters: Server;

beforeAll(async () => {
  const body = JSON.stringify({ Parameter: { Name: "/p", Type: "SecureString", Value: generateSecret() } });
  parameters = createServer((request, response) => {
    // Of a bucket: it is empty.
    if (request.method === "HEAD") return response.writeHead(404).end();
    if (request.method === "GET") return response.writeHead(200).end("<ListBucketResult/>");
    response.writeHead(200, { "content-type": "application/x-amz-json-1.1" });
    return response.end(body);
  });
  await new Promise<void>((done) => parameters.listen(0, "127.0.0.1", done));
});
afterAll(async () => {
  parameters.closeAllConnections();
  await new Promise((done) => parameters.close(done));
});

interface RunOptions {
  remainingMs?: number;
  env?: Record<string, string>;
}

function run<R extends Role>(role: R, config: RoleConfig<R> | undefined, event: unknown, options: RunOptions = {}) {
  const { remainingMs = 10_000, env = {} } = options;
  return invokeBundle({
    platform: "aws-lambda",
    role,
    call: `handler(JSON.parse(event), { getRemainingTimeInMillis: () => ${remainingMs} })`,
    event: JSON.stringify(event),
    env: {
      AWS_REGION: "cn-north-1",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_ENDPOINT_URL: `http://127.0.0.1:${(parameters.address() as AddressInfo).port}`,
      ...(config === undefined ? {} : encodeEnv(role, config)),
      ...env,
    },
  });
}

const identity = { bridgeId: "bridge", sourceId: "aws:photos", destinationId: "aws-cn:copies", logLevel: "info" } as const;
const auth = { kind: "token", parameter: "/p" } as const;
const destinationSide = {
  ...identity,
  destination: { kind: "s3", bucket: "copies", region: "cn-north-1" },
  destinationPrefix: "",
  allowedSources: [{ origin: "https://photos.s3.us-east-1.amazonaws.com", pathPrefix: "/" }],
} as const;
const receiver: ReceiverConfig = {
  ...destinationSide,
  allowedSources: [...destinationSide.allowedSources],
  auth,
  inlineLimitBytes: 1,
  timeoutSeconds: 29,
  copier: { functionName: "copier", timeoutSeconds: 900 },
  copiesAtOnce: 10,
  allowedCidrs: [],
};

const unsigned = {
  httpMethod: "POST",
  path: "/",
  headers: {},
  body: "{}",
  requestContext: { identity: { sourceIp: "203.0.113.7" } },
};

test("the receiver refuses an unsigned request", async () => {
  const { answer, logged } = await run("receiver", receiver, unsigned);
  expect(answer).toMatchObject({ statusCode: 401, body: expect.stringContaining("missing-signature") });
  expect(logged).toMatchObject([
    { level: "warn", role: "receiver", bridgeId: "bridge", code: "missing-signature", address: "203.0.113.7" },
  ]);
});

test("the copier answers an event that is no job", async () => {
  const config = {
    ...destinationSide,
    allowedSources: [...destinationSide.allowedSources],
    timeoutSeconds: 900,
    partSizeBytes: 1,
    partsAtOnce: 1,
  };
  expect(await run("copier", config, {})).toMatchObject({
    answer: { result: "failed" },
    logged: [{ level: "error", role: "copier" }],
  });
});

test("the sender acknowledges a message with nothing to do", async () => {
  const config: RoleConfig<"sender"> = {
    ...identity,
    source: { kind: "s3", bucket: "photos", region: "us-east-1" },
    scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
    deletes: "ignore",
    statusTags: false,
    queueUrl: "https://q",
    outageQueueUrl: "https://o",
    deadLetterUrl: "https://sqs.us-east-1.amazonaws.com/111111111111/dead",
    receiverUrl: "https://receiver.example.com/replicate",
    auth,
    urlExpiresInSeconds: 3600,
    receiverTimeoutSeconds: 29,
    maxAttempts: 3,
    giveUpAfterSeconds: 604_800,
    inlineLimitBytes: 8,
  };
  const event = { Records: [{ eventSource: "aws:sqs", messageId: "m1", body: '{"Event":"s3:TestEvent"}' }] };
  expect(await run("sender", config, event)).toMatchObject({ code: 0, answer: { batchItemFailures: [] } });
});

describe("the prober", () => {
  const config: RoleConfig<"prober"> = {
    ...identity,
    side: "destination",
    store: destinationSide.destination,
    keyPrefix: "",
    probePrefix: "crossborderbridge-probe/",
    suffix: "",
    tags: {},
    timeoutSeconds: 900,
  };

  test("looks for what it is asked for", async () => {
    const request = { action: "watch", names: ["run/1"], attempts: 2, intervalMs: 10 };
    expect(await run("prober", config, request)).toMatchObject({
      answer: { seen: [], missing: [{ name: "run/1", attempts: 2 }], pending: [] },
      logged: [],
    });
  });

  test("says what does not fit in a request", async () => {
    const { thrown, logged } = await run("prober", config, { action: "put", objects: [] });
    expect(thrown).toMatch(/^the prober's request does not fit: objects: /);
    expect(logged).toMatchObject([{ level: "error", role: "prober", bridgeId: "bridge" }]);
  });

  test("takes the event of a schedule, and tells as a metric what came of it", async () => {
    const canary = { everyMinutes: 5, sizeBytes: 1, puts: false, watches: true, giveUpAfterSeconds: 600 };
    const event = { "detail-type": "Scheduled Event", source: "aws.events", time: new Date().toISOString() };
    // Hardly more than the answer takes: it gives up at once.
    const { logged } = await run("prober", { ...config, canary }, event, { remainingMs: 3_000 });
    expect(logged).toContainEqual(expect.objectContaining({ service: "prober-destination", BridgeId: "bridge", ProbeGaveUp: 1 }));
  });
});

test.each(FUNCTIONS["aws-lambda"])("the %s without its configuration says what is missing", async (role) => {
  const { code, stderr } = await run(role, undefined, {});
  expect(code).not.toBe(0);
  expect(stderr).toContain("CROSSBORDERBRIDGE_CONFIG is not set");
});
