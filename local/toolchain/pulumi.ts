import { access, constants, realpath, rename, rm } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { isErrno } from "../errno";
import { installOnce, type OnProgress } from "../install-once";
import { toolsDir } from "../paths";
import { CommandError, runCommand } from "../run-command";
import { VERSIONS } from "./versions";

export interface PulumiInstallation {
  pulumiPath: string;
  /** Holds `pulumi` and `pulumi-language-nodejs`; first on the PATH of the engine. */
  binDir: string;
  /** Without the `v`, e.g. `3.230.0`. */
  version: string;
}

export interface EnsurePulumiOptions {
  /** Tools go into its folder `tools`. */
  stateDir: string;
  onProgress?: OnProgress | undefined;
  /** Ends the installation and removes what it wrote. */
  signal?: AbortSignal | undefined;
}

export const PULUMI_VERSION = VERSIONS.pulumi;
const [OLDEST_MAJOR = 0, OLDEST_MINOR = 0] = VERSIONS.oldestPulumi.split(".").map(Number);

/** `build` ignores a `pulumi` on the PATH and the download. */
const CHOICE_VARIABLE = "CROSSBORDERBRIDGE_PULUMI";

/**
 * Finds the Pulumi CLI with its Node.js language host: on the PATH, else downloads it, else builds both with Go into
 * `<stateDir>/tools` (2 to 7 minutes, once).
 * @throws Error that names the attempts and the software to install
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
  if (major !== OLDEST_MAJOR || minor < OLDEST_MINOR) {
    progress(`${pulumiPath} is version ${version}, below ${VERSIONS.oldestPulumi}: not used`);
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
    // A broken CLI counts as too old, so that another one is installed.
    if (error instanceof CommandError) return "0.0.0";
    throw error;
  }
}

const INSTALLER = "https://get.pulumi.com/install.sh";
const REACHABLE_DEADLINE_MS = 10_000;
const DOWNLOAD_DEADLINE_MS = 10 * 60_000;
/** Runs in a child process, which can be killed when the download hangs. */
const INSTALL_PROGRAM = `
const { PulumiCommand } = require("@pulumi/pulumi/automation");
const { SemVer } = require("semver");
PulumiCommand.install({ root: process.argv[1], version: new SemVer(process.argv[2]) }).catch((error) => {
  console.error(error.message);
  process.exit(1);
});
`;

/**
 * Downloads the CLI into `<folder>/bin` with Pulumi's Automation API. Reports the reason and returns false when that is impossible, as
 * on a machine without internet.
 */
async function downloadPulumi(
  folder: string,
  version: string,
  progress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  progress(`downloading Pulumi ${version}`);
  const unreachable = await whyUnreachable(INSTALLER);
  signal?.throwIfAborted();
  if (unreachable !== undefined) {
    progress(`Pulumi ${version} cannot be downloaded: ${INSTALLER}: ${unreachable}`);
    return false;
  }
  const root = join(folder, "download");
  try {
    await runCommand(process.execPath, ["-e", INSTALL_PROGRAM, root, version], {
      cwd: __dirname,
      timeoutMs: DOWNLOAD_DEADLINE_MS,
      signal,
    });
    const [cli, host] = ["pulumi", "pulumi-language-nodejs"].map((name) => join(root, "bin", name));
    if (!(cli && host && (await isExecutable(cli)) && (await isExecutable(host)))) {
      progress(`the download of Pulumi ${version} is not whole`);
      return false;
    }
    await rename(join(root, "bin"), join(folder, "bin"));
    return true;
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof CommandError)) throw error;
    const [reason = "no reason given"] = (error.stderr.trim() || error.message).split("\n");
    progress(`Pulumi ${version} cannot be downloaded: ${reason}`);
    return false;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** A machine without internet often drops packets, and a download then fails only after minutes. This check takes seconds. */
async function whyUnreachable(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { method: "HEAD", signal: AbortSignal.timeout(REACHABLE_DEADLINE_MS) });
    return answer.ok ? undefined : `status ${answer.status}`;
  } catch (error) {
    const { message, cause } = error as Error;
    return cause instanceof Error ? `${message}: ${cause.message}` : message;
  }
}

const GO_MODULES = join(__dirname, "go");
const BUILD_DEADLINE_MS = 20 * 60_000;
const HEARTBEAT_MS = 15_000;

/** Builds the CLI and its Node.js language host from the Go module proxy into `<folder>/bin`. */
async function buildPulumi(
  folder: string,
  version: string,
  progress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const go = await findOnPath("go");
  if (go === undefined) {
    throw new Error(
      "the local cloud needs the Pulumi CLI: none is on the PATH, it cannot be downloaded from here, and there is no Go to " +
        "build it with. Install Pulumi (https://www.pulumi.com/docs/iac/download-install/) or Go 1.26 (https://go.dev/dl/)",
    );
  }
  progress(`building Pulumi ${version} with ${go} (once, 2 to 7 minutes)`);
  const started = Date.now();
  const heartbeat = setInterval(() => {
    progress(`building Pulumi ${version}: ${Math.round((Date.now() - started) / 1000)} s`);
  }, HEARTBEAT_MS);
  const build = (module: string, output: string, target: string, flags: string[] = []) =>
    runCommand(go, ["build", ...flags, "-o", join(folder, "bin", output), target], {
      cwd: join(GO_MODULES, module),
      env: { ...process.env, GOFLAGS: "-mod=readonly" },
      timeoutMs: BUILD_DEADLINE_MS,
      signal,
    });
  try {
    // The Automation API refuses a CLI without a version.
    const stamp = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
    await build("pulumi", "pulumi", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", ["-ldflags", stamp]);
    const host = "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs";
    await build("language-hosts", "pulumi-language-nodejs", host);
  } finally {
    clearInterval(heartbeat);
  }
  progress(`built Pulumi ${version} in ${Math.round((Date.now() - started) / 1000)} s`);
}

/** The executable of this name that a shell would run; undefined when there is none. */
export async function findOnPath(name: string, path: string = process.env.PATH ?? ""): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    // `realpath` rejects a dangling link.
    await access(await realpath(path), constants.X_OK);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES", "ENOTDIR", "ELOOP")) return false;
    throw error;
  }
}
