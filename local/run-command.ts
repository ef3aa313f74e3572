import { spawn } from "node:child_process";
import { isErrno } from "./errno";

export interface RunCommandOptions {
  cwd?: string;
  /** The whole environment of the child; this process's own when absent. */
  env?: NodeJS.ProcessEnv;
  /** Kills the child and rejects after so long. */
  timeoutMs?: number;
  /** Asks the child to stop (SIGINT; by force after 30 s) and rejects once it is gone. */
  signal?: AbortSignal;
  /** Each line of standard output and standard error, as it comes. */
  onLine?: (line: string) => void;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** A child that could not be started, failed, ran past its time or was stopped. The message ends with its last lines. */
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
/** From the request to stop to the end by force. */
const STOP_DEADLINE_MS = 30_000;

/** Runs a command to its end, without a shell. Rejects with `CommandError` unless it exits with 0. */
export function runCommand(command: string, args: readonly string[], options: RunCommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: a Ctrl-C at the terminal reaches this process alone, which decides what happens to the child.
      detached: true,
    });
    const result: CommandResult = { stdout: "", stderr: "" };
    const lines: string[] = [];
    const emit = (line: string) => {
      lines.push(line);
      if (lines.length > TAIL_LINES) lines.shift();
      options.onLine?.(line);
    };
    for (const name of ["stdout", "stderr"] as const) {
      let rest = "";
      child[name].setEncoding("utf8");
      child[name].on("data", (chunk: string) => {
        result[name] += chunk;
        const parts = (rest + chunk).split("\n");
        rest = parts.pop() ?? "";
        for (const part of parts) emit(part);
      });
      child[name].on("end", () => {
        if (rest !== "") emit(rest);
      });
    }

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

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Gone already: there is nothing left to signal.
    if (!isErrno(error, "ESRCH")) throw error;
  }
}
