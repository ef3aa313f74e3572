/**
 * Every policy is sufficient and minimal. A run takes every path, and IAM's rules evaluate the functions' calls against the declared
 * policies. The local cloud enforces the policies as well, as an independent check.
 */
import { evaluate } from "../../local/aws/iam/evaluate";
import { type PolicyDocument, statementsIn } from "../../local/aws/iam/policy-document";
import type { LocalPartition } from "../../local/aws/local-aws";
import { settled } from "../../local/closers";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import type { LocalStack } from "../../local/local-stack";
import { deployNative, deployPull, NATIVE, type Places, PULL, placesOf } from "./policy/aws-bridges";
import { type RecordedCall, readCalls } from "./policy/calls";
import { type DeclaredPolicy, grantsOf, identityPolicies, resourcePolicies } from "./policy/declared";
import { type Decisions, decide, idleGrants, type Needed, neededBy } from "./policy/grants";
import { takeEveryPath } from "./policy/paths";
import type { Place } from "./policy/required";
import { insideS3, logsAs, pollsAs, type ServiceCall } from "./policy/service-calls";
import { problemOfConditionKey, problemOfPermission } from "./policy/service-reference";
import { exerciseProbers } from "./support/probe-canaries";
import { proxyReceiver, proxySourceReads, START_MS, type TestStack } from "./support/stack";
import type { TlsProxy } from "./support/tls-proxy";

const SENDER = "role/crossborderbridge-dev-sender";
const RECEIVER = "role/crossborderbridge-dev-receiver";
const COPIER = "role/crossborderbridge-dev-copier";
const INVOKER = "user/crossborderbridge-dev-invoker";
const PROBERS = [
  "role/crossborderbridge-both-prober-dest",
  "role/crossborderbridge-both-prober-source",
  "role/crossborderbridge-dev-prober-dest",
  "role/crossborderbridge-dev-prober-source",
];
/** Roles that only S3 assumes. */
const OF_S3 = ["backfill", "backward", "replication"].map((part) => `role/crossborderbridge-both-${part}`);
const CALLERS = [...PROBERS, COPIER, RECEIVER, SENDER, INVOKER].sort();

let clouds: LocalClouds;
let pull: TestStack | undefined;
let native: LocalStack | undefined;
let proxy: TlsProxy | undefined;
let receiver: TlsProxy | undefined;
let places: Record<"pull" | "native", Places>;
let declared: DeclaredPolicy[];
let calls: RecordedCall[];
let needed: Needed[];
let byServices: ServiceCall[];
let queuePolicy: PolicyDocument;
let apiPolicy: PolicyDocument;
let bucketPolicies: PolicyDocument[];

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["aws", "aws-cn"], recordCalls: true, scheduleMinuteMs: 3_000 });
  places = await placesOf(clouds);
  // Each stack is stored when it is deployed, so that `afterAll` stops it even if the other one fails.
  const [bridge, twoWay] = await settled(
    deployPull(clouds, places.pull).then((started) => {
      pull = started;
      return started;
    }),
    deployNative(clouds, places.native).then((started) => {
      native = started;
      return started;
    }),
  );
  await exerciseProbers(bridge.local, PULL.stack);
  await exerciseProbers(twoWay, NATIVE.stack);
  proxy = await proxySourceReads(bridge);
  receiver = await proxyReceiver(bridge);
  await takeEveryPath(bridge, proxy, receiver);
  const state = await bridge.local.engine.exportStack({ stack: PULL.stack });
  declared = [...identityPolicies(state), ...identityPolicies(await twoWay.engine.exportStack({ stack: NATIVE.stack }))];
  queuePolicy = resourcePolicies(state, "queue").find((one) => JSON.stringify(one).includes("SourceEvents")) as PolicyDocument;
  [apiPolicy] = resourcePolicies(state, "api") as [PolicyDocument];
  bucketPolicies = resourcePolicies(state, "bucket");
  const [global, china] = [await ofFunctions(clouds.aws), await ofFunctions(clouds["aws-cn"])];
  calls = [...global, ...china];
  needed = [...neededBy(global, placeInGlobal), ...neededBy(china, () => places.pull.destination)];
  byServices = callsByServices();
}, 5 * START_MS);

afterAll(async () => {
  await proxy?.close();
  await receiver?.close();
  await pull?.stop();
  await native?.stop();
  await clouds?.stop();
}, START_MS);

test("every identity of the bridges made calls, and no unknown principal did", () => {
  expect([...new Set(calls.map(({ principal }) => principal))].sort()).toEqual(CALLERS);
  expect(declared.map(({ principal }) => principal).sort()).toEqual([...CALLERS, ...OF_S3].sort());
});

test("every call is allowed by the declared policies", () => {
  const decided = [...needed, ...byServices].map((need) => ({ ...need, decision: decide(need, grounds()) }));
  expect(decided.filter(({ decision }) => decision !== "Allowed")).toEqual([]);
  expect(needed.length).toBeGreaterThan(40);
});

test("AWS knows each action, the kind of its resource, and each condition key", async () => {
  const problems = await Promise.all([...needed, ...byServices].map(problemOfPermission));
  const documents = [...declared.map(({ document }) => document), queuePolicy, apiPolicy, ...bucketPolicies];
  const keys = documents.flatMap((document) =>
    statementsIn(document).flatMap(({ Condition = {} }) => Object.values(Condition).flatMap(Object.keys)),
  );
  problems.push(...(await Promise.all(keys.map(problemOfConditionKey))));
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  expect(new Set(keys).size).toBeGreaterThan(4);
});

test.each([
  ["s3:GetObjectVersonTagging", "arn:aws:s3:::watched/a", "AWS has no action s3:GetObjectVersonTagging"],
  ["s3:ListBucket", "arn:aws:s3:::watched/a", "s3:ListBucket does not take arn:aws:s3:::watched/a"],
  ["s3:GetObject", "arn:aws:s3:::watched", "s3:GetObject does not take arn:aws:s3:::watched"],
  ["sqs:SendMessage", "arn:aws:s3:::watched", "sqs:SendMessage does not take arn:aws:s3:::watched"],
])("a permission that AWS does not know is found: %s on %s", async (action, resource, problem) => {
  expect(await problemOfPermission({ action, resource })).toBe(problem);
});

test("a condition key that AWS does not know is found", async () => {
  expect(await problemOfConditionKey("aws:SourceArm")).toBe("AWS has no condition key aws:SourceArm");
});

test("the local cloud enforces the policies, and refused no call", () => {
  expect(calls.filter(({ status }) => status === 401 || status === 403)).toEqual([]);
});

test("every pair of an action and a resource is needed by a call", () => {
  const { idle, byServices: inside } = idleGrants(needed, byServices, grounds());
  expect(idle).toEqual([]);
  // Each entry of the table needs exactly one grant that no recorded call needs.
  expect(inside).toBe(new Set(byServices.map(({ principal, action, resource }) => `${principal} ${action} ${resource}`)).size);
  console.log(`${grantsOf(declared).length} grants, ${inside} of them for calls that AWS makes inside`);
});

test("a pair that no call needs is found", () => {
  const extra = {
    Sid: "Extra",
    Effect: "Allow",
    Action: ["s3:GetObject", "s3:DeleteObject"],
    Resource: ["arn:aws:s3:::watched/in/*"],
  };
  const more = declared.map((policy) =>
    policy.principal === SENDER
      ? { ...policy, document: { ...policy.document, Statement: [...statementsIn(policy.document), extra] } }
      : policy,
  );
  const { idle } = idleGrants(needed, byServices, { ...grounds(), policies: more });
  // The read is idle in both statements, because each allows it without the other.
  expect(idle.map(({ sid, action }) => `${sid} ${action}`)).toEqual([
    "ReadSource s3:GetObject",
    "Extra s3:GetObject",
    "Extra s3:DeleteObject",
  ]);
});

test("no action has a wildcard, and a resource only at its end", () => {
  for (const { action, resource, principal, sid } of grantsOf(declared)) {
    expect({ principal, sid, action }).toEqual({ principal, sid, action: expect.stringMatching(/^[a-z0-9-]+:[A-Za-z]+$/) });
    // Keys and log streams are at the end.
    expect({ principal, sid, resource }).toEqual({
      principal,
      sid,
      resource: expect.stringMatching(/^arn:aws(-cn)?:[a-z0-9-]+:[^*?]*(\/\*|:\*)?$/),
    });
  }
});

describe("resource policies", () => {
  const OUTSIDE = "198.51.100.7";
  const LOOPBACK = "127.0.0.1";

  test.each(["source", "destination"] as const)("the %s bucket: a request without TLS is denied", (side) => {
    const { partition } = places.pull[side];
    const [bucket, key] = side === "source" ? ["watched", "in/a"] : ["copies", "copies/a"];
    const principal = side === "source" ? SENDER : RECEIVER;
    const policy = bucketPolicies.find((one) => JSON.stringify(one).includes(`:::${bucket}"`)) as PolicyDocument;
    const verdict = (secure: string) =>
      decide(
        {
          principal,
          action: "s3:GetObject",
          resource: `arn:${partition}:s3:::${bucket}/${key}`,
          context: { "aws:SecureTransport": secure },
        },
        { ...grounds(), resourcePolicy: policy },
      );
    expect([verdict("true"), verdict("false")]).toEqual(["Allowed", "ExplicitlyDenied"]);
  });

  test.each([
    ["the source bucket's events", {}, "Allowed"],
    ["the events of another bucket", { "aws:SourceArn": "arn:aws:s3:::another" }, "ImplicitlyDenied"],
    ["the events of a bucket with that name in another account", { "aws:SourceAccount": "999999999999" }, "ImplicitlyDenied"],
    ["a request without TLS", { "aws:SecureTransport": "false" }, "ExplicitlyDenied"],
  ] as const)("the queue: %s", (_, change, expected) => {
    const { accountId } = places.pull.source;
    const context = {
      "aws:SourceArn": "arn:aws:s3:::watched",
      "aws:SourceAccount": accountId,
      "aws:SecureTransport": "true",
      ...change,
    };
    const request = { principal: "s3.amazonaws.com", action: "sqs:SendMessage", resource: queueArn(), accountId };
    expect(evaluate({ ...request, context }, { resourcePolicy: queuePolicy })).toBe(expected);
  });

  test.each([
    ["the sender's key from an allowed address", INVOKER, LOOPBACK, "Allowed"],
    ["the sender's key from elsewhere", INVOKER, OUTSIDE, "ExplicitlyDenied"],
    ["an anonymous request from an allowed address", "anonymous", LOOPBACK, "ImplicitlyDenied"],
    ["an anonymous request from elsewhere", "anonymous", OUTSIDE, "ExplicitlyDenied"],
  ])("the receiver's API: %s", (_, principal, address, expected) => {
    const need = needed.find(({ action }) => action === "execute-api:Invoke");
    if (need === undefined) throw new Error("no call of the receiver was recorded");
    const asked = { ...need, principal, context: { "aws:SourceIp": address } };
    expect(decide(asked, { ...grounds(), resourcePolicy: apiPolicy })).toBe(expected);
  });
});

function grounds(): Pick<Decisions, "policies" | "places"> {
  return { policies: declared, places: Object.values(places.pull) };
}

function callsByServices(): ServiceCall[] {
  const destinations = [RECEIVER, COPIER, "role/crossborderbridge-dev-prober-dest"];
  const logging = calls.map(({ principal }) => principal).filter((principal) => principal.startsWith("role/"));
  return [
    ...pollsAs(SENDER, queueArn()),
    ...[...new Set(logging)].flatMap((one) =>
      logsAs(one, destinations.includes(one) ? places.pull.destination : placeInGlobal(one)),
    ),
    ...insideS3(places.native),
  ];
}

/** The place of a principal's bridge in AWS Global. */
function placeInGlobal(principal: string): Place {
  if (!principal.startsWith("role/crossborderbridge-both-")) return places.pull.source;
  return principal.endsWith("-dest") ? places.native.destination : places.native.source;
}

function queueArn(): string {
  return "arn:aws:sqs:us-east-1:111111111111:crossborderbridge-dev-queue";
}

async function ofFunctions(cloud: LocalPartition): Promise<RecordedCall[]> {
  // The provider and this test use the account's key. Health checks have no signature.
  return (await readCalls(cloud)).filter(({ principal, path }) => principal !== "root" && !path.startsWith("/_ministack/"));
}
