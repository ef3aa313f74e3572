import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { parse, stringify } from "yaml";
import { defaultMode } from "../components/config/bridge-rules";
import type { BridgeOutputs } from "../components/config/settings";
import { generateSecret } from "../runtime/protocol/signing";
import { BUNDLES_ARE_BUILT, buildFunctions } from "../scripts/build-functions";
import { clientConfig } from "./aws/client-config";
import { type Closers, createClosers, settled } from "./closers";
import { type ChangeSummary, createEngine, type Engine, type StackOptions } from "./engine";
import type { OnProgress } from "./install-once";
import { alicloudAccount, type CloudName, type LocalClouds, startLocalClouds } from "./local-clouds";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT } from "./paths";
import { serveAlicloudProvider } from "./provider/alicloud-provider";
import { serveAwsProvider } from "./provider/aws-provider";
import type { ServedProvider } from "./provider/server";
import { ensurePulumi } from "./toolchain/pulumi";

const LOOPBACK = "127.0.0.1/32";

export interface LocalStackOptions {
  /** Reads `Pulumi.<stack>.yaml`. */
  stack: string;
  onProgress?: OnProgress | undefined;
  /** Each line that the engine prints. */
  onEngineLine?: ((line: string) => void) | undefined;
  /** Replaces settings of the file, by key, e.g. `crossborderbridge:scope`. */
  settings?: Record<string, unknown>;
  /** The folder of Pulumi.yaml. @default the repository */
  projectDir?: string;
  /** Running clouds to deploy to. `stop` leaves them running. @default new ones */
  clouds?: LocalClouds;
  /** Record every request in each partition's `callsPath`. */
  recordCalls?: boolean | undefined;
  /** Keep the state of an AWS partition across its restart. */
  persist?: boolean | undefined;
  /** How long, in ms, the clouds keep new roles, users and log stores from other services. @default see `LocalCloudsOptions` */
  propagationMs?: number | undefined;
  /** The real length of a minute in AWS schedule rates. @default 60_000 */
  scheduleMinuteMs?: number | undefined;
  stateDir?: string;
  /** Aborts the start, which then stops everything it started and rejects. */
  signal?: AbortSignal | undefined;
}

/** A stack that the real engine has deployed to the local cloud. */
export interface LocalStack {
  readonly clouds: LocalClouds;
  /** Outputs of the last `up`. */
  readonly outputs: BridgeOutputs;
  /** Changes of the first `up`. */
  readonly changes: ChangeSummary;
  /** Settings of the last `up`, without the signing secret. */
  readonly settings: Record<string, unknown>;
  readonly engine: Engine;
  /** `pulumi up` again. `settings` replaces settings of the first `up`, by key. */
  up(settings?: Record<string, unknown>): Promise<ChangeSummary>;
  /** `pulumi up --refresh` with the settings that the file has now: puts back what was changed or deleted in the clouds. */
  redeploy(): Promise<ChangeSummary>;
  /** The changes that `up` would make with these settings. */
  preview(settings?: Record<string, unknown>): Promise<ChangeSummary>;
  destroy(): Promise<void>;
  /** Stops everything that this stack started. It does not destroy the deployment first. */
  stop(): Promise<void>;
}

/** Installs missing tools, starts the local clouds and deploys the stack to them. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const { stack, signal, onProgress, projectDir = REPOSITORY_ROOT } = options;
  const wanted = await settingsToDeploy(options);
  const closers = createClosers();
  try {
    signal?.throwIfAborted();
    onProgress?.("setting up: function bundles, local clouds, Pulumi CLI");
    const { clouds, installation } = await setUp(options, wanted, closers);
    const settings = { ...restIn(clouds), ...wanted };
    signal?.throwIfAborted();
    const providers = await serveProviders(clouds, projectDir, closers);
    const dataDir = await mkdtemp(join(clouds.runDir, "engine-"));
    const engine = await createEngine({
      installation,
      projectDir,
      dataDir,
      providers,
      caPath: clouds.caPath,
      onLine: options.onEngineLine,
    });
    const token = generateSecret();
    await putTokenParameter(settings, clouds, token);
    const target = async (whole: Record<string, unknown>) => ({
      stack,
      configFile: await writeSettings(join(dataDir, "settings.yaml"), token, whole),
      signal,
    });
    const reread = async () => ({ ...restIn(clouds), ...(await settingsToDeploy(options)) });
    onProgress?.(`pulumi up --stack ${stack}`);
    return await deploy({ clouds, engine, settings, target, reread, stop: closers.closeAll });
  } catch (error) {
    return closers.closeAfter(error);
  }
}

async function settingsToDeploy({ stack, settings: given }: LocalStackOptions): Promise<Record<string, unknown>> {
  const settings = { ...(await readSettings(stack)), ...given };
  return isPull(settings) ? { ...settings, ...openToLoopback(settings, given) } : settings;
}

async function setUp(options: LocalStackOptions, settings: Record<string, unknown>, closers: Closers) {
  const { stateDir = DEFAULT_STATE_DIR, onProgress, recordCalls, persist, scheduleMinuteMs, propagationMs, signal } = options;
  const startClouds = async () => {
    const regions = sourceRegion(settings);
    const clouds = cloudsOf(settings);
    const request = { clouds, regions, stateDir, onProgress, recordCalls, persist, scheduleMinuteMs, propagationMs, signal };
    const started = await startLocalClouds(request);
    closers.add(() => started.stop());
    return started;
  };
  const [, clouds, installation] = await settled(
    process.env[BUNDLES_ARE_BUILT] === undefined ? buildFunctions() : undefined,
    options.clouds ?? startClouds(),
    ensurePulumi({ stateDir, onProgress, signal }),
  );
  return { clouds, installation };
}

/** New resources rest no longer than these clouds keep them from other services. Their times are in whole seconds. */
const restIn = ({ propagationMs }: LocalClouds): Record<string, unknown> => ({
  "crossborderbridge:settleSeconds": propagationMs === 0 ? 0 : Math.ceil(propagationMs / 1000) + 1,
});

interface Deployment extends Pick<LocalStack, "clouds" | "engine" | "settings" | "stop"> {
  /** Writes the settings. */
  target(settings: Record<string, unknown>): Promise<StackOptions>;
  /** The settings as the file has them now. */
  reread(): Promise<Record<string, unknown>>;
}

async function deploy({ clouds, engine, settings, target, reread, stop }: Deployment): Promise<LocalStack> {
  let deployed = settings;
  const up = async (wanted: Record<string, unknown>, refresh: boolean) => {
    const done = await engine.up({ ...(await target(wanted)), refresh });
    deployed = wanted;
    return done;
  };
  const readOutputs = async () => (await engine.stackOutputs(await target(deployed))) as unknown as BridgeOutputs;
  const changes = await up(settings, false);
  let outputs = await readOutputs();
  return {
    clouds,
    get outputs() {
      return outputs;
    },
    changes,
    get settings() {
      return deployed;
    },
    engine,
    async up(changed) {
      const done = await up({ ...settings, ...changed }, false);
      outputs = await readOutputs();
      return done;
    },
    async redeploy() {
      const wanted = await reread();
      assertSameClouds(settings, wanted);
      const done = await up(wanted, true);
      outputs = await readOutputs();
      return done;
    },
    preview: async (changed) => engine.preview(await target({ ...settings, ...changed })),
    destroy: async () => engine.destroy(await target(deployed)),
    stop,
  };
}

const SIDES = ["source", "destination"] as const;

/** The clouds of the source and the destination. */
export function cloudsOf(settings: Record<string, unknown>): CloudName[] {
  return SIDES.map((side) => (settings[`crossborderbridge:${side}`] as { cloud: CloudName }).cloud);
}

/** The clouds that run are those of the first deployment. */
function assertSameClouds(first: Record<string, unknown>, wanted: Record<string, unknown>): void {
  const places = (settings: Record<string, unknown>) => JSON.stringify([cloudsOf(settings), sourceRegion(settings)]);
  if (places(first) !== places(wanted))
    throw new Error("the settings name other clouds, or another region of the source: end npm start and start it again");
}

/** In pull mode a signed request crosses the border, and its receiver has an allowlist. */
function isPull(settings: Record<string, unknown>): boolean {
  const [source, destination] = cloudsOf(settings);
  return (settings["crossborderbridge:mode"] || defaultMode(source, destination)) === "pull";
}

/** The emulator delivers events only within its own region, so it runs in the region of the source. */
export function sourceRegion(settings: Record<string, unknown>): { aws?: string; "aws-cn"?: string } {
  const { cloud, region } = settings["crossborderbridge:source"] as { cloud: CloudName; region: string };
  return cloud === "alicloud" ? {} : { [cloud]: region };
}

/** Serves the provider packages of the running clouds. @returns the port of each package */
async function serveProviders(clouds: LocalClouds, workingDirectory: string, closers: Closers): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  const serve = async (name: string, starting: Promise<ServedProvider>) => {
    const { port, close } = await starting;
    closers.add(close);
    ports[name] = port;
  };
  const { propagationMs } = clouds;
  if (clouds.has("aws")) await serve("aws", serveAwsProvider({ partitions: clouds, workingDirectory, propagationMs }));
  if (clouds.has("alicloud")) await serve("alicloud", serveAlicloudProvider({ cloud: alicloudAccount(clouds.alicloud) }));
  return ports;
}

/** Pulumi reads a user's own stacks at the root; the examples have their own folder. */
const SETTINGS_FOLDERS = [REPOSITORY_ROOT, join(REPOSITORY_ROOT, "examples")];

/** @throws Error that lists the known stacks */
export async function readSettings(stack: string): Promise<Record<string, unknown>> {
  const path = (await settingsFiles()).get(stack);
  if (path === undefined) throw new Error(`there is no stack "${stack}"; there are: ${(await listStacks()).join(", ")}`);
  return ((parse(await readFile(path, "utf8")) ?? {}) as { config?: Record<string, unknown> }).config ?? {};
}

/** The stacks that have settings in the repository, sorted by name. */
export async function listStacks(): Promise<string[]> {
  return [...(await settingsFiles()).keys()].sort();
}

async function settingsFiles(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of SETTINGS_FOLDERS) {
    for (const file of await readdir(folder)) {
      const stack = /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1];
      // A stack at the root takes precedence over an example of the same name.
      if (stack !== undefined && !found.has(stack)) found.set(stack, join(folder, file));
    }
  }
  return found;
}

/** Adds the address of the local senders to the allowlist, unless the caller gave its own. */
function openToLoopback(settings: Record<string, unknown>, given: Record<string, unknown> = {}): Record<string, unknown> {
  const name = "crossborderbridge:allowedCidrs";
  return name in given ? {} : { [name]: [...new Set([...((settings[name] ?? []) as string[]), LOOPBACK])] };
}

/** Writes the settings, with the signing secret unless the stack names a parameter for it. */
async function writeSettings(path: string, token: string, settings: Record<string, unknown>): Promise<string> {
  const config = needsToken(settings) ? { ...settings, "crossborderbridge:token": token } : settings;
  await writeFile(path, stringify({ config }), { mode: 0o600 });
  return path;
}

/** True when the signing secret must be in the settings. */
export function needsToken(settings: Record<string, unknown>): boolean {
  return isPull(settings) && tokenParameterOf(settings) === undefined;
}

function tokenParameterOf(settings: Record<string, unknown>): string | undefined {
  return (settings["crossborderbridge:auth"] as { tokenParameter?: string } | undefined)?.tokenParameter;
}

/** Creates the parameter of the signing secret, as an operator does before the first `pulumi up`. */
async function putTokenParameter(settings: Record<string, unknown>, clouds: LocalClouds, token: string): Promise<void> {
  const name = tokenParameterOf(settings);
  if (name === undefined) return;
  if (clouds.has("alicloud"))
    for (const region of clouds.alicloud.regions) clouds.alicloud.secrets.put(region, { name, value: token });
  if (!clouds.has("aws")) return;
  for (const side of SIDES) {
    const { cloud, region } = settings[`crossborderbridge:${side}`] as { cloud: CloudName; region: string };
    if (cloud === "alicloud") continue;
    const client = new SSMClient({ ...clientConfig(clouds[cloud]), region });
    await client.send(new PutParameterCommand({ Name: name, Type: "SecureString", Value: token, Overwrite: true }));
    client.destroy();
  }
}
