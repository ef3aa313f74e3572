/** Suites of Python's unittest: of a source distribution, or our own scenarios with a client. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPython } from "../../local/aws/install-ministack";
import { installOnce } from "../../local/install-once";
import { DEFAULT_STATE_DIR, toolsDir } from "../../local/paths";
import { CommandError, runCommand } from "../../local/run-command";
import { type Result, type Results, runInChunks, type Suite } from "./suite";

const FILES = join(__dirname, "python");
const RUN_CASES = join(FILES, "run_cases.py");
const REQUIREMENTS = join(FILES, "requirements.txt");
const INSTALL_DEADLINE_MS = 8 * 60_000;
const CHUNK_DEADLINE_MS = 8 * 60_000;

export interface PythonSuiteOptions {
  id: string;
  version: string;
  /** The folder in which the modules are; each worker has a copy of it. */
  folder(): Promise<string>;
  modules(folder: string): Promise<string[]> | string[];
  workers: number;
  casesPerChunk: number;
  /** Starts a cloud for one worker. */
  start(): Promise<{ environment: Record<string, string>; stop(): Promise<void> }>;
}

export function pythonSuite(options: PythonSuiteOptions): Suite {
  const { id, version, workers, casesPerChunk } = options;
  return {
    id,
    version,
    async list() {
      const cwd = await options.folder();
      const modules = await options.modules(cwd);
      const { lines, output } = await runCases(["list", ...modules], { cwd, environment: { JUDGED_PORTS: "{}" } });
      if (lines.length === 0) throw new Error(`${id} has no case:\n${output}`);
      return lines.map(({ case: name }) => name);
    },
    async run(cases) {
      return runInChunks(cases, {
        workers,
        casesPerChunk,
        async start() {
          const cloud = await options.start();
          const parent = await mkdtemp(join(tmpdir(), "judge-"));
          const cwd = join(parent, "suite");
          await cp(await options.folder(), cwd, { recursive: true });
          const stop = async () => {
            await cloud.stop();
            await rm(parent, { recursive: true, force: true });
          };
          return { worker: { cwd, environment: cloud.environment }, stop };
        },
        run: async (worker, chunk) => resultsOf(await runCases(["run", ...chunk], worker)),
      });
    },
  };
}

interface Line {
  case: string;
  passed?: boolean;
  detail?: string;
}

interface Place {
  cwd: string;
  environment: Record<string, string>;
}

/** Runs the cases of our own programs in `scenarios`. */
export const scenarioFolder = async (): Promise<string> => join(__dirname, "scenarios");

async function runCases(args: readonly string[], { cwd, environment }: Place): Promise<{ lines: Line[]; output: string }> {
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    LANG: "C.UTF-8",
    PYTHONDONTWRITEBYTECODE: "1",
    PYTHONPATH: join(FILES, "hosts"),
    ...environment,
  };
  const output = await outputOf(await installedPython(), [RUN_CASES, ...args], { cwd, env });
  const lines = output.split("\n").filter((line) => line.startsWith('{"case": '));
  return { lines: lines.map((line) => JSON.parse(line) as Line), output };
}

function resultsOf({ lines, output }: { lines: readonly Line[]; output: string }): { results: Results; output: string } {
  const results = new Map<string, Result>();
  for (const { case: name, passed = false, detail = "" } of lines) results.set(name, { passed, detail });
  return { results, output };
}

/** Python of the virtual environment with all clients and suites. */
async function installedPython(): Promise<string> {
  const hash = createHash("sha256")
    .update(await readFile(REQUIREMENTS))
    .digest("hex")
    .slice(0, 12);
  const folder = await installOnce(join(toolsDir(DEFAULT_STATE_DIR), `judge-python-${hash}`), async (into) => {
    await runCommand(await findPython(), ["-m", "venv", into]);
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", REQUIREMENTS];
    await runCommand(join(into, "bin", "python"), pip, { timeoutMs: INSTALL_DEADLINE_MS });
  });
  return join(folder, "bin", "python");
}

/** The program of a client, run by the environment's Python: its own first line names the folder before it was renamed. */
export async function pythonProgram(name: string): Promise<{ python: string; program: string }> {
  const python = await installedPython();
  return { python, program: join(python, "..", name) };
}

/** The source distribution of a pinned package, unpacked. */
export async function sourceDistribution(name: string, version: string): Promise<string> {
  const folder = await installOnce(join(toolsDir(DEFAULT_STATE_DIR), `judge-source-${name}-${version}`), async (into) => {
    const python = await installedPython();
    const download = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:"];
    const requirement = join(FILES, `${name}-source.txt`);
    await runCommand(python, [...download, "--require-hashes", "-r", requirement, "-d", into], {
      timeoutMs: INSTALL_DEADLINE_MS,
    });
    await runCommand("tar", ["-xzf", join(into, `${name}-${version}.tar.gz`), "-C", into]);
  });
  return join(folder, `${name}-${version}`);
}

/** With what the process printed about its end, when it failed. */
async function outputOf(program: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
  try {
    return (await runCommand(program, args, { ...options, timeoutMs: CHUNK_DEADLINE_MS })).stdout;
  } catch (error) {
    if (error instanceof CommandError) return `${error.stdout}\n${error.message}`;
    throw error;
  }
}

/** The version of a package in the requirements. */
export function pinnedVersion(name: string): string {
  const version = new RegExp(`^${name}==(\\S+)`, "m").exec(readFileSync(REQUIREMENTS, "utf8"))?.[1];
  if (version === undefined) throw new Error(`${REQUIREMENTS} does not pin ${name}`);
  return version;
}
