import { mkdir, readFile, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { SDK_ENVIRONMENT } from "./aws/client-config";
import { runCommand } from "./run-command";
import { ShadowProject } from "./shadow-project";
import type { PulumiInstallation } from "./toolchain/pulumi";

export interface EngineOptions {
  installation: PulumiInstallation;
  /** The folder of Pulumi.yaml. */
  projectDir: string;
  /** Holds the engine's home and the stacks' state. */
  dataDir: string;
  /** Ports of running providers by package, e.g. `{ aws: 40001 }`. */
  providers: Record<string, number>;
  /** PEM that the program's own TLS clients trust. */
  caPath?: string;
  /** Each line that `pulumi` prints. */
  onLine?: (line: string) => void;
}

export interface StackOptions {
  stack: string;
  /** Read instead of `Pulumi.<stack>.yaml`, which then stays as it is. */
  configFile?: string;
  /** Interrupts the operation; rejects once the engine is gone. */
  signal?: AbortSignal;
}

export interface ChangeSummary {
  create?: number;
  update?: number;
  delete?: number;
  replace?: number;
  same?: number;
}

/** The Pulumi engine, with state and settings of its own: nothing of the user's Pulumi or cloud accounts is read. */
export interface Engine {
  /** Deploys. Creates the stack the first time. Resolves to how many resources changed and how. */
  up(options: StackOptions): Promise<ChangeSummary>;
  /** What `up` would do. */
  preview(options: StackOptions & { refresh?: boolean }): Promise<ChangeSummary>;
  /** The resources that `up` would make, as the program declares them: `pulumi preview --json`. Secrets are masked. */
  plan(options: StackOptions): Promise<PlannedResource[]>;
  /** Deletes every resource and the stack. */
  destroy(options: StackOptions): Promise<void>;
  /** Secrets in plain text. */
  stackOutputs(options: StackOptions): Promise<Record<string, unknown>>;
  /** The stack's state; secrets in plain text unless they are to stay as they are stored. */
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
      ...(signal === undefined ? {} : { signal }),
      ...(onLine === undefined ? {} : { onLine }),
    });
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
      return operate(["up", "--yes", "--skip-preview"], target);
    },
    preview: async (target) => {
      await prepare(target);
      return operate(["preview", ...(target.refresh ? ["--refresh"] : [])], target);
    },
    plan: async (target) => {
      await prepare(target);
      const where = ["--stack", target.stack, "--config-file", shadow.configFile(target.stack)];
      const { stdout } = await pulumi(options.projectDir, ["preview", "--json", ...where], target);
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

function engineEnvironment(options: EngineOptions, backend: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => PROGRAM_ENVIRONMENT.test(name));
  const providers = Object.entries(options.providers).map(([name, port]) => `${name}:${port}`);
  const path = [options.installation.binDir, dirname(process.execPath), process.env.PATH ?? ""];
  return {
    ...Object.fromEntries(kept),
    PATH: path.join(delimiter),
    PULUMI_HOME: join(options.dataDir, "home"),
    PULUMI_BACKEND_URL: `file://${backend}`,
    // The state is one machine's and lives as long as the run: the passphrase guards nothing.
    PULUMI_CONFIG_PASSPHRASE: "local",
    PULUMI_DEBUG_PROVIDERS: providers.join(","),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Offers `--event-log`, as the Automation API uses it.
    PULUMI_DEBUG_COMMANDS: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Types are checked by `npm run typecheck`; here it would cost half a minute per run.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    ...SDK_ENVIRONMENT,
    ...(options.caPath === undefined ? {} : { NODE_EXTRA_CA_CERTS: options.caPath }),
  };
}

/** https://www.pulumi.com/docs/iac/automation-api/concepts-terminology/: one JSON event a line, the summary among the last. */
function summaryOf(events: string): ChangeSummary {
  for (const line of events.split("\n").reverse()) {
    if (line === "") continue;
    const { summaryEvent } = JSON.parse(line) as { summaryEvent?: { resourceChanges?: ChangeSummary } };
    if (summaryEvent !== undefined) return summaryEvent.resourceChanges ?? {};
  }
  throw new Error("the engine ended without a summary of its changes");
}
