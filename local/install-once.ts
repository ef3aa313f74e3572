import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isErrno } from "./errno";
import { isRunning } from "./is-running";

/** Receives one line per step that a person waits for. */
export type OnProgress = (line: string) => void;

/**
 * Makes the folder `target` by `build` unless it is there, and resolves to it. `build` fills a temporary folder beside it
 * that is renamed when it is whole, so `target` is complete or absent whatever happens meanwhile. Processes that come at
 * the same time wait for the one that builds; when that one dies, the next takes over. `signal` ends the waiting; `build` heeds
 * it by itself.
 */
export async function installOnce(
  target: string,
  build: (folder: string) => Promise<void>,
  onProgress: OnProgress = () => {},
  signal?: AbortSignal,
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
        // Somebody else finished first, so the lock failed us (a pid used again, say). Theirs is as good as ours.
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

/** What processes that died while they built left; only who holds the lock may. */
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

/** Another process announces nothing when it lets go of a file, so a waiter has to look again. */
const LOCK_POLL_MS = 250;

async function acquireLock(path: string, onWait: () => void, signal?: AbortSignal): Promise<() => Promise<void>> {
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
      // Renamed before it is removed: of two waiters only one can take this very file away.
      const stale = `${path}.${process.pid}.stale`;
      await rename(path, stale).catch(ignoreMissing);
      await rm(stale, { force: true });
      continue;
    }
    if (!announced) onWait();
    announced = true;
    await delay(LOCK_POLL_MS, undefined, signal === undefined ? {} : { signal });
  }
}

async function holderIsGone(path: string): Promise<boolean> {
  try {
    const pid = Number.parseInt(await readFile(path, "utf8"), 10);
    if (!Number.isNaN(pid)) return !isRunning(pid);
    // Empty: the holder is between creating and writing it, unless it died there.
    return Date.now() - (await stat(path)).mtimeMs > 5_000;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return false;
    throw error;
  }
}

function ignoreMissing(error: unknown): void {
  if (!isErrno(error, "ENOENT")) throw error;
}
