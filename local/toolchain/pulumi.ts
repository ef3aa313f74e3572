import { dirname, join } from "node:path";
import { installOnce, type OnProgress } from "../install-once";
import { toolsDir } from "../paths";
import { CommandError, runCommand } from "../run-command";
import { buildPulumi } from "./build-pulumi";
import { downloadPulumi } from "./download-pulumi";
import { findOnPath, isExecutable } from "./find-on-path";

export interface PulumiInstallation {
  pulumiPath: string;
  /** Holds `pulumi` and `pulumi-language-nodejs`; first on the PATH of the engine. */
  binDir: string;
  /** Without the `v`, e.g. `3.230.0`. */
  version: string;
}

export interface EnsurePulumiOptions {
  /** The local cloud's state folder; tools go into its `tools`. */
  stateDir: string;
  onProgress?: OnProgress;
  /** Ends the installation, leaving nothing half made. */
  signal?: AbortSignal;
}

/** What is installed when the machine has none: the newest whose sources the Go module proxy serves whole. */
export const PULUMI_VERSION = "3.230.0";
const MINIMUM = [3, 200] as const;

/** `build` ignores a `pulumi` on the PATH and the download. */
const CHOICE_VARIABLE = "CROSSBORDERBRIDGE_PULUMI";

/**
 * Finds the Pulumi CLI with its Node.js language host: on the PATH, else downloads it, else builds both with Go into
 * `<stateDir>/tools` (2 to 4 minutes, once).
 * @throws Error that says what was tried and what to install.
 */
export async function ensurePulumi(options: EnsurePulumiOptions): Promise<PulumiInstallation> {
  const progress = options.onProgress ?? (() => {});
  const choice = process.env[CHOICE_VARIABLE];
  if (choice !== undefined && choice !== "build") {
    throw new Error(`${CHOICE_VARIABLE} is "${choice}"; the one value it knows is "build"`);
  }
  const onPath = choice === "build" ? undefined : await installedOnPath(progress);
  if (onPath !== undefined) return onPath;

  const folder = await installOnce(
    join(toolsDir(options.stateDir), `pulumi-${PULUMI_VERSION}`),
    async (into) => {
      const downloaded = choice === "build" ? false : await downloadPulumi(into, PULUMI_VERSION, progress, options.signal);
      if (!downloaded) await buildPulumi(into, PULUMI_VERSION, progress, options.signal);
    },
    progress,
    options.signal,
  );
  const binDir = join(folder, "bin");
  return { pulumiPath: join(binDir, "pulumi"), binDir, version: PULUMI_VERSION };
}

async function installedOnPath(progress: OnProgress): Promise<PulumiInstallation | undefined> {
  const pulumiPath = await findOnPath("pulumi");
  if (pulumiPath === undefined) return undefined;
  const binDir = dirname(pulumiPath);
  if (!(await isExecutable(join(binDir, "pulumi-language-nodejs")))) {
    progress(`${pulumiPath} has no pulumi-language-nodejs beside it: not used`);
    return undefined;
  }
  const version = await versionOf(pulumiPath);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major !== MINIMUM[0] || minor < MINIMUM[1]) {
    progress(`${pulumiPath} is version ${version}, below ${MINIMUM.join(".")}: not used`);
    return undefined;
  }
  return { pulumiPath, binDir, version };
}

async function versionOf(pulumiPath: string): Promise<string> {
  try {
    const { stdout } = await runCommand(pulumiPath, ["version"], {
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
      timeoutMs: 30_000,
    });
    return stdout.trim().replace(/^v/, "");
  } catch (error) {
    // A broken installation is none; what follows installs a whole one.
    if (error instanceof CommandError) return "0.0.0";
    throw error;
  }
}
