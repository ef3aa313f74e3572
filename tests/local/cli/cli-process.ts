/** A command of this repository as a person runs it: its output, its exit, and every process that it brought about. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { isRunning } from "../../../local/is-running";
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
  /** Of the noted ones, those that still run. */
  survivors(): number[];
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
  const noted = new Set<number>();
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
      for (const one of descendants(pid)) noted.add(one);
    },
    survivors: () => [...noted].filter(isRunning),
    runFolders: () => {
      const owners = new Set([pid, ...noted].map(String));
      return readdirSync(runsDir(DEFAULT_STATE_DIR)).filter((name) => owners.has(name.split("-")[0] ?? ""));
    },
  };
}

function descendants(ancestor: number): number[] {
  const listing = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  const children = new Map<number, number[]>();
  for (const line of listing.split("\n")) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    if (pid !== undefined && parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const below = (pid: number): number[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(ancestor);
}
