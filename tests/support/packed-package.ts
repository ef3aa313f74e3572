/** The npm package, installed from its tarball as a user does. */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { REPOSITORY_ROOT } from "../../local/paths";
import { buildCommand } from "../../scripts/build-command";
import { buildPackage } from "../../scripts/build-package";
import { buildPage } from "../../scripts/build-page";

const run = promisify(execFile);
const COPIED = ["LICENSE", "README.md", "package.json", "plugin.js", "PulumiPlugin.yaml", join("dist", "functions")];

/**
 * Packs the package in `folder`. Everything but the functions is built there, because other tests build into `dist/` at the same time.
 * @returns the path of the tarball
 */
export async function packPackage(folder: string): Promise<string> {
  const source = join(folder, "source");
  const outDir = join(source, "dist");
  await mkdir(outDir, { recursive: true });
  for (const path of COPIED) await cp(join(REPOSITORY_ROOT, path), join(source, path), { recursive: true });
  await buildPackage({ outDir });
  await buildCommand({ outDir });
  await buildPage({ outDir: join(outDir, "page") });
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], { cwd: source });
  const [packed] = JSON.parse(stdout) as [{ filename: string }];
  await rm(source, { recursive: true });
  return join(folder, packed.filename);
}

/**
 * Makes a program of ECMAScript modules that has nothing but the package and its peers, by `npm install`.
 * @returns its folder
 */
export async function emptyProgram(folder: string, tarball: string): Promise<string> {
  const { devDependencies, peerDependencies } = JSON.parse(await readFile(join(REPOSITORY_ROOT, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  const program = join(await realpath(folder), "program");
  await mkdir(program);
  await writeFile(join(program, "package.json"), JSON.stringify({ name: "program", private: true, type: "module" }));
  // The peers are those that the tests of this repository run with.
  const peers = Object.keys(peerDependencies).map((name) => `${name}@${devDependencies[name]}`);
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...quiet, tarball, ...peers], { cwd: program });
  return program;
}
