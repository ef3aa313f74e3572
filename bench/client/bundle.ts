/** Bundles the process that runs the product's code in the way that the functions are bundled. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bundleProgram } from "../../scripts/build-functions";

/** @returns the path of the bundle */
export async function bundleClient(folder: string): Promise<string> {
  const path = join(folder, "client.js");
  await writeFile(path, await bundleProgram(join(__dirname, "main.ts")));
  return path;
}
