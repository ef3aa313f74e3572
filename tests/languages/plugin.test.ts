/** The plugin: its schema, and the arguments that it makes of what other languages send. */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { CrossBorderBridge } from "../../components";
import { manifestOf } from "../../components/bundles";
import { LATE_SETTINGS } from "../../components/config/late";
import { OUTPUT_NAMES } from "../../components/config/outputs";
import { bridgeSchema } from "../../components/config/schema";
import { argumentsOf } from "../../components/plugin/arguments";
import { BRIDGE_TOKEN, pluginSchema } from "../../components/plugin/schema";
import { DEFAULT_STATE_DIR } from "../../local/paths";
import { runCommand } from "../../local/run-command";
import { ensurePulumi } from "../../local/toolchain/pulumi";
import { quietly, TOKEN } from "../components/bridge-fixture";
import { recordResources, settled } from "../support/record-resources";

beforeEach(quietly);

const GOLDEN = join(__dirname, "..", "golden", "plugin-schema.json");
const schema = pluginSchema(manifestOf());

test("the schema is the one that was recorded", () => {
  const text = `${JSON.stringify(schema, null, 1)}\n`;
  if (process.env.GOLDEN === "write") writeFileSync(GOLDEN, text);
  expect(text).toBe(readFileSync(GOLDEN, "utf8"));
});

test("the Pulumi CLI finds no mistake in the schema", async () => {
  const { pulumiPath } = await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress: console.log });
  const folder = await mkdtemp(join(tmpdir(), "plugin-schema-"));
  const env = { PATH: process.env.PATH, PULUMI_HOME: folder, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const check = async (text: string) => {
    await writeFile(join(folder, "schema.json"), text);
    return runCommand(pulumiPath, ["schema", "check", join(folder, "schema.json"), "--color", "never"], { env });
  };
  try {
    const text = JSON.stringify(schema);
    await check(text);
    const dangling = text.replace("#/types/crossborder:index:Scope", "#/types/crossborder:index:Scopes");
    await expect(check(dangling)).rejects.toThrow("crossborder:index:Scopes");
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the bridge has every setting as an input, and every output", () => {
  const { inputProperties, properties } = schema.resources[BRIDGE_TOKEN] ?? { inputProperties: {}, properties: {} };
  expect(Object.keys(inputProperties).sort()).toEqual([...Object.keys(bridgeSchema.shape), "placeName"].sort());
  expect(Object.keys(properties).sort()).toEqual([...OUTPUT_NAMES].sort());
});

test("exactly the values that may come from other resources take an output", () => {
  const found: string[] = [];
  const walk = (properties: Record<string, { plain?: boolean; $ref?: string }>, path: string): void => {
    for (const [key, property] of Object.entries(properties)) {
      const at = path === "" ? key : `${path}.${key}`;
      const type = schema.types[property.$ref?.replace("#/types/", "") ?? ""];
      if (type !== undefined) walk(type.properties, at);
      else if (property.plain !== true && key !== "provider") found.push(at);
    }
  };
  walk(schema.resources[BRIDGE_TOKEN]?.inputProperties ?? {}, "");
  expect(found.sort()).toEqual([...LATE_SETTINGS].sort());
});

const SOURCE = { cloud: "aws", region: "us-east-1", bucket: "from-here" };
const DESTINATION = { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" };

/** Declares the bridge as the plugin does. */
async function construct(inputs: Record<string, unknown>) {
  const settings = { token: TOKEN, allowedCidrs: ["198.51.100.0/24"], ...inputs };
  let bridge: CrossBorderBridge | undefined;
  const recording = await recordResources(async () => {
    bridge = new CrossBorderBridge("b", await argumentsOf("b", settings, {}));
  });
  if (bridge === undefined) throw new Error("no bridge");
  return { ...recording, bridge };
}

test("a side without a provider gets one for its region, its profile and its account", async () => {
  const { get } = await construct({
    source: { ...SOURCE, profile: "global", accountId: "111111111111" },
    destination: DESTINATION,
  });
  expect(get("b-source", "pulumi:providers:aws").inputs).toMatchObject({
    region: "us-east-1",
    profile: "global",
    allowedAccountIds: '["111111111111"]',
  });
  expect(get("b-destination", "pulumi:providers:aws").inputs).toMatchObject({ region: "cn-north-1" });
  expect(get("b-source", "aws:s3/bucket:Bucket").provider).toBe("b-source");
});

test("a section that an SDK sends as one output is opened, and its late values stay outputs", async () => {
  const { get, bridge } = await construct({
    source: pulumi.output({ ...SOURCE, provider: new aws.Provider("mine", { region: "us-east-1" }) }),
    destination: DESTINATION,
    scope: pulumi.output({ prefixes: ["in/"] }),
  });
  expect(get("b-source", "aws:s3/bucket:Bucket").provider).toBe("mine");
  expect(await settled(bridge.sourceBucket)).toBe("from-here");
});

test("the component's own errors name the bridge", async () => {
  const wrong = construct({ source: { ...SOURCE, cloud: "AWS" }, destination: DESTINATION });
  await expect(wrong).rejects.toThrow(/CrossBorderBridge "b": source\.cloud = "AWS": not one of the choices; did you mean aws\?/);
});
