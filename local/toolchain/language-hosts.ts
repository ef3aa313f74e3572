/**
 * Builds what the engine needs for programs in other languages, and the generator of the plugin's packages. Pulumi's own archive has the language hosts beside the
 * CLI; a CLI that is built from source has none.
 */
import { access, chmod, copyFile, mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { isErrno } from "../errno";
import { installOnce } from "../install-once";
import { toolsDir } from "../paths";
import { runCommand } from "../run-command";
import { type EnsurePulumiOptions, findOnPath, PULUMI_VERSION, type PulumiInstallation } from "./pulumi";

const SDK = "github.com/pulumi/pulumi/sdk/v3";

interface GoTool {
  name: string;
  /** In its Go module, which pins it. */
  version: string;
  /** The folder of that module. */
  module: string;
  target: string;
  /** A file of a dependency that belongs beside the program. */
  beside?: { module: string; path: string };
}

/** The newest that the Go module proxy serves. Those of Go and of Python know no plugins in Node.js and generate no packages. */
const HOSTS = {
  go: {
    name: "pulumi-language-go",
    version: "3.66.0",
    module: "language-hosts",
    target: `${SDK}/go/pulumi-language-go`,
  },
  python: {
    name: "pulumi-language-python",
    version: "3.66.0",
    module: "language-hosts",
    target: `${SDK}/python/cmd/pulumi-language-python`,
    beside: { module: SDK, path: "python/cmd/pulumi-language-python-exec" },
  },
  yaml: {
    name: "pulumi-language-yaml",
    version: "1.25.0",
    module: "language-yaml",
    target: "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
  },
} as const satisfies Record<string, GoTool>;

const PACKAGE_SDK: GoTool = { name: "package-sdk", version: PULUMI_VERSION, module: "package-sdk", target: "." };

const GO_MODULES = join(__dirname, "go");
const BUILD_DEADLINE_MS = 20 * 60_000;

export type HostedLanguage = keyof typeof HOSTS;

/**
 * Finds the host beside the CLI, or builds it with Go into `<stateDir>/tools` (1 to 5 minutes, once).
 * @returns the folder that holds it, for the engine's PATH
 */
export async function ensureLanguageHost(
  language: HostedLanguage,
  { pulumi, ...options }: EnsurePulumiOptions & { pulumi: PulumiInstallation },
): Promise<string> {
  const host: GoTool = HOSTS[language];
  return (await exists(join(pulumi.binDir, host.name))) ? pulumi.binDir : ensureTool(host, options);
}

/** The program that writes the package of a plugin: `package-sdk <go|python> <schema.json> <folder>`. */
export async function ensurePackageSdk(options: EnsurePulumiOptions): Promise<string> {
  return join(await ensureTool(PACKAGE_SDK, options), PACKAGE_SDK.name);
}

/** Pulumi's script that starts a policy pack in Node.js. The CLI runs it where there is no Node.js host. */
const POLICY_SCRIPT = { module: SDK, path: "nodejs/dist/pulumi-analyzer-policy" };

/**
 * A CLI that runs policy packs in Node.js. The Node.js host of Pulumi's own archive starts them. The one that the Go module proxy serves cannot, so the CLI
 * is copied to a folder without it.
 */
export async function ensurePolicyRunner({
  pulumi,
  stateDir,
  onProgress,
  signal,
}: EnsurePulumiOptions & { pulumi: PulumiInstallation }): Promise<PulumiInstallation> {
  if (await exists(join(pulumi.binDir, HOSTS.yaml.name))) return pulumi;
  const folder = await installOnce(
    join(toolsDir(stateDir), `pulumi-policy-${pulumi.version}`),
    async (into) => {
      const binDir = join(into, "bin");
      await mkdir(binDir);
      await copyFile(pulumi.pulumiPath, join(binDir, "pulumi"));
      const script = join(binDir, "pulumi-analyzer-policy-nodejs");
      await copyFile(await moduleFile(await requireGo(script), "language-hosts", POLICY_SCRIPT, signal), script);
      await chmod(script, 0o755);
    },
    onProgress,
    signal,
  );
  const binDir = join(folder, "bin");
  return { ...pulumi, binDir, pulumiPath: join(binDir, "pulumi") };
}

async function ensureTool(tool: GoTool, { stateDir, onProgress = () => {}, signal }: EnsurePulumiOptions): Promise<string> {
  const { name, version } = tool;
  const folder = await installOnce(
    join(toolsDir(stateDir), `${name}-${version}`),
    async (into) => {
      onProgress(`building ${name} ${version} (once, 1 to 5 minutes)`);
      await build(tool, join(into, "bin"), signal);
    },
    onProgress,
    signal,
  );
  return join(folder, "bin");
}

async function build({ name, module, target, beside }: GoTool, binDir: string, signal: AbortSignal | undefined): Promise<void> {
  const go = await requireGo(name);
  await runGo(go, module, ["build", "-o", join(binDir, name), target], signal);
  if (beside !== undefined) await copyFile(await moduleFile(go, module, beside, signal), join(binDir, `${name}-exec`));
}

async function requireGo(tool: string): Promise<string> {
  const go = await findOnPath("go");
  if (go === undefined)
    throw new Error(
      `${basename(tool)} is not beside the Pulumi CLI, and there is no Go to build it with. Install Go 1.26 (https://go.dev/dl/)`,
    );
  return go;
}

const runGo = (go: string, module: string, args: string[], signal: AbortSignal | undefined) =>
  runCommand(go, args, {
    cwd: join(GO_MODULES, module),
    env: { ...process.env, GOFLAGS: "-mod=readonly" },
    timeoutMs: BUILD_DEADLINE_MS,
    signal,
  });

/** The path of a file in a dependency of a Go module. */
async function moduleFile(
  go: string,
  module: string,
  file: { module: string; path: string },
  signal: AbortSignal | undefined,
): Promise<string> {
  const { stdout } = await runGo(go, module, ["mod", "download", "-json", file.module], signal);
  return join((JSON.parse(stdout) as { Dir: string }).Dir, file.path);
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}
