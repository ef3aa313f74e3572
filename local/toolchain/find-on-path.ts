import { access, constants, realpath } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { isErrno } from "../errno";

/** The executable of this name that a shell would run; undefined when there is none. */
export async function findOnPath(name: string, path: string = process.env.PATH ?? ""): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter((entry) => entry !== "")) {
    const candidate = join(folder, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

export async function isExecutable(path: string): Promise<boolean> {
  try {
    // A link to nowhere is not executable.
    await access(await realpath(path), constants.X_OK);
    return true;
  } catch (error) {
    if (isErrno(error, "ENOENT", "EACCES", "ENOTDIR", "ELOOP")) return false;
    throw error;
  }
}
