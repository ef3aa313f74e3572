import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { unzipSync } from "fflate";
import { ApiError } from "../contracts";
import { invalidArgument } from "./names";

/**
 * Unpacks a zip into a folder.
 * @throws ApiError `InvalidArgument` when it is not a zip, lacks the file of a handler, or has a path outside the folder
 */
export async function unpackCode(zip: Buffer, handler: string | undefined, folder: string): Promise<void> {
  const files = readZip(zip);
  if (handler !== undefined && !filesOf(handler).some((name) => files[name] !== undefined)) throw handlerMissing(handler);
  for (const name of Object.keys(files)) {
    const path = normalize(name);
    if (path.startsWith("..") || path.startsWith(sep)) throw invalidArgument(`code has a file outside its folder: ${name}`);
  }
  for (const [name, content] of Object.entries(files)) {
    if (name.endsWith("/")) continue;
    const target = join(folder, name);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content);
  }
}

/** @throws ApiError `InvalidArgument` when the unpacked code lacks the handler's file */
export function assertHandler(handler: string | undefined, folder: string): void {
  if (handler !== undefined && !filesOf(handler).some((name) => existsSync(join(folder, name)))) throw handlerMissing(handler);
}

function filesOf(handler: string): string[] {
  const module = handler.slice(0, handler.lastIndexOf("."));
  return [`${module}.js`, `${module}.mjs`];
}

const handlerMissing = (handler: string) =>
  invalidArgument(`code has no ${filesOf(handler).join(" or ")}, where the handler ${handler} is expected`);

/** What a package may hold unpacked. The vendor names a limit for the package alone; without one, a small package fills the memory and the disk. */
const MAX_CODE_BYTES = 500 * 1024 * 1024;
const MAX_FILES = 65_535;

function readZip(zip: Buffer): Record<string, Uint8Array> {
  let [bytes, files] = [0, 0];
  // `unzipSync` unpacks a file into as many bytes as the directory of the zip names for it, and no more.
  // Several files may name the same bytes, so each counts with all that is read for it.
  const filter = ({ size, originalSize }: { size: number; originalSize: number }) => {
    bytes += Math.max(size, originalSize);
    files += 1;
    if (bytes > MAX_CODE_BYTES) throw invalidArgument(`code has more than ${MAX_CODE_BYTES / 1024 ** 2} MiB unpacked`);
    if (files > MAX_FILES) throw invalidArgument(`code has more than ${MAX_FILES} files`);
    return true;
  };
  try {
    return unzipSync(zip, { filter });
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw invalidArgument(`code is not a zip: ${error instanceof Error ? error.message : String(error)}`);
  }
}
