/** Suites that come with a Go module: `go test` of the module, with the vendor's host names on this machine. */
import { createHash } from "node:crypto";
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exists, installOnce } from "../../local/install-once";
import { DEFAULT_STATE_DIR, toolsDir } from "../../local/paths";
import { CommandError, runCommand } from "../../local/run-command";
import { GO_FILES, runGo } from "./go";
import { gocheckResults, testingResults } from "./go-results";
import { type Results, runInChunks, type Suite } from "./suite";
import { startVendorCloud, type VendorCloud, type VendorCloudOptions } from "./vendor-cloud";

const CHUNK_DEADLINE_MS = 8 * 60_000;

export interface GoSuiteOptions {
  id: string;
  module: string;
  version: string;
  /** The checksum of the module, as in a go.sum. */
  sum: string;
  /** A folder of `go` with the go.mod and go.sum of a module that has none. */
  modFiles?: string | undefined;
  tags?: string | undefined;
  /** The files of `oss` whose cases talk to OSS. */
  files: readonly string[];
  /** What runs the cases: Go's own package, or gocheck. */
  runner: "testing" | "gocheck";
  environment(cloud: VendorCloud): Record<string, string>;
  cloud?: VendorCloudOptions | undefined;
}

export function goSuite(options: GoSuiteOptions): Suite {
  return {
    id: options.id,
    version: options.version,
    list: async () => listCases(options, await installed(options)),
    run: async (cases) => {
      const folder = await installed(options);
      return runInChunks(cases, {
        workers: 6,
        // A case that panics ends its process. Each process of gocheck creates and deletes buckets.
        casesPerChunk: options.runner === "gocheck" ? 4 : 1,
        start: () => startWorker(folder, options.cloud),
        run: (worker, chunk) => runChunk(options, { ...worker, folder }, chunk),
      });
    },
  };
}

/** A folder with the module and the program `suite.test`. The cache of modules is read-only, and suites write beside their sources. */
async function installed(options: GoSuiteOptions): Promise<string> {
  const { id, version, modFiles, tags } = options;
  const own = [join(GO_FILES, "vendor_hosts_test.go")];
  if (modFiles !== undefined) own.push(join(GO_FILES, modFiles, "go.mod"), join(GO_FILES, modFiles, "go.sum"));
  const hash = createHash("sha256");
  for (const path of own) hash.update(await readFile(path));
  const target = join(toolsDir(DEFAULT_STATE_DIR), `judge-${id}-${version}-${hash.digest("hex").slice(0, 12)}`);
  return installOnce(target, async (into) => {
    const module = join(into, "module");
    await cp(await download(options), module, { recursive: true });
    await makeWritable(module);
    const [resolver = "", ...mod] = own;
    await cp(resolver, join(module, "oss", "vendor_hosts_test.go"));
    if (modFiles !== undefined) for (const path of mod) await cp(path, join(module, path.slice(-6)));
    const args = ["test", "-c", ...(tags === undefined ? [] : ["-tags", tags]), "-o", join(into, "suite.test"), "./oss"];
    await runGo({ args, cwd: module, flags: ["-mod=readonly"] });
  });
}

/** @returns the folder of the module in Go's cache */
async function download({ module, version, sum }: GoSuiteOptions): Promise<string> {
  const outside = await mkdtemp(join(tmpdir(), "judge-"));
  try {
    const { stdout } = await runGo({ args: ["mod", "download", "-json", `${module}@${version}`], cwd: outside });
    const answer = JSON.parse(stdout) as { Dir: string; Sum: string };
    if (answer.Sum !== sum) throw new Error(`${module}@${version} has the checksum ${answer.Sum}, not ${sum}`);
    return answer.Dir;
  } finally {
    await rm(outside, { recursive: true });
  }
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeWritable(path);
    else await chmod(path, 0o644);
  }
}

async function listCases({ files, runner }: GoSuiteOptions, folder: string): Promise<string[]> {
  const pattern = runner === "gocheck" ? /^func \(s \*(\w+)\) (Test\w*)\(/gm : /^func (Test\w*)\(/gm;
  const cases: string[] = [];
  for (const file of files) {
    const source = await readFile(join(folder, "module", "oss", file), "utf8");
    for (const [, ...names] of source.matchAll(pattern)) cases.push(names.join("."));
  }
  return cases;
}

interface Worker {
  cloud: VendorCloud;
  /** The working folder; `../sample` is a copy of the module's. */
  cwd: string;
}

async function startWorker(
  folder: string,
  options: VendorCloudOptions | undefined,
): Promise<{ worker: Worker; stop(): Promise<void> }> {
  const cloud = await startVendorCloud(options);
  const parent = await mkdtemp(join(tmpdir(), "judge-"));
  const cwd = join(parent, "oss");
  await mkdir(cwd);
  // Suites write checkpoints beside the files that they upload.
  const sample = join(folder, "module", "sample");
  if (await exists(sample)) await cp(sample, join(parent, "sample"), { recursive: true });
  return {
    worker: { cloud, cwd },
    async stop() {
      await cloud.stop();
      await rm(parent, { recursive: true, force: true });
    },
  };
}

async function runChunk(
  { runner, environment }: GoSuiteOptions,
  { cloud, cwd, folder }: Worker & { folder: string },
  cases: readonly string[],
): Promise<{ results: Results; output: string }> {
  const pattern = `^(${cases.map((name) => name.replaceAll(".", "\\.")).join("|")})$`;
  const chosen = runner === "gocheck" ? ["-check.v", "-check.f", pattern] : ["-test.run", pattern];
  const env = { PATH: process.env.PATH, HOME: cwd, SSL_CERT_FILE: cloud.caPath, ...environment(cloud) };
  const output = await outputOf(join(folder, "suite.test"), ["-test.v", ...chosen], { cwd, env });
  return { results: (runner === "gocheck" ? gocheckResults : testingResults)(output), output };
}

/** A suite with a failed case exits with 1. */
async function outputOf(program: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
  try {
    const { stdout, stderr } = await runCommand(program, args, { ...options, timeoutMs: CHUNK_DEADLINE_MS });
    return stdout + stderr;
  } catch (error) {
    if (error instanceof CommandError) return `${error.stdout}${error.stderr}\n${error.message}`;
    throw error;
  }
}
