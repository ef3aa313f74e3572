/** Writes files, and says in one sentence that a disk is full: the errors of Node.js about a write name no file. */
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

const FULL_CODES: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT"]);

/** A disk has no room; the message names the file and the way out. */
export class DiskFull extends Error {
  override name = "DiskFull";
}

/** @throws DiskFull instead of the error of a full disk */
export async function onDisk<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (!FULL_CODES.has(code)) throw cause;
    throw new DiskFull(`${path} cannot be written, its disk is full (${code}): make room there, and run the same command again`, {
      cause,
    });
  }
}

/** A reader sees the old content or the new content, also after a power failure or on a full disk. */
export function replaceFile(path: string, content: string): Promise<void> {
  return onDisk(path, async () => {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true });
    const draft = `${path}.draft`;
    // A file of another process, or a link that another user put there to have it followed.
    await rm(draft, { force: true });
    try {
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    // The rename is durable only after the folder is synced.
    const directory = await open(folder, "r");
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  });
}

/** Writes a file that is not there yet, as a whole or not at all. */
export function writeNewFile(path: string, content: string | Buffer): Promise<void> {
  return onDisk(path, async () => {
    try {
      await writeFile(path, content, { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") await rm(path, { force: true });
      throw error;
    }
  });
}
