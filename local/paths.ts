import { join } from "node:path";

export const REPOSITORY_ROOT = join(__dirname, "..");

/** Everything the local cloud installs or writes; ignored by git, safe to delete while nothing runs. */
export const DEFAULT_STATE_DIR = join(REPOSITORY_ROOT, ".local");

/** Installed tools, shared by all runs. */
export const toolsDir = (stateDir: string) => join(stateDir, "tools");

/** One folder per run, removed when the run ends. */
export const runsDir = (stateDir: string) => join(stateDir, "run");
