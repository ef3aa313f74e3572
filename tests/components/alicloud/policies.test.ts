/** Every policy in Alibaba Cloud, to the letter. */
import { literal, objectArns, senderPolicy } from "../../../components/alicloud/policies";
import { policyOf, quietly } from "../bridge-fixture";
import { ACCOUNT, inOss, native, push, recorded } from "./fixture";

beforeEach(quietly);
const document = (...Statement: object[]) => ({ Version: "1", Statement });

test.each([
  [inOss(), { "b-sender-role": "fc", "b-receiver-role": "fc", "b-copier-role": "fc", "b-events-role": "oss" }],
  [push(), { "b-dispatcher-role": "fc", "b-pusher-role": "fc", "b-flow-role": "fnf", "b-events-role": "oss" }],
  [native(), { "b-replication-role": "oss" }],
])("each role trusts one service alone", async (variation, services) => {
  const recording = await recorded(variation);
  const roles = recording.resources.filter(({ type }) => type === "alicloud:ram/role:Role").map(({ name }) => name);
  expect(roles.sort()).toEqual(Object.keys(services).sort());
  for (const [name, service] of Object.entries(services))
    expect([name, policyOf(recording, name, "assumeRolePolicyDocument")]).toEqual([
      name,
      document({ Effect: "Allow", Principal: { Service: [`${service}.aliyuncs.com`] }, Action: "sts:AssumeRole" }),
    ]);
});

test("no policy but the dispatcher's, for CloudFlow, has a bare wildcard, and none fits another account", async () => {
  for (const variation of [
    inOss({ statusTags: true, deletes: "replicate" }),
    push({ statusTags: true, deletes: "replicate" }),
    native({ deletes: "replicate" }),
  ]) {
    const recording = await recorded(variation);
    const policies = recording.resources.filter(({ type }) => type === "alicloud:ram/policy:Policy");
    expect(policies.length).toBeGreaterThan(0);
    for (const { name } of policies) {
      const { Statement } = policyOf(recording, name, "policyDocument") as {
        Statement: { Action: string[]; Resource: string[] }[];
      };
      for (const { Action, Resource } of Statement) {
        for (const action of Action) expect(action).toMatch(/^[a-z]+:[A-Za-z]+$/);
        if (Action.every((action) => action.startsWith("fnf:"))) expect([name, Resource]).toEqual(["b-dispatcher-policy", ["*"]]);
        else for (const resource of Resource) expect(resource.split(":")[3]).toBe(ACCOUNT);
      }
    }
  }
});

test("who may invoke a function may invoke its versions: triggers and CloudFlow name LATEST", async () => {
  for (const variation of [inOss(), push()]) {
    const recording = await recorded(variation);
    const invoking = recording.resources
      .filter(({ type }) => type === "alicloud:ram/policy:Policy")
      .flatMap(
        ({ name }) =>
          (policyOf(recording, name, "policyDocument") as { Statement: { Action: string[]; Resource: string[] }[] }).Statement,
      )
      .filter(({ Action }) => Action.includes("fc:InvokeFunction"));
    expect(invoking.length).toBeGreaterThan(1);
    for (const { Resource } of invoking) expect(Resource).toEqual([Resource[0], `${Resource[0]}/*`]);
  }
});

describe("prefixes in policies", () => {
  test.each([
    [[], ["b/*"]],
    [["in/"], ["b/in/*"]],
    [[""], ["b/*"]],
    [
      ["a*/", "b?/"],
      ["b/a?/*", "b/b?/*"],
    ],
    // Beyond this the policy would not fit; the sender checks the scope itself.
    [Array.from({ length: 50 }, (_, index) => `${"long/".repeat(6)}${index}`), ["b/*"]],
  ])("%j", (prefixes, arns) => {
    expect(objectArns("b", prefixes)).toEqual(arns);
  });

  test("RAM has no escape, so a wildcard becomes any one character", () => {
    expect(literal("a*b?c$")).toBe("a?b?c$");
  });

  test("the longest policy there can be fits", () => {
    const bucketArn = `acs:oss:*:${ACCOUNT}:${"b".repeat(63)}`;
    const prefixes = Array.from({ length: 16 }, (_, index) => `${index}`);
    // As many as are listed.
    expect(objectArns(bucketArn, prefixes)).toHaveLength(16);
    const longest = senderPolicy({
      bucketArn,
      prefixes,
      kmsKeyArn: "k".repeat(120),
      statusTags: true,
      versioned: true,
      deadLetterArn: "q".repeat(120),
      waiting: { work: "w".repeat(120), outage: "o".repeat(120) },
      functionArn: "f".repeat(120),
      secrets: [1, 2].map(() => ({ parameter: "p".repeat(240), secret: "s".repeat(240) })),
    });
    expect(JSON.stringify(longest).length).toBeLessThan(6144);
  });
});
