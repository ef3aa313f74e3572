/**
 * Every policy is sufficient and minimal: what the functions asked of the clouds in a run that takes every path, evaluated by
 * IAM's rules against the policies that the program declared. The local cloud's own enforcement is a second, independent witness.
 */
import { randomBytes } from "node:crypto";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { DeleteObjectCommand, PutObjectCommand, PutObjectTaggingCommand } from "@aws-sdk/client-s3";
import { clientConfig } from "../../local/aws/client-config";
import type { LocalPartition } from "../../local/aws/local-aws";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { STATUS_TAG } from "../../runtime/replication/snapshot";
import { type RecordedCall, readCalls } from "./policy/calls";
import {
  type DeclaredPolicy,
  type Grant,
  grantsOf,
  identityPolicies,
  type PolicyDocument,
  resourcePolicies,
} from "./policy/declared";
import { type Permission, type Place, requiredBy } from "./policy/required";
import { simulate, type Verdict } from "./policy/simulate";
import { eventually } from "./support/eventually";
import { readLog } from "./support/logs";
import { look, sha256 } from "./support/objects";
import { sendEvent, settled, takeDeadLetters } from "./support/queues";
import { proxySourceReads, START_MS, startTestStack, type TestStack } from "./support/stack";
import type { TlsProxy } from "./support/tls-proxy";

const COMPLETED = { [STATUS_TAG]: "COMPLETED" };
const LARGE = 9 * 1024 ** 2;
const SENDER = "role/crossborderbridge-dev-sender";
const RECEIVER = "role/crossborderbridge-dev-receiver";
const COPIER = "role/crossborderbridge-dev-copier";
const INVOKER = "user/crossborderbridge-dev-invoker";

interface Needed extends Permission {
  principal: string;
  /** Operations that asked for it. */
  operations: string[];
}

let clouds: LocalClouds;
let stack: TestStack | undefined;
let proxy: TlsProxy | undefined;
let places: { source: Place; destination: Place };
let declared: DeclaredPolicy[];
let calls: RecordedCall[];
let needed: Needed[];
let queuePolicy: PolicyDocument;
let apiPolicy: PolicyDocument;
let bucketPolicies: PolicyDocument[];

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["aws", "aws-cn"], recordCalls: true });
  places = { source: await placeOf(clouds.aws), destination: await placeOf(clouds["aws-cn"]) };
  const { source, destination } = places;
  const started = await startTestStack({
    clouds,
    settings: {
      "crossborderbridge:source": { cloud: "aws", region: source.region, bucket: "watched", kmsKeyArn: source.kmsKeyArn },
      // Behind a prefix, so that what is the objects' and what is the bridge's own are different resources.
      "crossborderbridge:destination": {
        cloud: "aws-cn",
        region: destination.region,
        bucket: "copies",
        prefix: "copies/",
        kmsKeyArn: destination.kmsKeyArn,
      },
      "crossborderbridge:scope": { prefixes: ["in/"] },
      "crossborderbridge:auth": { kind: "iam" },
      "crossborderbridge:statusTags": true,
    },
  });
  stack = started;
  proxy = await proxySourceReads(started);
  await takeEveryPath(started, proxy);
  const state = await started.local.engine.exportStack({ stack: "dev" });
  declared = identityPolicies(state);
  [queuePolicy] = resourcePolicies(state, "queue") as [PolicyDocument];
  [apiPolicy] = resourcePolicies(state, "api") as [PolicyDocument];
  bucketPolicies = resourcePolicies(state, "bucket");
  calls = [...(await ofFunctions(clouds.aws)), ...(await ofFunctions(clouds["aws-cn"]))];
  needed = [...neededBy(await ofFunctions(clouds.aws), source), ...neededBy(await ofFunctions(clouds["aws-cn"]), destination)];
}, 2 * START_MS);

afterAll(async () => {
  await proxy?.close();
  await stack?.stop();
  await clouds?.stop();
});

test("every identity of the bridge called, and nobody unknown", () => {
  expect([...new Set(calls.map(({ principal }) => principal))].sort()).toEqual([COPIER, RECEIVER, SENDER, INVOKER]);
  expect(declared.map(({ principal }) => principal).sort()).toEqual([COPIER, RECEIVER, SENDER, INVOKER]);
});

test("every call is allowed by the declared policies", async () => {
  const all = [...needed, ...CALLS_BY_SERVICES.map((call) => ({ ...call, operations: [call.why] }))];
  const refused: object[] = [];
  for (const need of all) {
    const verdict = await decide(need, declared);
    if (verdict !== "Allowed") refused.push({ ...need, verdict });
  }
  expect(refused).toEqual([]);
  expect(needed.length).toBeGreaterThan(40);
});

test("the local cloud, which enforces the policies by itself, refused none", () => {
  expect(calls.filter(({ status }) => status === 401 || status === 403)).toEqual([]);
});

test("without any one pair of an action and a resource some call would be refused", async () => {
  const { idle, byServices } = await idleGrants(declared);
  expect(idle).toEqual([]);
  expect(byServices).toBe(CALLS_BY_SERVICES.length);
  console.log(`${grantsOf(declared).length} grants, ${byServices} of them for calls that AWS makes inside`);
});

test("a pair too many would be noticed", async () => {
  const extra = {
    Sid: "Extra",
    Effect: "Allow",
    Action: ["s3:GetObject", "s3:DeleteObject"],
    Resource: ["arn:aws:s3:::watched/in/*"],
  };
  const more = declared.map((policy) =>
    policy.principal === SENDER
      ? { ...policy, document: { ...policy.document, Statement: [...policy.document.Statement, extra] } }
      : policy,
  );
  const { idle } = await idleGrants(more);
  // The read is idle twice over: either of the two statements does without the other.
  expect(idle.map(({ sid, action }) => `${sid} ${action}`)).toEqual([
    "ReadSource s3:GetObject",
    "Extra s3:GetObject",
    "Extra s3:DeleteObject",
  ]);
});

test("no action and no resource is left to a wildcard", () => {
  for (const { action, resource, principal, sid } of grantsOf(declared)) {
    expect({ principal, sid, action }).toEqual({ principal, sid, action: expect.stringMatching(/^[a-z0-9-]+:[A-Za-z]+$/) });
    // Only at the end, where keys and log streams are.
    expect({ principal, sid, resource }).toEqual({
      principal,
      sid,
      resource: expect.stringMatching(/^arn:aws(-cn)?:[a-z0-9-]+:[^*?]*(\/\*|:\*)?$/),
    });
  }
});

describe("what resource policies refuse", () => {
  const OUTSIDE = "198.51.100.7";
  const LOOPBACK = "127.0.0.1";

  test.each(["source", "destination"] as const)("the %s bucket: whoever comes without TLS", async (side) => {
    const { accountId, partition } = places[side];
    const [bucket, key] = side === "source" ? ["watched", "in/a"] : ["copies", "copies/a"];
    const principal = side === "source" ? SENDER : RECEIVER;
    const policy = bucketPolicies.find((one) => JSON.stringify(one).includes(`:::${bucket}"`)) as PolicyDocument;
    const verdict = (secure: string) =>
      decide(
        { principal, action: "s3:GetObject", resource: `arn:${partition}:s3:::${bucket}/${key}` },
        declared,
        { "aws:SecureTransport": secure },
        policy,
      );
    expect(accountId).not.toBe("");
    expect([await verdict("true"), await verdict("false")]).toEqual(["Allowed", "ExplicitlyDenied"]);
  });

  test.each([
    ["the source bucket's events", {}, "Allowed"],
    ["another bucket's", { "aws:SourceArn": "arn:aws:s3:::another" }, "ImplicitlyDenied"],
    ["a bucket's of that name in another account", { "aws:SourceAccount": "999999999999" }, "ImplicitlyDenied"],
    ["whoever comes without TLS", { "aws:SecureTransport": "false" }, "ExplicitlyDenied"],
  ] as const)("the queue: %s", async (_, change, expected) => {
    const { accountId } = places.source;
    const context = {
      "aws:SourceArn": "arn:aws:s3:::watched",
      "aws:SourceAccount": accountId,
      "aws:SecureTransport": "true",
      ...change,
    };
    const request = { principal: "s3.amazonaws.com", action: "sqs:SendMessage", resource: queueArn(), accountId };
    expect(await simulate({ ...request, context, resourcePolicy: queuePolicy })).toBe(expected);
  });

  test.each([
    ["the sender's key from an allowed address", INVOKER, LOOPBACK, "Allowed"],
    ["the sender's key from elsewhere", INVOKER, OUTSIDE, "ExplicitlyDenied"],
    ["nobody in particular from an allowed address", "anonymous", LOOPBACK, "ImplicitlyDenied"],
    ["nobody in particular from elsewhere", "anonymous", OUTSIDE, "ExplicitlyDenied"],
  ])("the receiver's API: %s", async (_, principal, address, expected) => {
    const need = needed.find(({ action }) => action === "execute-api:Invoke");
    if (need === undefined) throw new Error("nobody called the receiver");
    expect(await decide({ ...need, principal }, declared, { "aws:SourceIp": address }, apiPolicy)).toBe(expected);
  });
});

/** What no request of the functions shows: services call other services as the function's role. */
const CALLS_BY_SERVICES: readonly (Permission & { principal: string; why: string })[] = [
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
  ...["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"].map((action) => ({
    principal: SENDER,
    action,
    resource: queueArn(),
    why: "Lambda's event source mapping polls as the sender's role",
  })),
  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html
  ...[SENDER, RECEIVER, COPIER].flatMap((principal) =>
    ["logs:CreateLogStream", "logs:PutLogEvents"].map((action) => ({
      principal,
      action,
      resource: logStreamArn(principal),
      why: "Lambda writes a function's log as its role",
    })),
  ),
];

function queueArn(): string {
  return "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-dev-queue";
}

function logStreamArn(principal: string): string {
  const home = principal === SENDER ? "arn:aws:logs:us-east-1:111111111111" : "arn:aws-cn:logs:cn-north-1:222222222222";
  return `${home}:log-group:/aws/lambda/${principal.slice("role/".length)}:log-stream:2026/01/01/[$LATEST]0123456789abcdef`;
}

/** Grants that could be taken away with every call still allowed. */
async function idleGrants(policies: readonly DeclaredPolicy[]): Promise<{ idle: Grant[]; byServices: number }> {
  const idle: Grant[] = [];
  let byServices = 0;
  for (const grant of grantsOf(policies)) {
    const others = policies.map((policy) => without(policy, grant));
    const isMissed = async (needs: readonly (Permission & { principal: string })[]) => {
      for (const need of needs) {
        const concerned = need.principal === grant.principal && need.action === grant.action;
        if (concerned && (await decide(need, others)) !== "Allowed") return true;
      }
      return false;
    };
    if (await isMissed(needed)) continue;
    if (await isMissed(CALLS_BY_SERVICES)) byServices++;
    else idle.push(grant);
  }
  return { idle, byServices };
}

/** One decision about an identity of the stack, or about nobody in particular. */
async function decide(
  { principal, action, resource }: Permission & { principal: string },
  policies: readonly DeclaredPolicy[],
  context: Record<string, string> = {},
  resourcePolicy?: PolicyDocument,
): Promise<Verdict> {
  const own = policies.filter((policy) => policy.principal === principal);
  const place = [places.source, places.destination].find(({ partition }) => resource.startsWith(`arn:${partition}:`)) as Place;
  const keyPolicy = action.startsWith("kms:") ? delegatingKeyPolicy(place) : undefined;
  const attached = resourcePolicy ?? keyPolicy;
  return simulate({
    principal:
      principal === "anonymous" ? principal : (own[0]?.arn ?? `arn:${place.partition}:iam::${place.accountId}:${principal}`),
    action,
    resource,
    accountId: place.accountId,
    identityPolicies: own.map(({ document }) => document),
    context,
    ...(attached === undefined ? {} : { resourcePolicy: attached }),
  });
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html: leaves the decision to the account's IAM policies. */
function delegatingKeyPolicy({ partition, accountId }: Place): PolicyDocument {
  const Principal = { AWS: `arn:${partition}:iam::${accountId}:root` };
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action: "kms:*", Resource: "*" }] };
}

function without(policy: DeclaredPolicy, { principal, sid, action, resource }: Grant): DeclaredPolicy {
  if (policy.principal !== principal) return policy;
  const Statement = policy.document.Statement.flatMap((statement) => {
    const [actions, resources] = [[statement.Action].flat(), [statement.Resource].flat()];
    if (statement.Sid !== sid || !actions.includes(action) || !resources.includes(resource)) return [statement];
    // The same without the pair: its other actions on everything, and the action on its other resources.
    return [
      { ...statement, Action: actions.filter((one) => one !== action) },
      { ...statement, Sid: `${sid}Others`, Action: action, Resource: resources.filter((one) => one !== resource) },
    ].filter(({ Action, Resource }) => [Action].flat().length > 0 && [Resource].flat().length > 0);
  });
  return { ...policy, document: { ...policy.document, Statement } };
}

async function ofFunctions(cloud: LocalPartition): Promise<RecordedCall[]> {
  // The account's own key is this test's and the provider's; nobody signs for health checks.
  return (await readCalls(cloud)).filter(({ principal, path }) => principal !== "root" && !path.startsWith("/_ministack/"));
}

function neededBy(of: readonly RecordedCall[], place: Place): Needed[] {
  const found = new Map<string, Needed>();
  for (const call of of) {
    const { operation, permissions } = requiredBy(call, place);
    for (const { action, resource } of permissions) {
      const id = `${call.principal} ${action} ${resource}`;
      const known = found.get(id) ?? { principal: call.principal, action, resource, operations: [] };
      if (!known.operations.includes(operation)) known.operations.push(operation);
      found.set(id, known);
    }
  }
  return [...found.values()];
}

async function placeOf(cloud: LocalPartition): Promise<Place> {
  const kms = new KMSClient(clientConfig(cloud));
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
  kms.destroy();
  const { partition, region, accountId } = cloud;
  return { partition, region, accountId, kmsKeyArn: `arn:${partition}:kms:${region}:${accountId}:key/${KeyMetadata?.KeyId}` };
}

/** Small and large, new and old, gone, parked, and each way in which a long copy can end. */
async function takeEveryPath(on: TestStack, source: TlsProxy): Promise<void> {
  const { s3, bucket: Bucket } = on.source;
  const put = (Key: string, Body: string | Buffer) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, Tagging: "team=data", Metadata: { origin: "here" } }));
  const copyEnds = (key: string) =>
    eventually(
      async () => {
        const log = await readLog(on.destination.cloud, on.local.outputs.copierFunctionName);
        expect(log.some(({ message, key: of }) => message === "copy ends" && of === on.destination.prefix + key)).toBe(true);
      },
      { deadlineMs: 30_000, what: `the copy of ${key} ends` },
    );

  const arrives = (key: string, body: string) =>
    eventually(async () => expect((await look(on.destination, key))?.sha256).toBe(sha256(Buffer.from(body))), {
      deadlineMs: 30_000,
      what: `${key} arrives`,
    });

  await put("in/small", "first");
  await arrives("in/small", "first");
  await put("in/small", "second");
  await arrives("in/small", "second");
  // Not in the middle of the sender's own change of tags, which no store can make conditional.
  await eventually(async () => expect((await look(on.source, "in/small"))?.tags).toMatchObject(COMPLETED), {
    deadlineMs: 30_000,
    what: "the sender has set its status tag",
  });
  const TagSet = [{ Key: "team", Value: "finance" }];
  await s3.send(new PutObjectTaggingCommand({ Bucket, Key: "in/small", Tagging: { TagSet } }));
  // The local S3 sends no event of it.
  await sendEvent(on, "in/small", "ObjectTagging:Put");
  await eventually(async () => expect((await look(on.destination, "in/small"))?.tags).toEqual({ team: "finance" }), {
    deadlineMs: 30_000,
    what: "the changed tag arrives",
  });
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "in/small" }));
  // The name of its replica no store can hold.
  await put(`in/${"k".repeat(1021)}`, "parked");
  await put("in/large", randomBytes(LARGE));

  // The source fails for one copier each: one is resumed, one is given up for what was written meanwhile.
  let failing = true;
  source.treat(({ path }) =>
    failing && /\/in\/(resumed|abandoned)\?/.test(path) ? { kind: "answer", status: 503, body: "" } : undefined,
  );
  await put("in/resumed", randomBytes(LARGE));
  await put("in/abandoned", randomBytes(LARGE));
  await copyEnds("in/resumed");
  await copyEnds("in/abandoned");
  failing = false;
  await put("in/abandoned", "smaller now");

  // And one finds at its end that the source has moved on.
  let release: () => void = () => undefined;
  const overwritten = new Promise<void>((resolve) => {
    release = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    source.treat(({ path }) => {
      if (!path.includes("/in/superseded?")) return undefined;
      resolve();
      return { kind: "hold", until: overwritten };
    });
  });
  await put("in/superseded", randomBytes(LARGE));
  await asked;
  await put("in/superseded", "smaller now");
  release();

  await settled(on, 90_000);
  expect(await look(on.destination, "in/small")).toBeUndefined();
  expect(await takeDeadLetters(on)).toHaveLength(1);
}
