import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { unzipSync } from "fflate";
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

function readZip(zip: Buffer): Record<string, Uint8Array> {
  try {
    return unzipSync(zip);
  } catch (error) {
    throw invalidArgument(`code is not a zip: ${error instanceof Error ? error.message : String(error)}`);
  }
}
