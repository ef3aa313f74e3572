import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { generateSecret } from "../runtime/protocol/signing";
import { buildFunctions } from "../scripts/build-functions";
import { type LocalAws, startLocalAws } from "./aws/local-aws";
import { type ChangeSummary, createEngine, type Engine } from "./engine";
import type { OnProgress } from "./install-once";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT } from "./paths";
import { serveAwsProvider } from "./provider/aws-provider";
import { ensurePulumi } from "./toolchain/pulumi";

export interface LocalStackOptions {
  /** Reads `Pulumi.<stack>.yaml`. */
  stack: string;
  onProgress?: OnProgress;
  /** Each line that the engine prints. */
  onEngineLine?: (line: string) => void;
  /** Changes the stack's settings before they are used; keys as in the file, `crossborderbridge:scope` and so on. */
  settings?: Record<string, unknown>;
  cloudTrail?: boolean;
  /** Keep the clouds' state over a restart of one of them. */
  persist?: boolean;
  stateDir?: string;
  signal?: AbortSignal;
}

/** A stack that the real engine has deployed to the local cloud. */
export interface LocalStack {
  readonly clouds: LocalAws;
  readonly outputs: StackOutputs;
  readonly changes: ChangeSummary;
  readonly engine: Engine;
  /** `pulumi up` again, with other settings if given. */
  up(settings?: Record<string, unknown>): Promise<ChangeSummary>;
  destroy(): Promise<void>;
  /** Ends everything that was started, whatever is deployed. */
  stop(): Promise<void>;
}

/** What index.ts exports. */
export interface StackOutputs {
  sourceBucket: string;
  destinationBucket: string;
  receiverUrl: string;
  queueUrl?: string;
  deadLetterQueueUrl: string;
  senderFunctionName: string;
  receiverFunctionName: string;
  copierFunctionName: string;
}

/** Which local partition a region belongs to. */
export function cloudOf(clouds: LocalAws, region: string) {
  return region.startsWith("cn-") ? clouds["aws-cn"] : clouds.aws;
}

/** Installs what is missing, starts the local cloud and deploys the stack to it. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const stateDir = options.stateDir ?? DEFAULT_STATE_DIR;
  const progress = options.onProgress ?? (() => undefined);
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    progress("setting up: function bundles, local clouds, Pulumi CLI");
    const [, clouds, installation] = await settled(
      buildFunctions(),
      startLocalAws({ stateDir, onProgress: progress, cloudTrail: options.cloudTrail ?? false, persist: options.persist ?? false }).then(
        (started) => {
          closers.push(() => started.stop());
          return started;
        },
      ),
      ensurePulumi({ stateDir, onProgress: progress }),
    );
    const provider = await serveAwsProvider({ partitions: clouds, workingDirectory: REPOSITORY_ROOT });
    closers.push(() => provider.close());
    const engine = await createEngine({
      installation,
      projectDir: REPOSITORY_ROOT,
      dataDir: join(clouds.runDir, "engine"),
      providers: { aws: provider.port },
      caPath: clouds.caPath,
      ...(options.onEngineLine ? { onLine: options.onEngineLine } : {}),
    });
    const token = generateSecret();
    const target = async (settings: Record<string, unknown> = {}) => ({
      stack: options.stack,
      configFile: await writeSettings(options.stack, clouds.runDir, token, { ...options.settings, ...settings }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
    progress(`pulumi up --stack ${options.stack}`);
    const changes = await engine.up(await target());
    const outputs = (await engine.stackOutputs(await target())) as unknown as StackOutputs;
    return {
      clouds,
      outputs,
      changes,
      engine,
      up: async (settings) => engine.up(await target(settings)),
      destroy: async () => engine.destroy(await target()),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** All of them, or the first failure once all are over: nothing is started behind the back of the clean-up. */
async function settled<T extends readonly unknown[]>(...work: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}

/** The stack's own settings with a fresh signing secret, where the stack names no parameter of its own. */
async function writeSettings(stack: string, folder: string, token: string, settings: Record<string, unknown>): Promise<string> {
  const path = join(REPOSITORY_ROOT, `Pulumi.${stack}.yaml`);
  const file = (parse(await readFile(path, "utf8")) ?? {}) as { config?: Record<string, unknown> };
  const config: Record<string, unknown> = { ...file.config, ...settings };
  const auth = config["crossborderbridge:auth"] as { tokenParameter?: string } | undefined;
  if (auth?.tokenParameter === undefined) config["crossborderbridge:token"] = token;
  const target = join(folder, `settings.${stack}.yaml`);
  await writeFile(target, stringify({ ...file, config }), { mode: 0o600 });
  return target;
}
