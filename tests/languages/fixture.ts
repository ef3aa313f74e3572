/** The programs of docs/library.md, and the real engine that previews them with the local providers. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as aws from "@pulumi/aws";
import { parse } from "yaml";
import { CrossBorderBridge, type CrossBorderBridgeArgs } from "../../components";
import type { Closers } from "../../local/closers";
import { createEngine, type Engine, type PlannedResource } from "../../local/engine";
import { createRunDir, DEFAULT_STATE_DIR, REPOSITORY_ROOT, runsDir } from "../../local/paths";
import { serveAlicloudProvider } from "../../local/provider/alicloud-provider";
import { serveAwsProvider } from "../../local/provider/aws-provider";
import { ensureLanguageHost, ensurePolicyRunner, type HostedLanguage } from "../../local/toolchain/language-hosts";
import { ensurePulumi } from "../../local/toolchain/pulumi";
import { TOKEN } from "../components/bridge-fixture";
import { recordResources } from "../support/record-resources";
import { type RunningPlugin, startPlugin } from "./running-plugin";

/** Of a tool that is built or installed the first time. */
export const INSTALLATION = { stateDir: DEFAULT_STATE_DIR, onProgress: console.log };

/** The first program of the page in this language. */
export async function documentedProgram(language: "go" | "python" | "ts" | "yaml"): Promise<string> {
  const page = await readFile(join(REPOSITORY_ROOT, "docs", "library.md"), "utf8");
  const [, program] = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page) ?? [];
  if (program === undefined) throw new Error(`docs/library.md has no program in ${language}`);
  return program;
}

/** A reference to a value of a YAML program. */
export const reference = (name: string): string => `\${${name}}`;
export const SECRET = `token: { fn::secret: "${reference("token")}" }`;

/** A secret of the settings is encrypted for one stack, so the YAML program makes the secret itself. */
export async function yamlProgram(): Promise<string> {
  const documented = await documentedProgram("yaml");
  return documented.replace("    secret: true\n", "").replace(`token: ${reference("token")}`, SECRET);
}

export interface ProgramOptions {
  /** By path in the program's folder, with `Pulumi.yaml`. */
  files: Record<string, string>;
  /** Its settings. @default {} */
  config?: Record<string, string>;
  /** None for a program in JavaScript: the CLI has that host. */
  language?: HostedLanguage;
  /** Further folders for the engine's PATH. @default [] */
  binDirs?: readonly string[];
  /** The engine starts no plugin, and attaches to this one. */
  plugin?: RunningPlugin;
  /** Folders of policy packs in Node.js. The program is then of another language. @default [] */
  policyPacks?: readonly string[];
}

export interface PreparedProgram {
  folder: string;
  engine: Engine;
}

/** Writes the program and prepares the engine for it. `folder` is made unless it is given. */
export async function prepareProgram(
  closers: Closers,
  { files, config = {}, language, binDirs = [], plugin, policyPacks = [] }: ProgramOptions,
  folder?: string,
): Promise<PreparedProgram> {
  const pulumi = await ensurePulumi(INSTALLATION);
  const hosts = language === undefined ? [] : [await ensureLanguageHost(language, { ...INSTALLATION, pulumi })];
  const run = await createRunDir(runsDir(DEFAULT_STATE_DIR));
  closers.add(() => rm(run, { recursive: true, force: true }));
  const awsProvider = await serveAwsProvider({ partitions: "preview", workingDirectory: REPOSITORY_ROOT });
  closers.add(() => awsProvider.close());
  const alicloud = await serveAlicloudProvider({ cloud: "preview" });
  closers.add(() => alicloud.close());
  const program = folder ?? join(run, "program");
  const settings = Object.entries(config).map(([key, value]) => `  ${key}: ${JSON.stringify(value)}\n`);
  const written = { ...files, "Pulumi.test.yaml": `config:\n${settings.join("")}` };
  for (const [path, text] of Object.entries(written)) {
    await mkdir(dirname(join(program, path)), { recursive: true });
    await writeFile(join(program, path), text);
  }
  const engine = await createEngine({
    installation: policyPacks.length === 0 ? pulumi : await ensurePolicyRunner({ ...INSTALLATION, pulumi }),
    binDirs: [...hosts, ...binDirs],
    policyPacks,
    projectDir: program,
    dataDir: join(run, "engine"),
    providers: {
      ...{ aws: awsProvider.port, alicloud: alicloud.port },
      ...(plugin === undefined ? {} : { crossborder: plugin.port }),
    },
  });
  return { folder: program, engine };
}

/** The plugin of this repository. */
export const startOwnPlugin = (): Promise<RunningPlugin> =>
  startPlugin(["--import", "tsx", "--eval", 'require("./components/plugin/main").servePlugin([])']);

/** Without providers: programs in TypeScript name their own. */
export const withoutProviders = (plan: readonly string[]): string[] => plan.filter((one) => !one.startsWith("pulumi:providers:"));

/** Without the stack. */
export const listed = (plan: readonly PlannedResource[]): string[] =>
  plan
    .map(({ type, urn }) => `${type} ${urn.split("::")[3]}`)
    .filter((one) => !one.startsWith("pulumi:pulumi:Stack "))
    .sort();

/** The resources that a program in TypeScript declares for the bridge of the page. */
export async function declaredResources(): Promise<string[]> {
  const { resources } = parse(await documentedProgram("yaml")) as {
    resources: { reports: { properties: CrossBorderBridgeArgs } };
  };
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
