/**
 * Bundles the functions: `npx tsx scripts/build-functions.ts`. With `--analyze` it prints which packages each bundle holds. The same sources give
 * the same bytes: a second `pulumi up` changes nothing.
 */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin, stop } from "esbuild";
import { zipSync } from "fflate";
import type { Role } from "../runtime/protocol/env";

/** The platforms, named like the folders of `runtime/platforms`, and the roles that run on each of them. */
export const FUNCTIONS = {
  "aws-lambda": ["sender", "receiver", "copier", "prober", "notifier"],
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
  /** Packages, and layers of `runtime/`, with the bytes that they have in the bundle; the largest first. */
  packages: PackageBytes[];
  /** Absolute path of the folder's contents as a zip, where the platform takes one. */
  zipPath?: string;
}

export interface PackageBytes {
  /** The name of a package, or `runtime/<layer>`. */
  name: string;
  bytes: number;
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
export async function withEsbuild<T>(work: () => Promise<T>): Promise<T> {
  builds += 1;
  try {
    return await work();
  } finally {
    builds -= 1;
    if (builds === 0) await stop();
  }
}

/** Takes the part of undici that a function runs. */
const partOfUndici: Plugin = {
  name: "part-of-undici",
  setup({ onResolve }) {
    onResolve({ filter: /^undici$/ }, () => ({ path: join(ROOT, "scripts", "undici-part.js") }));
  },
};

/** How a function is bundled. */
const BUNDLE_OPTIONS = {
  // Makes every path relative to the checkout, so that the folder of the checkout does not change the bytes.
  absWorkingDir: ROOT,
  outfile: "index.js",
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  minify: true,
  // Prefers ES modules: esbuild cannot leave out the unused code of a CommonJS module.
  mainFields: ["module", "main"],
  plugins: [partOfUndici],
  legalComments: "none",
  // One character beyond ASCII makes V8 keep the whole bundle in two bytes for each character, which takes a tenth longer to compile.
  charset: "ascii",
  logLevel: "silent",
} satisfies BuildOptions;

/** One file with everything that the entry, a file or a text, needs. */
async function bundle(entry: { file: string } | { text: string }): Promise<{ contents: Uint8Array; metafile: Metafile }> {
  const input =
    "file" in entry
      ? { entryPoints: [entry.file] }
      : { stdin: { contents: entry.text, resolveDir: ROOT, loader: "ts" as const } };
  const { outputFiles, metafile } = await build({ ...BUNDLE_OPTIONS, ...input, write: false, metafile: true });
  const [output] = outputFiles;
  if (output === undefined) throw new Error(`esbuild made no output for ${Object.values(entry)[0]}`);
  return { contents: output.contents, metafile };
}

/**
 * A program for a measurement, bundled as the functions are.
 * @param entry a file, or a text whose imports are relative to the checkout
 */
export async function bundleProgram(entry: string | { text: string }): Promise<Uint8Array> {
  const { contents } = await withEsbuild(() => bundle(typeof entry === "string" ? { file: entry } : entry));
  return contents;
}

async function buildFunction(platform: FunctionPlatform, role: Role, folder: string): Promise<BuiltFunction> {
  const { contents, metafile } = await bundle({ file: join(ROOT, "runtime", "platforms", platform, `${role}.ts`) });
  const path = join(folder, role);
  await writeAtomically(join(path, "index.js"), contents, folder);
  // The whole folder is uploaded: another file in it would change its hash.
  await removeStrays(path, ["index.js"]);
  const packages = packagesOf(metafile);
  const built: BuiltFunction = { platform, role, path, sizeBytes: contents.length, packages };
  if (!PACKED.has(platform)) return built;
  const zipPath = join(folder, `${role}.zip`);
  await writeAtomically(zipPath, zipSync({ "index.js": contents }, { level: 9, mtime: ZIP_TIME }), folder);
  return { ...built, zipPath };
}

/** Adds up the bytes that esbuild reports for each input of its one output. */
function packagesOf({ outputs }: Metafile): PackageBytes[] {
  const byName = new Map<string, number>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const name = packageOf(path);
      byName.set(name, (byName.get(name) ?? 0) + bytesInOutput);
    }
  }
  return [...byName].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

/** `node_modules/@a/b/c.js` belongs to `@a/b`, `runtime/roles/sender/sender.ts` to `runtime/roles`. */
function packageOf(path: string): string {
  const inPackage = [...path.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].at(-1)?.[1];
  return inPackage ?? path.split("/").slice(0, 2).join("/");
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

/** The packages of one bundle as lines of a table: bytes, share of the bundle, name. */
function packageTable({ sizeBytes, packages }: BuiltFunction): string[] {
  const known = packages.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = [...packages.filter(({ bytes }) => bytes > 0), { name: "(joining them)", bytes: sizeBytes - known }];
  return rows.map(({ name, bytes }) => {
    const share = ((100 * bytes) / sizeBytes).toFixed(1);
    return `${bytes.toLocaleString("en-US").padStart(15)} bytes ${share.padStart(5)} %  ${name}`;
  });
}

async function main(analyze: boolean): Promise<void> {
  for (const built of await buildFunctions()) {
    const { platform, role, path, sizeBytes } = built;
    const size = (sizeBytes / 1024).toFixed(0);
    console.log(`${platform.padEnd(11)} ${role.padEnd(10)} ${size.padStart(6)} KiB  ${relative(process.cwd(), path)}`);
    if (analyze) console.log(`${packageTable(built).join("\n")}\n`);
  }
}

if (require.main === module) {
  main(process.argv.includes("--analyze")).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
