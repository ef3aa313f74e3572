/** Bundles the functions: `npx tsx scripts/build-functions.ts`. The same sources give the same bytes: a second `pulumi up` changes nothing. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { build, type Plugin, stop } from "esbuild";
import { zipSync } from "fflate";
import type { Role } from "../runtime/protocol/env";

/** The platforms, named like the folders of `runtime/platforms`, and the roles that run on each of them. */
export const FUNCTIONS = {
  "aws-lambda": ["sender", "receiver", "copier", "prober"],
  "alicloud-fc": ["sender", "receiver", "copier", "dispatcher", "pusher", "prober"],
} as const satisfies Record<string, readonly Role[]>;
export type FunctionPlatform = keyof typeof FUNCTIONS;

/** Function Compute takes the bytes of a zip, which a Pulumi program cannot pack by itself. */
const PACKED: ReadonlySet<FunctionPlatform> = new Set(["alicloud-fc"]);

export interface BuiltFunction {
  platform: FunctionPlatform;
  role: Role;
  /** Absolute folder with `index.js`, whose export is `handler`; nothing else is in it. */
  path: string;
  sizeBytes: number;
  /** Absolute path of the folder's contents as a zip, where the platform takes one. */
  zipPath?: string;
}

/** The environment variable that says that another process has already built the bundles, as before the tests. */
export const BUNDLES_ARE_BUILT = "CROSSBORDERBRIDGE_BUNDLES_ARE_BUILT";

const ROOT = resolve(__dirname, "..");
const DEFAULT_OUT_DIR = join(ROOT, "dist", "functions");
/** The earliest time that a zip can hold. The current time would change the bytes of every build. */
const ZIP_TIME = new Date(1980, 0, 1);

/**
 * Writes `<outDir>/<platform>/<role>/index.js` for each platform and role, and beside the folder `<role>.zip` where the platform takes
 * one. A reader sees the old file or the whole new one; an unchanged one is left alone.
 * @throws Error with esbuild's messages
 */
export async function buildFunctions({ outDir = DEFAULT_OUT_DIR }: { outDir?: string } = {}): Promise<BuiltFunction[]> {
  const platforms = Object.entries(FUNCTIONS) as [FunctionPlatform, readonly Role[]][];
  const built = await withEsbuild(() =>
    Promise.all(
      platforms.flatMap(([platform, roles]) => roles.map((role) => buildFunction(platform, role, resolve(outDir, platform)))),
    ),
  );
  // Files of an earlier build would be packed with the package.
  await removeStrays(
    outDir,
    platforms.map(([platform]) => platform),
  );
  for (const [platform, roles] of platforms) {
    const zips = PACKED.has(platform) ? roles.map((role) => `${role}.zip`) : [];
    await removeStrays(join(outDir, platform), [...roles, ...zips]);
  }
  return built;
}

let builds = 0;

/** Stops esbuild's service after the last build that uses it: it keeps up to 900 MB. */
async function withEsbuild<T>(work: () => Promise<T>): Promise<T> {
  builds += 1;
  try {
    return await work();
  } finally {
    builds -= 1;
    if (builds === 0) await stop();
  }
}

/** Leaves out of a bundle the parts of packages that no function runs. */
const smallerPackages: Plugin = {
  name: "smaller-packages",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: join(ROOT, "scripts", "undici-agent.js") }));
    // pino's transports run in threads, from files of their own. A bundle has only one file.
    onResolve({ filter: /^thread-stream$/ }, () => ({ path: "thread-stream", namespace: "absent" }));
    onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: "", loader: "js" }));
  },
};

async function buildFunction(platform: FunctionPlatform, role: Role, folder: string): Promise<BuiltFunction> {
  const result = await build({
    entryPoints: [join(ROOT, "runtime", "platforms", platform, `${role}.ts`)],
    // Makes every path relative to the checkout, so that the folder of the checkout does not change the bytes.
    absWorkingDir: ROOT,
    outfile: "index.js",
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    // Prefers ES modules: esbuild cannot leave out the unused code of a CommonJS module.
    mainFields: ["module", "main"],
    plugins: [smallerPackages],
    legalComments: "none",
    charset: "utf8",
    logLevel: "silent",
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild made no output for the ${role} of ${platform}`);
  const path = join(folder, role);
  await writeAtomically(join(path, "index.js"), output.contents, folder);
  // The whole folder is uploaded: another file in it would change its hash.
  await removeStrays(path, ["index.js"]);
  const built: BuiltFunction = { platform, role, path, sizeBytes: output.contents.length };
  if (!PACKED.has(platform)) return built;
  const zipPath = join(folder, `${role}.zip`);
  await writeAtomically(zipPath, zipSync({ "index.js": output.contents }, { level: 9, mtime: ZIP_TIME }), folder);
  return { ...built, zipPath };
}

/** @param staging a folder of the same file system whose contents are not uploaded */
async function writeAtomically(file: string, contents: Uint8Array, staging: string): Promise<void> {
  const existing = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (existing?.equals(contents)) return;
  await mkdir(dirname(file), { recursive: true });
  const folder = await mkdtemp(join(staging, STAGING));
  try {
    await writeFile(join(folder, basename(file)), contents);
    await rename(join(folder, basename(file)), file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Prefix of the folders in which a file is written before it is moved to its place. */
const STAGING = ".build-";

async function removeStrays(folder: string, known: readonly string[]): Promise<void> {
  // Another build may run at the same time.
  const strays = (await readdir(folder)).filter((name) => !known.includes(name) && !name.startsWith(STAGING));
  await Promise.all(strays.map((name) => rm(join(folder, name), { recursive: true, force: true })));
}

async function main(): Promise<void> {
  for (const { platform, role, path, sizeBytes } of await buildFunctions()) {
    const size = (sizeBytes / 1024).toFixed(0);
    console.log(`${platform.padEnd(11)} ${role.padEnd(10)} ${size.padStart(6)} KiB  ${relative(process.cwd(), path)}`);
  }
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
