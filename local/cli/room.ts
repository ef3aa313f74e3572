/** Says in one sentence that a disk is full or a folder cannot be written. Node.js, the engine and the emulators each say it in their own way, or not at all. */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isErrno } from "../errno";

export interface DiskRoom {
  freeBytes: number;
  sizeBytes: number;
}

const MIB = 1024 ** 2;
/** With less, the next function that starts finds no room for its bundle. */
export const LEAST_FREE_BYTES = 32 * MIB;
const EVERY_MS = 1_000;

/** Of the disk of a folder, which need not exist yet. */
export async function roomOf(folder: string): Promise<DiskRoom> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
  } catch (error) {
    if (isErrno(error, "ENOENT") && dirname(folder) !== folder) return roomOf(dirname(folder));
    throw error;
  }
}

export function fullText(folder: string, { freeBytes, sizeBytes }: DiskRoom): string {
  const mebibytes = (bytes: number) => `${Math.floor(bytes / MIB).toLocaleString("en-US")} MiB`;
  return `the disk of ${folder} is full: ${mebibytes(freeBytes)} of ${mebibytes(sizeBytes)} are free; make room there and start again`;
}

export interface RoomWatch {
  /** Aborts with the sentence as its reason. */
  readonly signal: AbortSignal;
  stop(): void;
}

/** Looks at the disk once a second: a full disk shows late and in many ways, such as a client that tries again for half a minute. */
export function watchRoom(folder: string, read = roomOf, everyMs = EVERY_MS): RoomWatch {
  const [full, stopped] = [new AbortController(), new AbortController()];
  const look = async () => {
    while (!stopped.signal.aborted) {
      const room = await read(folder);
      if (room.freeBytes < LEAST_FREE_BYTES) return full.abort(new Error(fullText(folder, room)));
      await delay(everyMs, undefined, { signal: stopped.signal, ref: false });
    }
  };
  // A disk that cannot be looked at stops nothing: the work itself meets it.
  look().catch(() => undefined);
  return { signal: full.signal, stop: () => stopped.abort() };
}

const FULL_CODES = ["ENOSPC", "EDQUOT"];
const FULL_TEXT = /\bENOSPC\b|no space left on device|disk quota exceeded/i;
/** Calls that only write. `open` may also read. */
const WRITES = new Set(["mkdir", "mkdtemp", "write", "rename", "copyfile", "symlink", "unlink", "rmdir", "chmod"]);

/** The sentence for an error that comes from a full disk or a folder that cannot be written; its own message for any other. */
export async function explain(error: unknown, folder: string, read = roomOf): Promise<string> {
  const causes = [...causesOf(error)];
  if (causes.some((cause) => isErrno(cause, ...FULL_CODES) || FULL_TEXT.test(cause.message)))
    return fullText(folder, await read(folder));
  const refused = causes.find(
    (cause) => isErrno(cause, "EROFS") || (isErrno(cause, "EACCES", "EPERM") && WRITES.has(cause.syscall ?? "")),
  );
  if (refused !== undefined)
    return `${refused.path ?? folder} cannot be written (${refused.code}): change its owner or rights, or copy the checkout elsewhere`;
  return error instanceof Error ? error.message : String(error);
}

/** The error, those that it joins, and their causes. Errors of Node.js are of another `Error` in Jest's sandbox. */
function* causesOf(error: unknown): Iterable<NodeJS.ErrnoException> {
  if (typeof error !== "object" || error === null || !("message" in error)) return;
  yield error as NodeJS.ErrnoException;
  if ("errors" in error && Array.isArray(error.errors)) for (const one of error.errors) yield* causesOf(one);
  if ("cause" in error) yield* causesOf(error.cause);
}
