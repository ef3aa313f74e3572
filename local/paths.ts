import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRunning } from "./run-command";

export const REPOSITORY_ROOT = join(__dirname, "..");

/** Holds everything that the local cloud installs or writes. Git ignores it. It may be deleted while nothing runs. */
export const DEFAULT_STATE_DIR = join(REPOSITORY_ROOT, ".local");

/** Installed tools, shared by all runs. */
export const toolsDir = (stateDir: string) => join(stateDir, "tools");

/** One folder per run, removed when the run ends. */
export const runsDir = (stateDir: string) => join(stateDir, "run");

/** Creates the folder of one run, and removes the folders of runs whose process crashed or was killed. */
export async function createRunDir(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true });
  for (const name of await readdir(parent)) {
    const pid = /^(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(parent, name), { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `${process.pid}-`));
}
