/** Bundles the Lambda entries: `npx tsx scripts/build-functions.ts`. The same sources give the same bytes, so that a second `pulumi up` changes nothing. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";

export const FUNCTION_ROLES = ["sender", "receiver", "copier"] as const;
export type FunctionRole = (typeof FUNCTION_ROLES)[number];

export interface BuiltFunction {
  role: FunctionRole;
  /** Absolute folder with `index.js`, whose export is `handler`; nothing else is in it. */
  path: string;
  sizeBytes: number;
}

const ROOT = resolve(__dirname, "..");
const DEFAULT_OUT_DIR = join(ROOT, "dist", "functions");

/**
 * Writes `<outDir>/<role>/index.js` for each role. A reader sees the old bundle or the whole new one; an unchanged one is left alone.
 * @throws Error with esbuild's messages
 */
export async function buildFunctions({ outDir = DEFAULT_OUT_DIR }: { outDir?: string } = {}): Promise<BuiltFunction[]> {
  return Promise.all(FUNCTION_ROLES.map((role) => buildFunction(role, resolve(outDir, role))));
}

async function buildFunction(role: FunctionRole, path: string): Promise<BuiltFunction> {
  const result = await build({
    entryPoints: [join(ROOT, "runtime", "platforms", "aws-lambda", `${role}.ts`)],
    // Everything that could carry the place of the checkout into the bytes is made relative to it.
    absWorkingDir: ROOT,
    outfile: "index.js",
    write: false,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    minify: true,
    // ES modules first: what a CommonJS build of a package does not use cannot be left out.
    mainFields: ["module", "main"],
    legalComments: "none",
    charset: "utf8",
    logLevel: "silent",
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error(`esbuild made no output for the ${role}`);
  await writeAtomically(path, output.contents);
  return { role, path, sizeBytes: output.contents.length };
}

async function writeAtomically(path: string, contents: Uint8Array): Promise<void> {
  const file = join(path, "index.js");
  const existing = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (existing?.equals(contents)) return removeStrays(path);
  await mkdir(path, { recursive: true });
  // Beside the folder, not in it: the folder is what gets uploaded.
  const staging = await mkdtemp(join(dirname(path), ".build-"));
  try {
    await writeFile(join(staging, "index.js"), contents);
    await rename(join(staging, "index.js"), file);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  await removeStrays(path);
}

/** What an earlier build left there would be uploaded and change the hash. */
async function removeStrays(path: string): Promise<void> {
  const strays = (await readdir(path)).filter((name) => name !== "index.js");
  await Promise.all(strays.map((name) => rm(join(path, name), { recursive: true, force: true })));
}

async function main(): Promise<void> {
  for (const { role, path, sizeBytes } of await buildFunctions()) {
    console.log(`${role.padEnd(10)} ${(sizeBytes / 1024).toFixed(0).padStart(6)} KiB  ${relative(process.cwd(), path)}`);
  }
}

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
