/** Finds or builds the programs of the benchmark: the servers, the peers, and the one that measures processes. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { installOnce, type OnProgress } from "../local/install-once";
import { DEFAULT_STATE_DIR, toolsDir } from "../local/paths";
import { runCommand } from "../local/run-command";
import { findOnPath } from "../local/toolchain/pulumi";

const GO_MODULES = join(__dirname, "tools", "go");
const BUILD_DEADLINE_MS = 30 * 60_000;

interface Pinned {
  version: string;
  package: string;
  /** The variable that the linker sets, so that the program knows its version. */
  versionVariable: string;
  /** Prints the version. */
  asks: readonly string[];
}

/** The versions of the go.mod files. */
export const PINNED = {
  versitygw: {
    version: "1.8.0",
    package: "github.com/versity/versitygw/cmd/versitygw",
    versionVariable: "main.Version",
    asks: ["--version"],
  },
  rclone: {
    version: "1.75.1",
    package: "github.com/rclone/rclone",
    versionVariable: "github.com/rclone/rclone/fs.Version",
    asks: ["version"],
  },
  s5cmd: {
    version: "2.3.0",
    package: "github.com/peak/s5cmd/v2",
    versionVariable: "github.com/peak/s5cmd/v2/version.Version",
    asks: ["version"],
  },
} as const satisfies Record<string, Pinned>;
export type PinnedTool = keyof typeof PINNED;

export interface Tool {
  path: string;
  version: string;
}

export type Tools = Record<PinnedTool | "curl", Tool> & {
  /** The path of the program that runs commands and counts their time and memory. */
  measure: string;
};

/** @throws Error that names what to install */
export async function ensureTools(onProgress: OnProgress, signal?: AbortSignal): Promise<Tools> {
  const versitygw = await ensurePinned("versitygw", onProgress, signal);
  const s5cmd = await ensurePinned("s5cmd", onProgress, signal);
  const rclone = await ensurePinned("rclone", onProgress, signal);
  const measure = await ensureMeasure(onProgress, signal);
  return { versitygw, s5cmd, rclone, measure, curl: await findCurl() };
}

/** The name of the variable that holds the path of an installed tool. */
export const variableOf = (name: PinnedTool): string => `CROSSBORDERBRIDGE_BENCH_${name.toUpperCase()}`;

/** The variable first, then the PATH, then the build in `.local/tools`. */
export async function ensurePinned(name: PinnedTool, onProgress: OnProgress, signal?: AbortSignal | undefined): Promise<Tool> {
  const pinned: Pinned = PINNED[name];
  const installed = process.env[variableOf(name)] ?? (await findOnPath(name));
  if (installed !== undefined) return { path: installed, version: await versionOf(installed, pinned.asks) };
  const folder = await installOnce(
    join(toolsDir(DEFAULT_STATE_DIR), `${name}-${pinned.version}`),
    async (into) => {
      onProgress(`building ${name} ${pinned.version} (once; rclone takes several minutes)`);
      const stamp = `-X ${pinned.versionVariable}=v${pinned.version}`;
      await goBuild(name, ["-ldflags", stamp, "-o", join(into, name), pinned.package], signal);
    },
    onProgress,
    signal,
  );
  const path = join(folder, name);
  return { path, version: await versionOf(path, pinned.asks) };
}

async function ensureMeasure(onProgress: OnProgress, signal: AbortSignal | undefined): Promise<string> {
  const source = await readFile(join(GO_MODULES, "measure", "main.go"));
  const id = createHash("sha256").update(source).digest("hex").slice(0, 12);
  const folder = await installOnce(
    join(toolsDir(DEFAULT_STATE_DIR), `measure-${id}`),
    (into) => goBuild("measure", ["-o", join(into, "measure"), "."], signal),
    onProgress,
    signal,
  );
  return join(folder, "measure");
}

/** Two jobs and a low priority: the build must not stop other work on the machine. */
async function goBuild(module: string, args: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const go = await findOnPath("go");
  if (go === undefined)
    throw new Error(
      `${module} has to be built, and there is no Go on the PATH: install Go 1.26 (https://go.dev/dl/)` +
        (module in PINNED ? `, or install ${module} and name its path in ${variableOf(module as PinnedTool)}` : ""),
    );
  await runCommand("nice", ["-n", "10", go, "build", "-trimpath", "-p", "2", ...args], {
    cwd: join(GO_MODULES, module),
    env: { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false" },
    timeoutMs: BUILD_DEADLINE_MS,
    signal,
  });
}

async function findCurl(): Promise<Tool> {
  const path = await findOnPath("curl");
  if (path === undefined) throw new Error("there is no curl on the PATH: install it with the system's package manager");
  return { path, version: await versionOf(path, ["--version"]) };
}

async function versionOf(path: string, asks: readonly string[]): Promise<string> {
  const { stdout } = await runCommand(path, asks, { timeoutMs: 30_000 });
  const version = /\d+\.\d+(\.\d+)*/.exec(stdout)?.[0];
  if (version === undefined) throw new Error(`${path} ${asks.join(" ")} prints no version: ${stdout.slice(0, 200)}`);
  return version;
}
