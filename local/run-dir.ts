import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isRunning } from "./is-running";

/** Makes a folder for the data of one run, and removes those of runs whose process is gone (it crashed or was killed). */
export async function createRunDir(runsDir: string): Promise<string> {
  await mkdir(runsDir, { recursive: true });
  for (const name of await readdir(runsDir)) {
    const pid = /^(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(runsDir, name), { recursive: true, force: true });
  }
  return mkdtemp(join(runsDir, `${process.pid}-`));
}
