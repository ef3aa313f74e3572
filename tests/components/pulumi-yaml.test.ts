/** Pulumi.yaml, the schema and the example stacks say the same. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseYaml } from "yaml";
import { parseBridgeConfig } from "../../components/config";
import { CLOUDS } from "../../components/config/clouds";
import { bridgeSchema } from "../../components/config/schema";

const root = join(__dirname, "..", "..");
const NAMESPACE = "crossborderbridge:";

interface Declaration {
  type: string;
  default?: unknown;
  description: string;
}
const project = parseYaml(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as {
  name: string;
  config: Record<string, Declaration>;
};
const stacks = ["Pulumi.dev.yaml", ...readdirSync(join(root, "examples")).filter((file) => file.endsWith(".yaml"))];
const pathOf = (file: string): string => join(root, file === "Pulumi.dev.yaml" ? "" : "examples", file);

const settingsOf = (file: string): Record<string, unknown> => {
  const { config } = parseYaml(readFileSync(pathOf(file), "utf8")) as { config: Record<string, unknown> };
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.replace(NAMESPACE, ""), value]));
};

test("every key of the schema is declared and described, and no other", () => {
  expect(project.name).toBe("crossborderbridge");
  expect(Object.keys(project.config).sort()).toEqual(
    Object.keys(bridgeSchema.shape)
      .map((key) => `${NAMESPACE}${key}`)
      .sort(),
  );
  for (const { description } of Object.values(project.config)) expect(description.length).toBeGreaterThan(10);
});

test("declared defaults are the schema's", () => {
  const complete = parseBridgeConfig(
    {
      source: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
      destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
      egress: "static",
    },
    { stack: "dev", tokenIsDeferred: true },
  ) as unknown as Record<string, unknown>;
  const unset = new Set([
    ...["name", "mode", "buffer", "token", "runbookUrl"],
    ...["alarmTopicArn", "alarmWebhookUrl", "alarmWebhookSecret"],
  ]);
  const declared = Object.entries(project.config)
    .map(([key, { default: value }]) => [key.replace(NAMESPACE, ""), value] as const)
    .filter(([key, value]) => value !== undefined && JSON.stringify(value) !== "{}" && key !== "egress");
  expect(declared.length).toBeGreaterThan(10);
  for (const [key, value] of declared) expect([key, value]).toEqual([key, unset.has(key) ? "" : complete[key]]);
});

test("there is an example for each way to deploy", () => {
  expect(stacks.sort()).toEqual([
    "Pulumi.aws-to-aws.yaml",
    "Pulumi.aws-to-china.yaml",
    "Pulumi.aws-to-oss.yaml",
    "Pulumi.china-iam.yaml",
    "Pulumi.china-to-aws.yaml",
    "Pulumi.china-to-china.yaml",
    "Pulumi.china-to-oss.yaml",
    "Pulumi.dev.yaml",
    "Pulumi.minimal.yaml",
    "Pulumi.one-way.yaml",
    "Pulumi.oss-accelerated.yaml",
    "Pulumi.oss-native.yaml",
    "Pulumi.oss-pull.yaml",
    "Pulumi.oss-to-aws.yaml",
    "Pulumi.oss-to-china.yaml",
    "Pulumi.two-way.yaml",
  ]);
});

test.each(stacks)("%s is valid and explains itself", (file) => {
  expect(readFileSync(pathOf(file), "utf8")).toMatch(/^# .+\n# /);
  const stack = file.split(".")[1] ?? "";
  const settings = settingsOf(file);
  // A secret is never in the repository: a stack without a parameter of its own gets its token when it is deployed.
  expect(settings).not.toHaveProperty("token");
  const { mode = "pull", auth } = settings as { mode?: string; auth?: { tokenParameter?: string } };
  const tokenIsDeferred = mode === "pull" && auth?.tokenParameter === undefined;
  expect(parseBridgeConfig(settings, { stack, tokenIsDeferred }).mode).toBe(mode);
});

test("every pair of clouds has an example", () => {
  const pairs = stacks.map((file) => {
    const { source, destination } = settingsOf(file) as Record<"source" | "destination", { cloud: string }>;
    return `${source.cloud} -> ${destination.cloud}`;
  });
  expect([...new Set(pairs)].sort()).toEqual(CLOUDS.flatMap((from) => CLOUDS.map((to) => `${from} -> ${to}`)).sort());
});
