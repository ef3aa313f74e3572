import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable } from "node:stream";
import { isErrno } from "./errno";

export interface RunCommandOptions {
  cwd?: string;
  /** @default the environment of this process */
  env?: NodeJS.ProcessEnv;
  /** Kills the child and rejects after this time. */
  timeoutMs?: number;
  /** Sends SIGINT, and SIGKILL after 30 s. Rejects once the child has exited. */
  signal?: AbortSignal | undefined;
  /** Receives each line of standard output and standard error. */
  onLine?: ((line: string) => void) | undefined;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** The child could not be started, failed, timed out or was stopped. The message ends with its last lines. */
export class CommandError extends Error {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  constructor(message: string, result: CommandResult & { exitCode?: number | undefined; cause?: unknown }) {
    super(message, { cause: result.cause });
    this.name = "CommandError";
    this.exitCode = result.exitCode;
    this.stdout = result.stdout;
    this.stderr = result.stderr;
  }
}

const TAIL_LINES = 30;
/** Time between SIGINT and SIGKILL. */
const STOP_DEADLINE_MS = 30_000;

/** Runs a command without a shell. Rejects with `CommandError` unless it exits with 0. */
export function runCommand(command: string, args: readonly string[], options: RunCommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      // In its own process group the child gets no SIGINT from a Ctrl-C; this process sends it.
      detached: true,
    });
    const result: CommandResult = { stdout: "", stderr: "" };
    const lines: string[] = [];
    collectOutput(child, result, (line) => {
      lines.push(line);
      if (lines.length > TAIL_LINES) lines.shift();
      options.onLine?.(line);
    });
    let ended: string | undefined;
    let timer =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(() => {
            ended = `ran longer than ${options.timeoutMs} ms`;
            killGroup(child.pid, "SIGKILL");
          }, options.timeoutMs);
    const onAbort = () => {
      clearTimeout(timer);
      ended = "was stopped";
      killGroup(child.pid, "SIGINT");
      timer = setTimeout(() => killGroup(child.pid, "SIGKILL"), STOP_DEADLINE_MS);
    };
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener("abort", onAbort, { once: true });
    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    };

    const describe = `${command} ${args.join(" ")}`;
    child.once("error", (cause) => {
      settle();
      reject(new CommandError(`${command} could not be started: ${cause.message}`, { ...result, cause }));
    });
    child.once("close", (exitCode, signal) => {
      settle();
      if (exitCode === 0 && ended === undefined) return resolve(result);
      const how = ended ?? (signal === null ? `exited with ${exitCode}` : `was ended by ${signal}`);
      reject(new CommandError(`${describe} ${how}\n${lines.join("\n")}`, { ...result, exitCode: exitCode ?? undefined }));
    });
  });
}

function collectOutput(
  child: ChildProcessByStdio<null, Readable, Readable>,
  result: CommandResult,
  onLine: (line: string) => void,
): void {
  for (const name of ["stdout", "stderr"] as const) {
    let rest = "";
    child[name].setEncoding("utf8");
    child[name].on("data", (chunk: string) => {
      result[name] += chunk;
      const parts = (rest + chunk).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts) onLine(part);
    });
    child[name].on("end", () => {
      if (rest !== "") onLine(rest);
    });
  }
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // The group has exited already.
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

/** True for a process of any user. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (isErrno(error, "EPERM")) return true;
    if (isErrno(error, "ESRCH")) return false;
    throw error;
  }
}
