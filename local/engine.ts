import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { SDK_ENVIRONMENT } from "./aws/client-config";
import { isErrno } from "./errno";
import { runCommand } from "./run-command";
import type { PulumiInstallation } from "./toolchain/pulumi";

export interface EngineOptions {
  installation: PulumiInstallation;
  /** Folders with further language hosts. @default [] */
  binDirs?: readonly string[];
  /** The folder of Pulumi.yaml. */
  projectDir: string;
  /** Holds the engine's home and the stacks' state. */
  dataDir: string;
  /** Ports of running providers by package, e.g. `{ aws: 40001 }`. */
  providers: Record<string, number>;
  /** Folders of policy packs, which every `up` and preview must pass. @default [] */
  policyPacks?: readonly string[];
  /** PEM that the program's TLS clients trust. */
  caPath?: string | undefined;
  /** Each line that `pulumi` prints. */
  onLine?: ((line: string) => void) | undefined;
}

export interface StackOptions {
  stack: string;
  /** @default `Pulumi.<stack>.yaml`; it is only read */
  configFile?: string;
  /** Interrupts the operation, which then rejects once the engine has exited. */
  signal?: AbortSignal | undefined;
}

export interface Refresh {
  /** Reads every resource first, so that what was changed or deleted otherwise is put back. */
  refresh?: boolean;
}

export interface ChangeSummary {
  create?: number;
  update?: number;
  delete?: number;
  replace?: number;
  same?: number;
}

/** The Pulumi engine with its own state and settings. It reads neither the user's Pulumi settings nor cloud accounts. */
export interface Engine {
  /** Deploys. Creates the stack the first time. Resolves to the number of resources by kind of change. */
  up(options: StackOptions & Refresh): Promise<ChangeSummary>;
  /** The changes that `up` would make. */
  preview(options: StackOptions & Refresh): Promise<ChangeSummary>;
  /** The resources that `up` would make, from `pulumi preview --json`. Secrets are masked. */
  plan(options: StackOptions): Promise<PlannedResource[]>;
  /** Deletes every resource and the stack. */
  destroy(options: StackOptions): Promise<void>;
  /** Secrets in plain text. */
  stackOutputs(options: StackOptions): Promise<Record<string, unknown>>;
  /** The stack's state. Secrets are in plain text unless `keepSecrets` is set. */
  exportStack(options: StackOptions & { keepSecrets?: boolean }): Promise<StackExport>;
}

/** One step of `pulumi preview --json`, https://www.pulumi.com/docs/iac/cli/commands/pulumi_preview/. */
export interface PlannedResource {
  urn: string;
  type: string;
  inputs?: Record<string, unknown>;
  parent?: string;
  provider?: string;
  protect?: boolean;
  retainOnDelete?: boolean;
  dependencies?: string[];
  aliases?: string[];
}

export interface StackExport {
  version: number;
  deployment: {
    resources?: {
      urn: string;
      type: string;
      id?: string;
      inputs?: Record<string, unknown>;
      outputs?: Record<string, unknown>;
      parent?: string;
    }[];
  };
}

const PROGRAM_ENVIRONMENT = /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|NODE_OPTIONS|NODE_NO_WARNINGS)$/;

export async function createEngine(options: EngineOptions): Promise<Engine> {
  const backend = join(options.dataDir, "stacks");
  await mkdir(backend, { recursive: true });
  const env = engineEnvironment(options, backend);
  const shadow = await ShadowProject.create(options.projectDir, join(options.dataDir, "project"));
  const pulumi = (cwd: string, args: string[], { signal }: StackOptions, onLine?: (line: string) => void) =>
    runCommand(options.installation.pulumiPath, [...args, "--non-interactive", "--color", "never", "--cwd", cwd], {
      env,
      signal,
      onLine,
    });
  const policies = (options.policyPacks ?? []).flatMap((folder) => ["--policy-pack", folder]);
  const operate = async (operation: string[], target: StackOptions) => {
    const events = join(options.dataDir, `${target.stack}.events.jsonl`);
    await rm(events, { force: true });
    const where = ["--stack", target.stack, "--config-file", shadow.configFile(target.stack), "--event-log", events];
    await pulumi(options.projectDir, [...operation, ...where], target, options.onLine);
    return summaryOf(await readFile(events, "utf8"));
  };
  const prepare = async (target: StackOptions) => {
    await shadow.writeConfig(target.stack, target.configFile);
    await pulumi(shadow.folder, ["stack", "select", "--create", "--stack", target.stack], target);
  };

  return {
    up: async (target) => {
      await prepare(target);
      return operate(["up", "--yes", "--skip-preview", ...policies, ...refreshFlag(target)], target);
    },
    preview: async (target) => {
      await prepare(target);
      return operate(["preview", ...policies, ...refreshFlag(target)], target);
    },
    plan: async (target) => {
      await prepare(target);
      const where = ["--stack", target.stack, "--config-file", shadow.configFile(target.stack)];
      const { stdout } = await pulumi(options.projectDir, ["preview", "--json", ...policies, ...where], target);
      const { steps } = JSON.parse(stdout) as { steps: { newState: PlannedResource }[] };
      return steps.map(({ newState }) => newState);
    },
    destroy: async (target) => {
      await prepare(target);
      await operate(["destroy", "--yes", "--skip-preview"], target);
      await pulumi(shadow.folder, ["stack", "rm", "--yes", "--stack", target.stack], target);
    },
    stackOutputs: async (target) => {
      const args = ["stack", "output", "--json", "--show-secrets", "--stack", target.stack];
      return JSON.parse((await pulumi(shadow.folder, args, target)).stdout) as Record<string, unknown>;
    },
    exportStack: async (target) => {
      const args = ["stack", "export", ...(target.keepSecrets ? [] : ["--show-secrets"]), "--stack", target.stack];
      return JSON.parse((await pulumi(shadow.folder, args, target)).stdout) as StackExport;
    },
  };
}

const refreshFlag = ({ refresh }: Refresh): string[] => (refresh ? ["--refresh"] : []);

export function engineEnvironment(options: EngineOptions, backend: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => PROGRAM_ENVIRONMENT.test(name));
  const providers = Object.entries(options.providers).map(([name, port]) => `${name}:${port}`);
  const path = [options.installation.binDir, ...(options.binDirs ?? []), dirname(process.execPath), process.env.PATH ?? ""];
  return {
    ...Object.fromEntries(kept),
    PATH: path.join(delimiter),
    PULUMI_HOME: join(options.dataDir, "home"),
    PULUMI_BACKEND_URL: `file://${backend}`,
    // The state is deleted with the run, so the passphrase protects nothing.
    PULUMI_CONFIG_PASSPHRASE: "local",
    PULUMI_DEBUG_PROVIDERS: providers.join(","),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Enables `--event-log`, which the Automation API uses as well.
    PULUMI_DEBUG_COMMANDS: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // A type check costs half a minute per run; `npm run typecheck` does it.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    ...SDK_ENVIRONMENT,
    ...(options.caPath === undefined ? {} : { NODE_EXTRA_CA_CERTS: options.caPath }),
  };
}

/** https://www.pulumi.com/docs/iac/automation-api/concepts-terminology/: one JSON event a line; the summary is among the last. */
function summaryOf(events: string): ChangeSummary {
  for (const line of events.split("\n").reverse()) {
    if (line === "") continue;
    const { summaryEvent } = JSON.parse(line) as { summaryEvent?: { resourceChanges?: ChangeSummary } };
    if (summaryEvent !== undefined) return summaryEvent.resourceChanges ?? {};
  }
  throw new Error("the engine ended without a summary of its changes");
}

/**
 * A copy of the project, in which Pulumi creates and removes stacks. Both change the settings file: a creation writes a salt, a removal
 * deletes the file. The repository's `Pulumi.<stack>.yaml` stays as it is.
 */
class ShadowProject {
  private constructor(
    readonly folder: string,
    private readonly projectDir: string,
  ) {}

  static async create(projectDir: string, folder: string): Promise<ShadowProject> {
    await mkdir(folder, { recursive: true });
    const { name } = parse(await readFile(join(projectDir, "Pulumi.yaml"), "utf8")) as { name: string };
    await writeFile(join(folder, "Pulumi.yaml"), stringify({ name, runtime: "nodejs" }));
    return new ShadowProject(folder, projectDir);
  }

  configFile(stack: string): string {
    return join(this.folder, `Pulumi.${stack}.yaml`);
  }

  /** Copies the stack's settings and keeps the salt that Pulumi wrote. */
  async writeConfig(stack: string, source = join(this.projectDir, `Pulumi.${stack}.yaml`)): Promise<void> {
    const [settings, former] = await Promise.all([readSettings(source), readSettings(this.configFile(stack))]);
    const { encryptionsalt } = former;
    const merged = encryptionsalt === undefined ? settings : { ...settings, encryptionsalt };
    await writeFile(this.configFile(stack), stringify(merged));
  }
}

async function readSettings(path: string): Promise<Record<string, unknown>> {
  try {
    return (parse(await readFile(path, "utf8")) ?? {}) as Record<string, unknown>;
  } catch (error) {
    // A stack without settings has no file.
    if (isErrno(error, "ENOENT")) return {};
    throw error;
  }
}
