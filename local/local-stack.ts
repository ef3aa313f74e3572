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
import { type ChangeSummary, createEngine, type Engine } from "./engine";
import type { OnProgress } from "./install-once";
import { type CloudName, type LocalClouds, startLocalClouds } from "./local-clouds";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT } from "./paths";
import { serveAlicloudProvider } from "./provider/alicloud-provider";
import { serveAwsProvider } from "./provider/aws-provider";
import type { ServedProvider } from "./provider/server";
import { ensurePulumi } from "./toolchain/pulumi";

const LOOPBACK = "127.0.0.1/32";

export interface LocalStackOptions {
  /** Reads `Pulumi.<stack>.yaml`. */
  stack: string;
  onProgress?: OnProgress;
  /** Each line that the engine prints. */
  onEngineLine?: (line: string) => void;
  /** Changes the stack's settings before they are used; keys as in the file, `crossborderbridge:scope` and so on. */
  settings?: Record<string, unknown>;
  /** The folder of Pulumi.yaml. @default the repository */
  projectDir?: string;
  /** Deploys to these, which then outlive the stack; how they were started is their owner's. */
  clouds?: LocalClouds;
  /** Record every request in each partition's `callsPath`. */
  recordCalls?: boolean;
  /** Keep the clouds' state over a restart of one of them. */
  persist?: boolean;
  stateDir?: string;
  /** Ends the start, wherever it is; whatever was started is stopped before the rejection. */
  signal?: AbortSignal;
}

/** A stack that the real engine has deployed to the local cloud. */
export interface LocalStack {
  readonly clouds: LocalClouds;
  /** Of the last `up`. */
  readonly outputs: BridgeOutputs;
  /** Of the first one. */
  readonly changes: ChangeSummary;
  /** The stack's settings as deployed last, without the signing secret. */
  readonly settings: Record<string, unknown>;
  readonly engine: Engine;
  /** `pulumi up` again, with other settings if given: each over those of the first time. */
  up(settings?: Record<string, unknown>): Promise<ChangeSummary>;
  destroy(): Promise<void>;
  /** Ends everything that was started here, whatever is deployed. */
  stop(): Promise<void>;
}

/** Installs what is missing, starts the local cloud and deploys the stack to it. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const stateDir = options.stateDir ?? DEFAULT_STATE_DIR;
  const progress = options.onProgress ?? (() => undefined);
  const closers = createClosers();
  const { signal } = options;
  const own = signal === undefined ? {} : { signal };
  const projectDir = options.projectDir ?? REPOSITORY_ROOT;
  const chosen = { ...(await readSettings(options.stack)), ...options.settings };
  const settings = { ...chosen, ...(isPull(chosen) ? openToLoopback(chosen, options.settings) : {}) };
  try {
    signal?.throwIfAborted();
    progress("setting up: function bundles, local clouds, Pulumi CLI");
    const [, clouds, installation] = await settled(
      process.env[BUNDLES_ARE_BUILT] === undefined ? buildFunctions() : undefined,
      options.clouds ??
        startLocalClouds({
          clouds: cloudsOf(settings),
          regions: sourceRegion(settings),
          stateDir,
          onProgress: progress,
          recordCalls: options.recordCalls ?? false,
          persist: options.persist ?? false,
          ...own,
        }).then((started) => {
          closers.add(() => started.stop());
          return started;
        }),
      ensurePulumi({ stateDir, onProgress: progress, ...own }),
    );
    signal?.throwIfAborted();
    const providers = await serveProviders(clouds, projectDir, closers);
    const dataDir = await mkdtemp(join(clouds.runDir, "engine-"));
    const engine = await createEngine({
      installation,
      projectDir,
      dataDir,
      providers,
      caPath: clouds.caPath,
      ...(options.onEngineLine ? { onLine: options.onEngineLine } : {}),
    });
    const token = generateSecret();
    await putTokenParameter(settings, clouds, token);
    const target = async (changed: Record<string, unknown> = {}) => ({
      stack: options.stack,
      configFile: await writeSettings(join(dataDir, "settings.yaml"), token, {
        ...settings,
        ...changed,
      }),
      ...own,
    });
    progress(`pulumi up --stack ${options.stack}`);
    let deployed = settings;
    const changes = await engine.up(await target());
    const readOutputs = async () => (await engine.stackOutputs(await target())) as unknown as BridgeOutputs;
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
        const done = await engine.up(await target(changed));
        deployed = { ...settings, ...changed };
        outputs = await readOutputs();
        return done;
      },
      destroy: async () => engine.destroy(await target()),
      stop: closers.closeAll,
    };
  } catch (error) {
    return closers.closeAfter(error);
  }
}

const SIDES = ["source", "destination"] as const;

/** Those that the two sides are in. */
export function cloudsOf(settings: Record<string, unknown>): CloudName[] {
  return SIDES.map((side) => (settings[`crossborderbridge:${side}`] as { cloud: CloudName }).cloud);
}

/** Whether requests cross the border: only they are signed, and only their receiver has an allowlist. */
function isPull(settings: Record<string, unknown>): boolean {
  const [source, destination] = cloudsOf(settings);
  return (settings["crossborderbridge:mode"] || defaultMode(source, destination)) === "pull";
}

/** A source's events stay in its region; the destination is asked by address. */
function sourceRegion(settings: Record<string, unknown>): { aws?: string; "aws-cn"?: string } {
  const { cloud, region } = settings["crossborderbridge:source"] as { cloud: CloudName; region: string };
  return cloud === "alicloud" ? {} : { [cloud]: region };
}

/** The packages of the clouds that are there, each on a port. */
async function serveProviders(clouds: LocalClouds, workingDirectory: string, closers: Closers): Promise<Record<string, number>> {
  const ports: Record<string, number> = {};
  const serve = async (name: string, starting: Promise<ServedProvider>) => {
    const { port, close } = await starting;
    closers.add(close);
    ports[name] = port;
  };
  if (clouds.has("aws")) await serve("aws", serveAwsProvider({ partitions: clouds, workingDirectory }));
  if (clouds.has("alicloud")) await serve("alicloud", serveAlicloudProvider({ cloud: clouds.alicloud }));
  return ports;
}

/** Own stacks lie at the root, as Pulumi wants them; the examples lie in a folder of theirs. */
const SETTINGS_FOLDERS = [REPOSITORY_ROOT, join(REPOSITORY_ROOT, "examples")];

/** @throws Error that names the stacks there are */
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
      // An own stack at the root may have the name of an example.
      if (stack !== undefined && !found.has(stack)) found.set(stack, join(folder, file));
    }
  }
  return found;
}

/** Local senders have one address. An allowlist that the caller gave is left as it is: it may be there to keep them out. */
function openToLoopback(settings: Record<string, unknown>, given: Record<string, unknown> = {}): Record<string, unknown> {
  const name = "crossborderbridge:allowedCidrs";
  return name in given ? {} : { [name]: [...new Set([...((settings[name] ?? []) as string[]), LOOPBACK])] };
}

/** A settings file of the run's own, with a fresh signing secret unless the stack names a parameter. */
async function writeSettings(path: string, token: string, settings: Record<string, unknown>): Promise<string> {
  const config = needsToken(settings) ? { ...settings, "crossborderbridge:token": token } : settings;
  await writeFile(path, stringify({ config }), { mode: 0o600 });
  return path;
}

/** Whether a stack of these settings has to be given its signing secret. */
export function needsToken(settings: Record<string, unknown>): boolean {
  return isPull(settings) && tokenParameterOf(settings) === undefined;
}

function tokenParameterOf(settings: Record<string, unknown>): string | undefined {
  return (settings["crossborderbridge:auth"] as { tokenParameter?: string } | undefined)?.tokenParameter;
}

/** What an operator does before the first `pulumi up` of a stack that names a parameter of its own. */
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
