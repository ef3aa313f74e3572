/** Runs a command of this repository as a user does, and observes its output, its exit and its processes. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT, runsDir } from "../../../local/paths";

export interface CliProcess {
  readonly pid: number;
  /** The output so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves to the first matching line of either stream. Rejects when the command ends without one. */
  line(pattern: RegExp): Promise<string>;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Sends a signal to the process group, as Ctrl-C in a terminal does. */
  signal(name: NodeJS.Signals): void;
  /** Records the current descendants of the command. */
  noteProcesses(): void;
  /** The recorded processes that still run, as `pid name`. */
  survivors(): string[];
  /** The folders of its run that still exist. */
  runFolders(): string[];
  /** The memory of the command and its descendants, by process. */
  memory(): { name: string; bytes: number }[];
}

/** Runs without npm and its shell, so that pid and exit code are those of the command. */
export function runScript(script: string, args: readonly string[]): CliProcess {
  const command = ["--import", "tsx", join(REPOSITORY_ROOT, "local", "cli", script), ...args];
  return observe(spawn(process.execPath, command, { cwd: REPOSITORY_ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] }));
}

export function runNpm(args: readonly string[]): CliProcess {
  return observe(spawn("npm", args, { cwd: REPOSITORY_ROOT, detached: true, stdio: ["ignore", "pipe", "pipe"] }));
}

function observe(child: ChildProcess): CliProcess {
  const pid = child.pid;
  if (pid === undefined) throw new Error("the command could not be started");
  const output = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      for (const look of waiting) look();
    });
  }
  const noted: Running[] = [];
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? 0));
  });
  return {
    pid,
    ended,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = `${output.stderr}\n${output.stdout}`.split("\n").find((line) => pattern.test(line));
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then((how) => {
          look();
          reject(new Error(`ended with ${how} without a line like ${pattern}:\n${output.stderr}\n${output.stdout}`));
        });
      }),
    signal: (name) => process.kill(-pid, name),
    noteProcesses() {
      noted.push(...descendants(pid));
    },
    survivors: () => {
      const now = new Set(processes().map(identity));
      return noted.filter((one) => now.has(identity(one))).map(({ pid, name }) => `${pid} ${name}`);
    },
    runFolders: () => {
      const owners = new Set([pid, ...noted.map((one) => one.pid)].map(String));
      return readdirSync(runsDir(DEFAULT_STATE_DIR)).filter((name) => owners.has(name.split("-")[0] ?? ""));
    },
    memory: () => {
      const own = processes().filter((one) => one.pid === pid);
      return [...own, ...descendants(pid)].map((one) => ({ name: one.name, bytes: memoryOf(one.pid) }));
    },
  };
}

interface Running {
  pid: number;
  parent: number;
  started: string;
  name: string;
}

/** The name of Pulumi's language host, as `ps` cuts it, and a name for the program that it runs. */
const LANGUAGE_HOST = "pulumi-language";
const PROGRAM = "pulumi-program";

/** Includes the start time, because the system reuses pids. */
const identity = ({ pid, started }: Running): string => `${pid} ${started}`;

function processes(): Running[] {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,lstart=,comm="], { encoding: "utf8" });
  return listing.split("\n").flatMap((line) => {
    const [, pid, parent, state, started, name] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.{24})\s+(.+)$/.exec(line) ?? [];
    // A zombie has exited; its parent has yet to read the exit code.
    if (state === undefined || started === undefined || name === undefined || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), started, name }];
  });
}

/** Linux shares pages out among the processes that use them. Elsewhere each process counts them whole. */
function memoryOf(pid: number): number {
  const path = `/proc/${pid}/smaps_rollup`;
  if (existsSync(path)) return 1024 * Number(/^Pss: +(\d+) kB$/m.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
  return 1024 * Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" }));
}

function descendants(ancestor: number): Running[] {
  const all = processes();
  const below = (pid: number, parentName = ""): Running[] =>
    all
      .filter(({ parent }) => parent === pid)
      .flatMap((child) => {
        const name = parentName === LANGUAGE_HOST ? PROGRAM : child.name;
        return [{ ...child, name }, ...below(child.pid, name)];
      });
  return below(ancestor);
}
