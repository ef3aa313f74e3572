/**
 * Holds what each setting changes in a deployment, and the rules that hold for all settings. Each group's first variant is recorded
 * whole, every other one as its difference from it: `GOLDEN=write npx jest tests/components/every-variant` writes tests/golden/variants.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CONFIG_VARIABLE, parseEnv, type Role } from "../../runtime/protocol/env";
import { type PlannedResource, planOf } from "../support/plan";
import { build, quietly } from "./bridge-fixture";
import { GROUPS } from "./variants";

jest.mock("../support/mock-aws", () =>
  jest
    .requireActual<typeof import("./aws/native/second-account")>("./aws/native/second-account")
    .withSecondAccount(jest.requireActual("../support/mock-aws")),
);

beforeEach(quietly);

interface Statement {
  Effect: "Allow" | "Deny";
  Principal?: unknown;
  Action: string | string[];
  Resource: string | string[];
}

const FUNCTION = /^(aws:lambda\/function:Function|alicloud:fc\/v3Function:V3Function)$/;
const ROLE_POLICY = /^(aws:iam\/rolePolicy:RolePolicy|aws:iam\/userPolicy:UserPolicy|alicloud:ram\/policy:Policy)$/;
/** CloudFlow's permissions name no single flow: https://www.alibabacloud.com/help/en/serverless-workflow */
const WITHOUT_RESOURCE: ReadonlySet<string> = new Set(["fnf:StartExecution", "fnf:DescribeExecution"]);
const WRITES = /^(s3|oss):(PutObject|Delete|Replicate|AbortMultipart|RestoreObject)/;

const named = (plan: readonly PlannedResource[], end: string) => plan.filter(({ name }) => name.endsWith(end));
const policies = (plan: readonly PlannedResource[]) => plan.filter(({ type }) => ROLE_POLICY.test(type));

function statementsOf({ inputs }: PlannedResource): Statement[] {
  const { policy, policyDocument } = inputs as Record<string, { json: { Statement: Statement[] } } | undefined>;
  return (policy ?? policyDocument)?.json.Statement ?? [];
}

const allowed = (resource: PlannedResource): { action: string; resource: string }[] =>
  statementsOf(resource).flatMap(({ Effect, Action, Resource }) =>
    Effect === "Deny" ? [] : [Action].flat().flatMap((action) => [Resource].flat().map((one) => ({ action, resource: one }))),
  );

const GOLDEN = join(__dirname, "..", "golden", "variants");
const IS_RECORDING = process.env.GOLDEN === "write";

describe.each(Object.entries(GROUPS))("%s", (group, variants) => {
  const path = join(GOLDEN, `${group}.json`);
  const golden = (): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  const recorded: Record<string, unknown> = {};
  const [firstName, firstVariation = {}] = Object.entries(variants)[0] ?? [];
  let first: PlannedResource[] | undefined;

  if (IS_RECORDING) afterAll(() => writeFileSync(path, `${JSON.stringify(recorded, null, 1)}\n`));
  else
    test("no variant is recorded that is gone", () => {
      expect(Object.keys(golden())).toEqual(Object.keys(variants));
    });

  describe.each(Object.entries(variants))("%s", (name, variation) => {
    let plan: PlannedResource[];
    beforeAll(async () => {
      quietly();
      plan = planOf((await build(variation)).resources);
    });

    test("declares what was recorded", async () => {
      first ??= planOf((await build(firstVariation)).resources);
      const found = name === firstName ? plan : changes(first, plan);
      recorded[name] = found;
      if (!IS_RECORDING) expect(found).toEqual(golden()[name]);
    });

    test("each resource is a child of the bridge, on a provider of its own side", () => {
      const names = new Set(plan.map(({ name }) => name));
      const roots = plan.filter(({ parent }) => parent === undefined).map(({ name }) => name);
      expect(roots.sort()).toEqual(["b", "destination", "source"]);
      expect(plan.filter(({ parent }) => parent !== undefined && !names.has(parent))).toEqual([]);
      const onNone = plan.filter(
        ({ type, provider }) => /^(aws|alicloud):/.test(type) && !/^(source|destination)$/.test(provider ?? ""),
      );
      expect(onNone).toEqual([]);
    });

    test("each component registers its outputs", () => {
      const components = plan.filter(({ type }) => type.startsWith("crossborder:"));
      expect(components.filter(({ outputsRegistered }) => !outputsRegistered)).toEqual([]);
    });

    test("each function reads back its environment, and no secret is in it", () => {
      for (const { name, type, inputs } of plan) {
        if (!FUNCTION.test(type)) continue;
        const { environment, environmentVariables } = inputs as {
          environment?: { variables: Record<string, { json: unknown }> };
          environmentVariables?: Record<string, { json: unknown }>;
        };
        const config = (environment?.variables ?? environmentVariables)?.[CONFIG_VARIABLE]?.json;
        const role = /([a-z]+)$/.exec(name)?.[1] as Role;
        expect(parseEnv(role, { [CONFIG_VARIABLE]: JSON.stringify(config) })).toEqual(config);
        expect(JSON.stringify(inputs)).not.toMatch(/mock-secret-access-key|BwcHBwcH/);
      }
    });

    test("no role has a wildcard for an action or for a resource", () => {
      for (const policy of policies(plan)) {
        for (const { action, resource } of allowed(policy)) {
          expect([policy.name, action]).toEqual([policy.name, expect.stringMatching(/^[a-z0-9-]+:[A-Za-z]+$/)]);
          if (!WITHOUT_RESOURCE.has(action)) expect([policy.name, action, resource]).not.toContain("*");
        }
      }
    });

    test("the sender and the dispatcher write no object", () => {
      for (const policy of [...named(plan, "-sender-policy"), ...named(plan, "-dispatcher-policy")])
        expect(allowed(policy).filter(({ action }) => WRITES.test(action) && !action.endsWith("Tagging"))).toEqual([]);
    });

    test("the receiver and the copier reach no object of the source", () => {
      const source = named(plan, "-source")
        .map(({ inputs }) => (inputs as { bucket?: string }).bucket)
        .find((bucket) => bucket !== undefined);
      for (const policy of [...named(plan, "b-receiver-policy"), ...named(plan, "b-copier-policy")])
        expect(allowed(policy).filter(({ resource }) => source !== undefined && resource.includes(`:${source}/`))).toEqual([]);
    });

    // AWS refuses a policy whose Principal is an identity that was made seconds before.
    test("no policy names a role or a user as its Principal", () => {
      const principals = plan.flatMap(statementsOf).flatMap(({ Principal }) => {
        const { AWS = [] } =
          typeof Principal === "object" && Principal !== null ? (Principal as { AWS?: string | string[] }) : {};
        return [AWS].flat();
      });
      expect(principals.filter((one) => !/^(\*|arn:aws(-cn)?:iam::\d{12}:root)$/.test(one))).toEqual([]);
    });

    test("each bucket of the bridge refuses requests without TLS", () => {
      const buckets = plan.filter(({ type }) => /:Bucket$/.test(type)).map(({ name }) => name);
      const policed = plan.filter(({ type }) => /:BucketPolicy$/.test(type));
      expect(policed).toHaveLength(buckets.length);
      for (const policy of policed)
        expect(statementsOf(policy).filter(({ Effect, Principal }) => Effect === "Deny" && Principal !== undefined)).not.toEqual(
          [],
        );
    });
  });
});

/** By urn; of a resource that both have, the properties that differ, undefined ones as null. */
function changes(before: readonly PlannedResource[], after: readonly PlannedResource[]): object {
  const [old, now] = [before, after].map((plan) => new Map(plan.map((resource) => [resource.urn, resource])));
  const added = after.filter(({ urn }) => !old?.has(urn));
  const removed = before.filter(({ urn }) => !now?.has(urn)).map(({ urn }) => urn);
  const changed = after.flatMap((resource) => {
    const difference = differenceOf(old?.get(resource.urn), resource);
    return old?.has(resource.urn) && difference !== undefined ? [[resource.urn, difference] as const] : [];
  });
  return { added, removed, changed: Object.fromEntries(changed) };
}

function differenceOf(before: unknown, after: unknown): unknown {
  if (JSON.stringify(before) === JSON.stringify(after)) return undefined;
  if (!isObject(before) || !isObject(after)) return after ?? null;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return Object.fromEntries(
    names.flatMap((name) => {
      const difference = differenceOf(before[name], after[name]);
      return difference === undefined ? [] : [[name, difference]];
    }),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
