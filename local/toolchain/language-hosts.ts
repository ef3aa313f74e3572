/**
 * What the engine needs for programs in other languages, and what writes the plugin's package for them. Pulumi's own archive has the language hosts beside the
 * CLI; a CLI that is built from source has none.
 */
import { access, copyFile } from "node:fs/promises";
import { join } from "node:path";
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
  const go = await findOnPath("go");
  if (go === undefined)
    throw new Error(
      `${name} is not beside the Pulumi CLI, and there is no Go to build it with. Install Go 1.26 (https://go.dev/dl/)`,
    );
  const env = { ...process.env, GOFLAGS: "-mod=readonly" };
  const run = (args: string[]) =>
    runCommand(go, args, { cwd: join(GO_MODULES, module), env, timeoutMs: BUILD_DEADLINE_MS, signal });
  await run(["build", "-trimpath", "-o", join(binDir, name), target]);
  if (beside === undefined) return;
  const { stdout } = await run(["list", "-m", "-f", "{{.Dir}}", beside.module]);
  await copyFile(join(stdout.trim(), beside.path), join(binDir, `${name}-exec`));
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
