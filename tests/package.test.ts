/** Packs the package, unpacks it in another folder, and compiles and runs a Pulumi program against it. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import ts from "typescript";
import { buildCommand } from "../scripts/build-command";
import { buildPackage } from "../scripts/build-package";
import { startPlugin } from "./languages/running-plugin";
import { modulesOf } from "./support/module-graph";
import { recordResources } from "./support/record-resources";

const ROOT = join(__dirname, "..");
const run = promisify(execFile);

interface Manifest {
  name: string;
  version: string;
  main: string;
  bin: Record<string, string>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

const CONSUMER = `
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import {
  type AuthArgs,
  type BridgeConfig,
  type BridgeSettings,
  type Cloud,
  ConfigInvalid,
  type CopyArgs,
  CrossBorderBridge,
  type CrossBorderBridgeArgs,
  type DestinationArgs,
  type DestinationSettings,
  type LifecycleRuleArgs,
  type Mode,
  NativeReplication,
  type NativeReplicationArgs,
  on,
  type ParseOptions,
  parseBridgeConfig,
  type ProbeArgs,
  type RateLimitArgs,
  type ReplicatedBucket,
  type ReplicationArgs,
  type ReplicationRule,
  type ReplicationRuleArgs,
  type ReplicationSettings,
  type ResourceClass,
  type S3StorageClass,
  type ScopeArgs,
  type SourceArgs,
  type SourceSettings,
  type Statement,
  type TimeoutsArgs,
  type Transform,
  type TransitionArgs,
  TwoWayReplication,
  type TwoWayReplicationArgs,
} from "crossborderbridge";

export function declare(): CrossBorderBridge {
  const args: CrossBorderBridgeArgs = {
    source: { cloud: "aws", region: "us-east-1", bucket: "reports-global", provider: new aws.Provider("global", { region: "us-east-1" }) },
    destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "reports-china", provider: new aws.Provider("china", { region: "cn-north-1" }) },
    egress: "static",
    token: pulumi.secret(${JSON.stringify(Buffer.alloc(32, 1).toString("base64"))}),
    transform: [on(aws.sqs.Queue, (queue, opts, name) => { if (name === "reports-queue") queue.maxMessageSize = 262144; })],
  };
  const bridge = new CrossBorderBridge("reports", args);
  const url: pulumi.Output<string> | undefined = bridge.receiverUrl;
  void url;
  return bridge;
}

// Parts of the arguments, each in a variable of its own, as a larger program has them.
const cloud: Cloud = "aws";
const mode: Mode = "native";
const auth: AuthArgs = { kind: "iam" };
const copy: CopyArgs = { partSizeBytes: 33554432, concurrency: 4 };
const scope: ScopeArgs = { prefixes: ["finance/"], maxSizeBytes: 1073741824 };
const timeouts: TimeoutsArgs = { senderSeconds: 120 };
const rateLimit: RateLimitArgs = { requestsPerSecond: 20, burst: 40 };
const probe: ProbeArgs = { enabled: true, everyMinutes: 5 };
const toArchive: TransitionArgs = { days: 90, storageClass: "GLACIER" };
const lifecycle: LifecycleRuleArgs[] = [{ id: "archive", transitions: [toArchive] }];
const storageClass: S3StorageClass = "STANDARD_IA";
const ruleOfBridge: ReplicationRuleArgs = { id: "all", priority: 1, storageClass };
const replication: ReplicationArgs = { rules: [ruleOfBridge], timeControl: true };
const from: SourceSettings = { cloud, region: "us-east-1", bucket: "reports-us" };
const to: DestinationSettings = { cloud, region: "eu-west-1", bucket: "reports-eu", lifecycle };
const settings: BridgeSettings = { source: from, destination: to, mode, replication, scope, auth, copy, timeouts, rateLimit, probe };

export function declareAll(provider: aws.Provider): void {
  const source: SourceArgs = { ...from, provider };
  const destination: DestinationArgs = { ...to, provider };
  const queues: ResourceClass<aws.sqs.QueueArgs, aws.sqs.Queue> = aws.sqs.Queue;
  const transform: Transform[] = [on(queues, (queue) => { queue.fifoQueue = false; })];
  const bridge = new CrossBorderBridge("all", { ...settings, source, destination, transform });
  void bridge;
  const rule: ReplicationRule = { id: "all", priority: 1 };
  const shared: ReplicationSettings = { rules: [rule], deletes: "replicate" };
  const allow = (statements: pulumi.Output<Statement[]>): pulumi.Resource =>
    new aws.s3.BucketPolicy("replicas", { bucket: "reports-eu", policy: statements.apply((list) => JSON.stringify({ Statement: list })) });
  const first: ReplicatedBucket = { bucketName: "reports-us", bucketArn: "arn:aws:s3:::reports-us", region: "us-east-1", provider };
  const second: ReplicatedBucket = { bucketName: "reports-eu", bucketArn: "arn:aws:s3:::reports-eu", region: "eu-west-1", provider, allow };
  const oneWay: NativeReplicationArgs = { ...shared, source: first, destination: second };
  const twoWay: TwoWayReplicationArgs = { ...shared, first, second };
  void [new NativeReplication("one-way", oneWay), new TwoWayReplication("two-way", twoWay)];
}

export function modeOf(raw: Record<string, unknown>): string {
  const options: ParseOptions = { stack: "reports", tokenIsDeferred: true };
  const config: BridgeConfig = parseBridgeConfig(raw, options);
  return config.mode;
}

export const isConfigInvalid = (error: unknown): boolean => error instanceof ConfigInvalid;
`;

let manifest: Manifest;
let folder: string;
let installed: string;
let packed: { path: string; size: number }[];

beforeAll(async () => {
  manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as Manifest;
  await buildPackage();
  await buildCommand();
  folder = await realpath(await mkdtemp(join(tmpdir(), "crossborderbridge-package-")));
  // The work of prepack is done by `buildPackage` and by the global setup of the tests.
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: ROOT });
  const [tarball] = JSON.parse(stdout) as [{ filename: string; files: { path: string; size: number }[] }];
  packed = tarball.files;
  installed = join(folder, "node_modules", manifest.name);
  await mkdir(installed, { recursive: true });
  await run("tar", ["-xzf", join(folder, basename(tarball.filename)), "-C", installed, "--strip-components=1"]);
  // Links only the declared dependencies, like an install from a registry.
  const needed = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies), "@types/node"];
  for (const name of needed) {
    const link = join(folder, "node_modules", name);
    await mkdir(join(link, ".."), { recursive: true });
    await symlink(join(ROOT, "node_modules", name), link);
  }
  await writeFile(join(folder, "index.ts"), CONSUMER);
}, 240_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

test("it contains the command and its page, the components, the plugin, the bundles and their declarations, and nothing else", () => {
  const paths = packed.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "README.md",
      "package.json",
      "PulumiPlugin.yaml",
      "plugin.js",
      "dist/cli/crossborderbridge.mjs",
      "dist/page/index.html",
      "dist/page/app.js",
      "dist/components/index.js",
      "dist/components/index.d.ts",
      "dist/components/plugin/main.js",
      "dist/functions/aws-lambda/sender/index.js",
      "dist/functions/aws-lambda/receiver/index.js",
      "dist/functions/aws-lambda/copier/index.js",
      "dist/functions/aws-lambda/notifier/index.js",
      "dist/functions/alicloud-fc/pusher.zip",
      "dist/runtime/protocol/env.js",
    ]),
  );
  const others = paths.filter(
    (path) =>
      !/^(LICENSE|README(\.zh-CN)?\.md|package\.json|PulumiPlugin\.yaml|plugin\.js|dist\/(components|cost|functions|page|runtime)\/.+|dist\/cli\/\w+\.mjs)$/.test(
        path,
      ),
  );
  expect(others).toEqual([]);
  expect(packed.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(8 * 1024 * 1024);
});

test("every import of its modules is a declared dependency", async () => {
  const scripts = packed.map(({ path }) => path).filter((path) => /^dist\/(components|runtime)\/.+\.js$/.test(path));
  const texts: Record<string, string> = {};
  for (const path of scripts) texts[path] = await readFile(join(installed, path), "utf8");
  const bare = new Set(
    modulesOf(texts)
      .flatMap(({ imports }) => imports.map(({ specifier }) => specifier))
      .filter((specifier) => !specifier.startsWith(".") && !builtinModules.includes(specifier.replace(/^node:/, "")))
      .map((specifier) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0]),
  );
  expect([...bare].sort()).toEqual([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)].sort());
});

test("its command starts with the declared dependencies alone", async () => {
  const command = join(installed, manifest.bin.crossborderbridge ?? "");
  const { stdout } = await run(process.execPath, [command, "--version"], { cwd: folder });
  expect(stdout).toBe(`${manifest.version}\n`);
  const help = await run(process.execPath, [command, "verify", "--help"], { cwd: folder });
  expect(help.stdout).toMatch(/^Usage: crossborderbridge verify /);
  const outputs = join(folder, "bridge.json");
  await writeFile(outputs, "{}");
  // Everything that opens a bridge is loaded by then.
  const failed = run(process.execPath, [command, "status", "--outputs", outputs], { cwd: folder });
  await expect(failed).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/bridge\.json describes no bridge/) });
});

test("its command reads stacks with Pulumi's package of the program", async () => {
  const command = join(installed, manifest.bin.crossborderbridge ?? "");
  // Pulumi's package is loaded before it looks for Pulumi's command, which this PATH does not have.
  const failed = run(process.execPath, [command, "status", "--stack", "dev"], { cwd: folder, env: { PATH: folder } });
  await expect(failed).rejects.toMatchObject({ stderr: expect.stringMatching(/^the command pulumi is not there/) });
});

test("the first file of its command is small: others are read when a command needs them", () => {
  const files = packed.filter(({ path }) => path.startsWith("dist/cli/"));
  const entry = files.find(({ path }) => path === "dist/cli/crossborderbridge.mjs");
  expect(entry?.size).toBeLessThan(100 * 1024);
  expect(files.length).toBeGreaterThan(10);
});

test.each([
  ["node10", { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 }],
  ["node16", { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 }],
])(
  "a program compiles against its declarations (%s)",
  (_, resolution) => {
    const program = compile(resolution);
    const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(folder));
    expect(own.map(({ fileName }) => fileName)).toContain(join(installed, "dist", "components", "index.d.ts"));
    const problems = [
      ...program.getOptionsDiagnostics(),
      ...own.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
    ];
    expect(
      problems.map(({ messageText, file }) => `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`),
    ).toEqual([]);
  },
  240_000,
);

test("a program declares a bridge with it, and the handlers come with the package", async () => {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  await writeFile(join(folder, "index.js"), ts.transpileModule(CONSUMER, { compilerOptions }).outputText);
  jest.spyOn(console, "warn").mockImplementation(() => undefined);
  const consumer = require(join(folder, "index.js")) as { declare(): unknown; isConfigInvalid(error: unknown): boolean };
  const recording = await recordResources(() => consumer.declare());
  expect(recording.get("reports", "crossborder:index:CrossBorderBridge").outputsRegistered).toBe(true);
  expect(recording.get("reports-queue").inputs.maxMessageSize).toBe(262144);
  for (const role of ["sender", "receiver", "copier"]) {
    const { code } = recording.get(`reports-${role}`, "aws:lambda/function:Function").inputs as {
      code: { path: Promise<string> };
    };
    const path = await code.path;
    expect([role, await readdir(path)]).toEqual([role, ["index.js"]]);
    expect(path).toBe(join(installed, "dist", "functions", "aws-lambda", role));
  }
});

test("it is the plugin for other languages, which Pulumi starts by the `main` of its package.json", async () => {
  const plugin = await startPlugin([join(installed, manifest.main)]);
  try {
    const schema: unknown = JSON.parse(await plugin.schema());
    expect(schema).toEqual(JSON.parse(await readFile(join(ROOT, "tests", "golden", "plugin-schema.json"), "utf8")));
  } finally {
    await plugin.stop();
  }
});

test("the lockfile names the binaries of every platform", async () => {
  interface Locked {
    optionalDependencies?: Record<string, string>;
    resolved?: string;
    integrity?: string;
    link?: boolean;
  }
  const { packages } = JSON.parse(await readFile(join(ROOT, "package-lock.json"), "utf8")) as {
    packages: Record<string, Locked>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
    ),
  );
  // `npm ci` refuses a lockfile without them.
  expect(missing).toEqual([]);
  // Without its hash a package is installed unchecked. `npm install` leaves the hash out for a platform that it does not install.
  const installed = Object.entries(packages).filter(([path, { link }]) => path.includes("node_modules/") && !link);
  expect(installed.filter(([, { integrity = "" }]) => !integrity.startsWith("sha512-")).map(([path]) => path)).toEqual([]);
  // Without addresses the lockfile works with every registry.
  expect(Object.values(packages).filter(({ resolved }) => resolved?.startsWith("http"))).toEqual([]);
});

/** Parsed source files. @pulumi/aws has thousands of declaration files, so each is parsed once. */
const parsed = new Map<string, ts.SourceFile | undefined>();

function compile(resolution: ts.CompilerOptions): ts.Program {
  const options: ts.CompilerOptions = {
    ...resolution,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    exactOptionalPropertyTypes: true,
    types: ["node"],
    typeRoots: [join(folder, "node_modules", "@types")],
  };
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (path, how, ...rest) => {
    if (!parsed.has(path)) parsed.set(path, read(path, how, ...rest));
    return parsed.get(path);
  };
  return ts.createProgram([join(folder, "index.ts")], options, host);
}
