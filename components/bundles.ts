/** Finds the prebuilt handlers, from a checkout as well as from an installed package. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Role } from "../runtime/protocol/env";

const PACKAGE = "crossborderbridge";

/** The nearest folder at or above `from` whose package.json has this package's name. */
export function packageRoot(from: string = __dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, "utf8")) as { name?: unknown }).name === PACKAGE)
      return folder;
    if (dirname(folder) === folder)
      throw new Error(`no package.json named "${PACKAGE}" at or above ${from}: reinstall the package`);
  }
}

/** @throws Error when the handlers were not built. */
export function prebuiltBundle(role: Role, root: string = packageRoot()): pulumi.asset.Archive {
  const folder = join(root, "dist", "functions", role);
  if (!existsSync(join(folder, "index.js")))
    throw new Error(`${join(folder, "index.js")} is missing: run "npm run build" in ${root}`);
  return new pulumi.asset.FileArchive(folder);
}
