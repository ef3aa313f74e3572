/** Finds the prebuilt handlers, from a checkout as well as from an installed package. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Role } from "../runtime/protocol/env";

const PACKAGE = "crossborderbridge";

/** The platforms of functions, by the names of the folders in `dist/functions`. */
export type FunctionPlatform = "aws-lambda" | "alicloud-fc";

/** The nearest folder at or above `from` whose package.json has this package's name. */
export function packageRoot(from: string = __dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, "utf8")) as { name?: unknown }).name === PACKAGE)
      return folder;
    if (dirname(folder) === folder)
      throw new pulumi.RunError(`no package.json named "${PACKAGE}" at or above ${from}: reinstall the package`);
  }
}

/** The manifest of this package. */
export function manifestOf(root: string = packageRoot()): { version: string; description: string } {
  return JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string; description: string };
}

function built(path: string, root: string): string {
  if (!existsSync(path)) throw new pulumi.RunError(`${path} is missing: run "npm run build" in ${root}`);
  return path;
}

/** @throws Error when the handlers were not built. */
export function prebuiltBundle(platform: FunctionPlatform, role: Role, root: string = packageRoot()): pulumi.asset.Archive {
  const folder = join(root, "dist", "functions", platform, role);
  built(join(folder, "index.js"), root);
  return new pulumi.asset.FileArchive(folder);
}

/** @returns the packed handler in base64, as Function Compute accepts it @throws Error when the handlers were not built. */
export function prebuiltZip(role: Role, root: string = packageRoot()): string {
  return readFileSync(built(join(root, "dist", "functions", "alicloud-fc", `${role}.zip`), root), "base64");
}

/**
 * Reads the caller's own handler from a zip file. Function Compute accepts bytes instead of an archive, so the zip must exist already.
 * @param component the bridge, for the errors
 * @returns its bytes in base64
 * @throws Error for any other archive.
 */
export async function customZip(component: string, role: Role, archive: pulumi.asset.Archive): Promise<string> {
  const refused = (what: string) =>
    new pulumi.RunError(
      `${component}: bundles.${role} is ${what}: Function Compute takes a new pulumi.asset.FileArchive("<file>.zip")`,
    );
  if (!(archive instanceof pulumi.asset.FileArchive)) throw refused("no file");
  const path = await archive.path;
  if (!path.endsWith(".zip")) throw refused(`${path}, which is no .zip`);
  return readFileSync(path, "base64");
}
