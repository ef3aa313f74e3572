/** The bundles of Function Compute, each in a process of its own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeEnv, type Role, type RoleConfig } from "../../runtime/protocol/env";
import { generateSecret } from "../../runtime/protocol/signing";
import { FUNCTIONS } from "../../scripts/build-functions";
import { startHttps, type TestServer } from "../runtime/support/https-server";
import { invokeBundle } from "./support/invoke-bundle";

const FC_ENV = { FC_REGION: "cn-shanghai", FC_ACCOUNT_ID: "3333333333333333", FC_FUNCTION_NAME: "function" };

/** Processes start slowly on a busy machine. */
jest.setTimeout(30_000);

let folder: string;
/** Stands in for OOS, and for OSS. */
let parameters: TestServer;
let local: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fc-bundles-"));
  parameters = await startHttps((request, response) => {
    // Of a bucket: nothing is there.
    if (request.method === "HEAD") return response.writeHead(404).end();
    response.end(JSON.stringify({ RequestId: "1", Parameter: { Name: "p", Value: generateSecret() } }));
    return undefined;
  });
  await writeFile(join(folder, "ca.pem"), parameters.ca);
  const hosts = ["oos.cn-shanghai", "fcv3.cn-shanghai", "oss-cn-shanghai-internal"].map((name) => `${name}.aliyuncs.com`);
  local = {
    NODE_EXTRA_CA_CERTS: join(folder, "ca.pem"),
    CROSSBORDERBRIDGE_ENDPOINTS: JSON.stringify(Object.fromEntries(hosts.map((host) => [host, parameters.origin]))),
  };
});
afterAll(async () => {
  await parameters.close();
  await rm(folder, { recursive: true, force: true });
});

const KEY = { accessKeyId: "STS.key", accessKeySecret: "secret", securityToken: "token" };

function run<R extends Role>(role: R, config: RoleConfig<R> | undefined, event: unknown, env: Record<string, string> = {}) {
  return invokeBundle({
    platform: "alicloud-fc",
    role,
    call: `handler(Buffer.from(event), { function: { timeout: 10 }, credentials: ${JSON.stringify(KEY)} })`,
    event: typeof event === "string" ? event : JSON.stringify(event),
    env: { ...FC_ENV, ...(config === undefined ? {} : encodeEnv(role, config)), ...env },
  });
}

const identity = { bridgeId: "bridge", sourceId: "alicloud:photos", destinationId: "alicloud:copies", logLevel: "info" } as const;
const oss = (bucket: string) => ({ kind: "oss", bucket, region: "cn-shanghai", versioned: true, network: "internal" }) as const;
const scope = { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 };
const deadLetterUrl = "https://3333333333333333.mns.cn-shanghai.aliyuncs.com/queues/dead";
const queueUrl = deadLetterUrl;
const auth = { kind: "token", parameter: "p" } as const;
const allowedSources = [{ origin: "https://photos.oss-cn-shanghai.aliyuncs.com", pathPrefix: "/" }];
const destinationSide = { ...identity, destination: oss("copies"), destinationPrefix: "", controlBucket: "control" };
const copying = { timeoutSeconds: 900, partSizeBytes: 1, partsAtOnce: 1 };

const configs: { [R in Exclude<Role, "notifier">]: RoleConfig<R> } = {
  sender: {
    ...identity,
    source: oss("photos"),
    scope,
    deletes: "ignore",
    statusTags: false,
    queueUrl,
    outageQueueUrl: queueUrl,
    deadLetterUrl,
    receiverUrl: "https://receiver.example.com/replicate",
    auth,
    urlExpiresInSeconds: 3600,
    receiverTimeoutSeconds: 29,
    maxAttempts: 3,
    giveUpAfterSeconds: 604_800,
    inlineLimitBytes: 8,
  },
  receiver: {
    ...destinationSide,
    allowedSources,
    auth,
    inlineLimitBytes: 1,
    timeoutSeconds: 29,
    copier: { functionName: "copier", timeoutSeconds: 900 },
    copiesAtOnce: 10,
    allowedCidrs: ["203.0.113.7/32"],
    rateLimit: { requestsPerSecond: 1, burst: 1 },
  },
  copier: { ...destinationSide, ...copying, allowedSources },
  dispatcher: {
    ...identity,
    source: oss("photos"),
    scope,
    deletes: "ignore",
    flowName: "flow",
    queueUrl,
    deadLetterUrl,
    giveUpAfterSeconds: 1,
  },
  pusher: {
    ...destinationSide,
    ...copying,
    source: oss("photos"),
    scope,
    deletes: "ignore",
    statusTags: false,
    inlineLimitBytes: 1,
    inlineTimeoutSeconds: 29,
    queueUrl,
    outageQueueUrl: deadLetterUrl,
    dispatcherFunctionName: "dispatcher",
    deadLetterUrl,
    copiesAtOnce: 10,
    maxAttempts: 3,
    giveUpAfterSeconds: 604_800,
  },
  prober: {
    ...identity,
    side: "destination",
    store: oss("copies"),
    keyPrefix: "",
    probePrefix: "crossborderbridge-probe/",
    suffix: "",
    tags: {},
    timeoutSeconds: 900,
  },
};

test("the receiver refuses an unsigned request, and a stranger before that", async () => {
  const event = (sourceIp: string) => ({
    version: "v1",
    rawPath: "/",
    headers: {},
    body: "{}",
    isBase64Encoded: false,
    requestContext: { http: { method: "POST", path: "/", sourceIp } },
  });
  const { answer, logged } = await run("receiver", configs.receiver, event("203.0.113.7"), local);
  expect(answer).toMatchObject({ statusCode: 401, body: expect.stringContaining("missing-signature"), isBase64Encoded: false });
  expect(logged).toMatchObject([
    { level: "warn", role: "receiver", bridgeId: "bridge", code: "missing-signature", address: "203.0.113.7" },
  ]);
  // The secret was read by the client that is in the bundle.
  expect(parameters.seen[0]?.headers).toMatchObject({ "x-acs-action": "GetSecretParameter", "x-acs-security-token": "token" });
  expect((await run("receiver", configs.receiver, event("203.0.113.8"), local)).answer).toMatchObject({ statusCode: 403 });
});

test("the copier answers an event that is no job", async () => {
  expect(await run("copier", configs.copier, "{")).toMatchObject({
    answer: { result: "failed" },
    logged: [{ level: "error", role: "copier" }],
  });
});

test.each(["sender", "dispatcher"] as const)("the %s is done with an event that says nothing", async (role) => {
  expect(await run(role, configs[role], { events: [] })).toMatchObject({ code: 0, answer: null, logged: [] });
});

test("what the sender can neither read nor park comes back, with the reason for the failure destination", async () => {
  const dead = { ...configs.sender, deadLetterUrl: "https://localhost:1/queues/dead" };
  const { thrown, logged } = await run("sender", dead, "{");
  expect(thrown).toMatch(/not JSON/);
  expect(logged).toContainEqual(expect.objectContaining({ level: "info", message: "metrics", metrics: { Parked: 1 } }));
});

test("the pusher refuses what is no state, and shows nothing of it", async () => {
  const { thrown, logged } = await run("pusher", configs.pusher, { version: 1, key: "very-secret" });
  expect(thrown).toMatch(/^the workflow's state does not fit version 1: .*next/);
  expect(JSON.stringify(logged)).not.toContain("very-secret");
});

describe("the prober", () => {
  test("looks for what it is asked for", async () => {
    const request = { action: "watch", names: ["run/1"], attempts: 2, intervalMs: 10 };
    expect(await run("prober", configs.prober, request, local)).toMatchObject({
      answer: { seen: [], missing: [{ name: "run/1", attempts: 2 }], pending: [] },
      logged: [],
    });
  });

  test("says what does not fit in a request", async () => {
    const { thrown, logged } = await run("prober", configs.prober, { action: "watch", names: ["a"], attempts: 1 });
    expect(thrown).toMatch(/^the prober's request does not fit: intervalMs: /);
    expect(logged).toMatchObject([{ level: "error", role: "prober", bridgeId: "bridge" }]);
  });

  test("takes the event of a time trigger", async () => {
    const { thrown } = await run("prober", configs.prober, {
      triggerTime: "2026-03-01T00:05:00Z",
      triggerName: "t",
      payload: "",
    });
    expect(thrown).toBe("a schedule woke this prober, but its configuration has no canary");
  });
});

test.each(FUNCTIONS["alicloud-fc"])("the %s without its configuration says what is missing", async (role) => {
  const { code, stderr } = await run(role, undefined, {});
  expect(code).not.toBe(0);
  expect(stderr).toContain("CROSSBORDERBRIDGE_CONFIG is not set");
});

test.each(["receiver", "copier", "pusher"] as const)("the %s does not start without a bucket for its leases", async (role) => {
  const { controlBucket: _none, ...config } = configs[role] as RoleConfig<"copier">;
  const { code, stderr } = await run(role, config as never, {});
  expect(code).not.toBe(0);
  expect(stderr).toContain("controlBucket is not set");
});

test("a cloud that lacks an endpoint is told so, and the vendor's own is left alone", async () => {
  const endpoints = { CROSSBORDERBRIDGE_ENDPOINTS: JSON.stringify({ "oos.cn-shanghai.aliyuncs.com": "https://localhost:1" }) };
  const { code, stderr } = await run("sender", configs.sender, {}, endpoints);
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/CROSSBORDERBRIDGE_ENDPOINTS has no entry for [a-z0-9.-]+\.aliyuncs\.com/);
});
