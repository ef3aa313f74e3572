/** The YAML program of docs/library.md, previewed by the real engine with the plugin and the local providers. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as aws from "@pulumi/aws";
import { parse } from "yaml";
import { CrossBorderBridge, type CrossBorderBridgeArgs } from "../../components";
import { createClosers } from "../../local/closers";
import { createEngine, type Engine, type PlannedResource } from "../../local/engine";
import { createRunDir, DEFAULT_STATE_DIR, REPOSITORY_ROOT, runsDir } from "../../local/paths";
import { serveAlicloudProvider } from "../../local/provider/alicloud-provider";
import { serveAwsProvider } from "../../local/provider/aws-provider";
import { ensureYamlHost } from "../../local/toolchain/language-yaml";
import { ensurePulumi } from "../../local/toolchain/pulumi";
import { quietly, TOKEN } from "../components/bridge-fixture";
import { recordResources } from "../support/record-resources";
import { startPlugin } from "./running-plugin";

const PLUGIN = 'require("./components/plugin/main").servePlugin([])';
/** A reference to a value of the program. */
const reference = (name: string) => `\${${name}}`;
const SECRET = `token: { fn::secret: "${reference("token")}" }`;
const closers = createClosers();
let engine: Engine;
let project: string;
let program: string;

beforeAll(async () => {
  const page = await readFile(join(REPOSITORY_ROOT, "docs", "library.md"), "utf8");
  const [, documented = ""] = /^```yaml\n(name: reports\n[\s\S]*?)^```$/m.exec(page) ?? [];
  // A secret of the settings is encrypted for one stack, so the program makes the secret itself.
  program = documented.replace("    secret: true\n", "").replace(`token: ${reference("token")}`, SECRET);
  const onProgress = console.log;
  const pulumi = await ensurePulumi({ stateDir: DEFAULT_STATE_DIR, onProgress });
  const host = await ensureYamlHost({ pulumi, stateDir: DEFAULT_STATE_DIR, onProgress });
  const folder = await createRunDir(runsDir(DEFAULT_STATE_DIR));
  closers.add(() => rm(folder, { recursive: true, force: true }));
  const awsProvider = await serveAwsProvider({ partitions: "preview", workingDirectory: REPOSITORY_ROOT });
  closers.add(() => awsProvider.close());
  const alicloud = await serveAlicloudProvider({ cloud: "preview" });
  closers.add(() => alicloud.close());
  const plugin = await startPlugin(["--import", "tsx", "--eval", PLUGIN]);
  closers.add(() => plugin.stop());
  project = join(folder, "program");
  await mkdir(project);
  await writeFile(join(project, "Pulumi.yaml"), program);
  await writeFile(join(project, "Pulumi.test.yaml"), `config:\n  reports:token: ${TOKEN}\n`);
  engine = await createEngine({
    installation: pulumi,
    binDirs: [host],
    projectDir: project,
    dataDir: join(folder, "engine"),
    providers: { aws: awsProvider.port, alicloud: alicloud.port, crossborder: plugin.port },
  });
}, 600_000);

beforeEach(quietly);
afterAll(() => closers.closeAll());

/** The plan of the program with another text in place of one of its own. */
async function planned(own = "", other = ""): Promise<PlannedResource[]> {
  expect(program).toContain(own);
  await writeFile(join(project, "Pulumi.yaml"), program.replace(own, other));
  return engine.plan({ stack: "test" });
}

const listed = (plan: readonly PlannedResource[]): string[] =>
  plan.map(({ type, urn }) => `${type} ${urn.split("::")[3]}`).sort();

/** The resources that a program in TypeScript declares for the same bridge. */
async function declared(): Promise<string[]> {
  const { resources } = parse(program) as { resources: { reports: { properties: CrossBorderBridgeArgs } } };
  const { source, destination, ...args } = resources.reports.properties;
  const recording = await recordResources(() => {
    const at = (side: string, { region }: { region: string }) => new aws.Provider(`reports-${side}`, { region });
    new CrossBorderBridge("reports", {
      ...args,
      token: TOKEN,
      source: { ...source, provider: at("source", source) },
      destination: { ...destination, provider: at("destination", destination) },
    });
  });
  return recording.list();
}

test("it plans the resources that a program in TypeScript declares", async () => {
  const plan = await planned();
  const own = listed(plan).filter((one) => !one.startsWith("pulumi:pulumi:Stack "));
  expect(own.length).toBeGreaterThan(50);
  expect(own).toEqual(await declared());
  expect(JSON.stringify(plan)).not.toContain(TOKEN);
});

test("the resources of each side have the provider of its region", async () => {
  const plan = await planned();
  const providerOf = (name: string) => plan.find(({ urn }) => urn.endsWith(`aws:lambda/function:Function::${name}`))?.provider;
  expect(providerOf("reports-sender")).toContain("::reports-source::");
  expect(providerOf("reports-receiver")).toContain("::reports-destination::");
  const regions = plan.filter(({ type }) => type === "pulumi:providers:aws").map(({ inputs }) => inputs?.region);
  expect(regions.sort()).toEqual(["cn-northwest-1", "us-east-1"]);
});

/** A second bridge from where the first one writes to. */
const onwards = ({ bucket, region }: { bucket: string; region: string }) => `
  onwards:
    type: crossborder:CrossBorderBridge
    properties:
      source: { cloud: aws-cn, region: "${region}", bucket: "${bucket}", adopt: true }
      destination: { cloud: alicloud, region: cn-shanghai, bucket: reports-shanghai }
      egress: static
      ${SECRET}
outputs:`;

test("a bucket's name may come from another resource", async () => {
  const second = onwards({ region: "cn-northwest-1", bucket: reference("reports.destinationBucket") });
  expect(listed(await planned("\noutputs:", second))).toContain("aws:lambda/function:Function onwards-sender");
});

test("a value that decides which resources there are, may not", async () => {
  const second = onwards({ region: reference("reports.destinationBucket"), bucket: "reports-china" });
  await expect(planned("\noutputs:", second)).rejects.toThrow(
    /CrossBorderBridge \\"onwards\\": source.region: known only while deploying, and it decides which resources there are/,
  );
});

test("a wrong argument is named as in TypeScript", async () => {
  await expect(planned("cloud: aws,", "cloud: AWS,")).rejects.toThrow(
    /CrossBorderBridge \\"reports\\": source.cloud = \\"AWS\\": not one of the choices; did you mean aws\?/,
  );
});
