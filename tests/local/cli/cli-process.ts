/** A command of this repository as a person runs it: its output, its exit, and every process that it brought about. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_STATE_DIR, REPOSITORY_ROOT, runsDir } from "../../../local/paths";

export interface CliProcess {
  readonly pid: number;
  /** So far. */
  stdout(): string;
  stderr(): string;
  /** Resolves to the first line of either stream that matches, former ones too. Rejects when the command ends without. */
  line(pattern: RegExp): Promise<string>;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Like Ctrl-C in a terminal: to the command and whatever shares its process group. */
  signal(name: NodeJS.Signals): void;
  /** Notes the processes below this one, now. */
  noteProcesses(): void;
  /** Of the noted ones, those that still run, each as `pid name`. */
  survivors(): string[];
  /** The folders of its run that are there. */
  runFolders(): string[];
}

/** Without npm and its shell in between, so that pid and exit code are the command's own. */
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
  };
}

interface Running {
  pid: number;
  parent: number;
  started: string;
  name: string;
}

/** A pid alone is soon another process's on a busy machine. */
const identity = ({ pid, started }: Running): string => `${pid} ${started}`;

function processes(): Running[] {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,lstart=,comm="], { encoding: "utf8" });
  return listing.split("\n").flatMap((line) => {
    const [, pid, parent, state, started, name] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.{24})\s+(.+)$/.exec(line) ?? [];
    // A zombie has ended; that nobody has asked for its exit code yet is the init process's affair.
    if (state === undefined || started === undefined || name === undefined || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), started, name }];
  });
}

function descendants(ancestor: number): Running[] {
  const all = processes();
  const below = (pid: number): Running[] =>
    all.filter(({ parent }) => parent === pid).flatMap((child) => [child, ...below(child.pid)]);
  return below(ancestor);
}
