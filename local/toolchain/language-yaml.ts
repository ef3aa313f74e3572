/** What the engine needs for a program in YAML. Pulumi's own archive has the language host beside the CLI; a CLI that is built from source has none. */
import { access } from "node:fs/promises";
import { join } from "node:path";
import { isErrno } from "../errno";
import { installOnce } from "../install-once";
import { toolsDir } from "../paths";
import { runCommand } from "../run-command";
import { type EnsurePulumiOptions, findOnPath, type PulumiInstallation } from "./pulumi";

const HOST = "pulumi-language-yaml";
/** In the Go module, which pins it. */
const VERSION = "1.25.0";
const GO_MODULE = join(__dirname, "go", "language-yaml");
const BUILD_DEADLINE_MS = 20 * 60_000;

/**
 * Finds the host beside the CLI, or builds it with Go into `<stateDir>/tools` (1 to 5 minutes, once).
 * @returns the folder that holds it, for the engine's PATH
 */
export async function ensureYamlHost({
  pulumi,
  stateDir,
  onProgress = () => {},
  signal,
}: EnsurePulumiOptions & { pulumi: PulumiInstallation }): Promise<string> {
  if (await exists(join(pulumi.binDir, HOST))) return pulumi.binDir;
  const folder = await installOnce(
    join(toolsDir(stateDir), `${HOST}-${VERSION}`),
    async (into) => {
      onProgress(`building ${HOST} ${VERSION} (once, 1 to 5 minutes)`);
      await build(join(into, "bin", HOST), signal);
    },
    onProgress,
    signal,
  );
  return join(folder, "bin");
}

async function build(output: string, signal: AbortSignal | undefined): Promise<void> {
  const go = await findOnPath("go");
  if (go === undefined)
    throw new Error(
      `${HOST} is not beside the Pulumi CLI, and there is no Go to build it with. Install Go 1.26 (https://go.dev/dl/)`,
    );
  await runCommand(go, ["build", "-trimpath", "-o", output, "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"], {
    cwd: GO_MODULE,
    env: { ...process.env, GOFLAGS: "-mod=readonly" },
    timeoutMs: BUILD_DEADLINE_MS,
    signal,
  });
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
