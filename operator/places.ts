/** The folders that the command works with. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** This package. The bundled command is deeper in it than the sources are. */
export const PACKAGE_DIR = nearest("package.json", __dirname) ?? __dirname;

/** How a person calls the command here. A checkout does not have it among the commands of its packages. */
export const COMMAND = existsSync(join(PACKAGE_DIR, "scripts", "run.js")) ? "npm run bridge --" : "npx crossborderbridge";

export const packageVersion = (): string =>
  (JSON.parse(readFileSync(join(PACKAGE_DIR, "package.json"), "utf8")) as { version: string }).version;

/** The Pulumi project of the working directory, or of a folder above it; else this package's own. */
export function projectDir(from = process.cwd()): string {
  return nearest("Pulumi.yaml", from) ?? PACKAGE_DIR;
}

/** The nearest folder that has such a file, from this one upwards. */
function nearest(file: string, from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, file))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
