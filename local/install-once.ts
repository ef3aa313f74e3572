import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isErrno } from "./errno";
import { isRunning } from "./run-command";

/** Receives one line per step. */
export type OnProgress = (line: string) => void;

/**
 * Makes the folder `target` with `build` unless it exists, and resolves to it. `build` fills a temporary folder, which is then
 * renamed, so `target` is complete or absent. Other processes wait for the one that builds; if it dies, the next one builds.
 * `signal` ends the wait; `build` must check it itself.
 */
export async function installOnce(
  target: string,
  build: (folder: string) => Promise<void>,
  onProgress: OnProgress = () => {},
  signal?: AbortSignal | undefined,
): Promise<string> {
  if (await exists(target)) return target;
  await mkdir(dirname(target), { recursive: true });
  const release = await acquireLock(
    `${target}.lock`,
    () => onProgress(`waiting for another process that makes ${target}`),
    signal,
  );
  try {
    if (await exists(target)) return target;
    await removeLeftovers(target);
    const folder = await mkdtemp(temporaryPrefix(target));
    try {
      await build(folder);
      await rename(folder, target).catch((error: unknown) => {
        // Another process finished first, e.g. because a pid was used again. Its folder is complete.
        if (!isErrno(error, "ENOTEMPTY", "EEXIST")) throw error;
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return target;
  } finally {
    await release();
  }
}

const temporaryPrefix = (target: string) => join(dirname(target), `.${basename(target)}-`);

/** Removes the folders of processes that died while they built. Only the holder of the lock may call this. */
async function removeLeftovers(target: string): Promise<void> {
  for (const name of await readdir(dirname(target))) {
    const path = join(dirname(target), name);
    if (path.startsWith(temporaryPrefix(target))) await rm(path, { recursive: true, force: true });
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

/** A process that removes its lock file sends no event to the waiting ones. */
const LOCK_POLL_MS = 250;

async function acquireLock(path: string, onWait: () => void, signal: AbortSignal | undefined): Promise<() => Promise<void>> {
  let announced = false;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const handle = await open(path, "wx");
      await handle.writeFile(String(process.pid));
      await handle.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if (!isErrno(error, "EEXIST")) throw error;
    }
    if (await holderIsGone(path)) {
      // Two processes may wait here. Only one can rename this file.
      const stale = `${path}.${process.pid}.stale`;
      await rename(path, stale).catch(ignoreMissing);
      await rm(stale, { force: true });
      continue;
    }
    if (!announced) onWait();
    announced = true;
    await delay(LOCK_POLL_MS, undefined, { signal });
  }
}

async function holderIsGone(path: string): Promise<boolean> {
  try {
    const pid = Number.parseInt(await readFile(path, "utf8"), 10);
    if (!Number.isNaN(pid)) return !isRunning(pid);
    // The file is empty: the holder has yet to write it, or died before.
    return Date.now() - (await stat(path)).mtimeMs > 5_000;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!isErrno(error, "ENOENT")) throw error;
}
