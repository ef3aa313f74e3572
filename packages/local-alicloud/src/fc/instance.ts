import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type FunctionLog, readLines } from "./log";

const BOOTSTRAP = join(__dirname, "bootstrap.cjs");
/** The length of the log that `x-fc-log-type: Tail` returns. */
const TAIL_CHARS = 4 * 1024;
/** The part of the function's memory for Node.js outside its heap. */
const RUNTIME_MEMORY_MB = 64;

export interface Task {
  requestId: string;
  event: Buffer;
  /** https://www.alibabacloud.com/help/en/functioncompute/fc/context-1-1 */
  context: object;
}

/** More detailed than the types that callers get, see `publicErrorType`. */
export type ErrorType = "HandledInvocationError" | "UnhandledInvocationError" | "FunctionTimedOut" | "ProcessExited";

export interface Outcome {
  payload: Buffer;
  errorType?: ErrorType;
  logTail: string;
}

export interface InstanceOptions {
  functionName: string;
  memorySize: number;
  timeoutSeconds: number;
  codePath: string;
  /** Removed when the process has ended. */
  folder: string;
  environment: Record<string, string>;
  log: FunctionLog;
  onFailure: (error: unknown) => void;
}

type Answer = Pick<Outcome, "payload" | "errorType">;

interface Running {
  task: Task;
  startedAt: number;
  logTail: string;
  /** Whether all of its output has been read. */
  logComplete: boolean;
  answer?: Answer;
  timer?: NodeJS.Timeout;
  resolve(outcome: Outcome): void;
}

const failure = (errorType: ErrorType, errorMessage: string): Answer => ({
  errorType,
  payload: Buffer.from(JSON.stringify({ errorMessage })),
});

/** One process with the function's code. It runs one invocation at a time. */
export class Instance {
  /** Resolves when the process and its children have ended and its folder is removed. Never rejects. */
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private booted = false;
  private dying = false;
  private closed = false;
  private stdoutOpen = true;
  private running: Running | undefined;

  constructor(private readonly options: InstanceOptions) {
    const { folder, onFailure } = options;
    const heapMb = Math.max(options.memorySize - RUNTIME_MEMORY_MB, RUNTIME_MEMORY_MB);
    this.child = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, BOOTSTRAP, options.functionName], {
      cwd: options.codePath,
      env: options.environment,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "advanced",
      // A process group of its own: kill() also ends the children of the function.
      detached: true,
    });
    const { stdout, stderr } = this.child as { stdout: Readable; stderr: Readable };
    readLines(stdout, this.onLine, () => {
      this.stdoutOpen = false;
      this.settle();
    });
    readLines(stderr, this.onLine, () => {});
    this.child.on("message", this.onMessage);
    this.child.on("error", onFailure);
    this.child.once("exit", () => this.kill());
    this.ended = new Promise<void>((resolve) => this.child.once("close", () => resolve()))
      .then(() => this.onClose())
      .then(() => rm(folder, { recursive: true, force: true }))
      .catch(onFailure);
  }

  get pid(): number | undefined {
    return this.closed ? undefined : this.child.pid;
  }

  /** False after kill(), before the process has ended. */
  get usable(): boolean {
    return !this.dying;
  }

  /** Never rejects: failures are in the outcome. */
  run(task: Task): Promise<Outcome> {
    return new Promise((resolve) => {
      this.running = { task, startedAt: performance.now(), logTail: "", logComplete: !this.stdoutOpen, resolve };
      if (this.closed) this.onClose();
      else if (this.booted) this.dispatch();
    });
  }

  kill(): void {
    this.dying = true;
    if (this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  private dispatch(): void {
    const { running } = this;
    if (running === undefined) return;
    const { timeoutSeconds } = this.options;
    running.timer = setTimeout(() => {
      running.answer = failure("FunctionTimedOut", `Function timed out after ${timeoutSeconds} seconds`);
      this.kill();
    }, timeoutSeconds * 1000);
    // When sending fails the process is ending; onClose reports it.
    this.child.send(running.task, () => {});
  }

  private readonly onMessage = (message: unknown): void => {
    const said = message as { ready?: true; payload?: Uint8Array; errorType?: ErrorType };
    if (said.ready) {
      this.booted = true;
      this.dispatch();
    } else if (this.running !== undefined && said.payload !== undefined) {
      const payload = Buffer.from(said.payload);
      this.running.answer ??= { payload, ...(said.errorType === undefined ? {} : { errorType: said.errorType }) };
      this.settle();
    }
  };

  private readonly onLine = (line: string): void => {
    this.options.log.push(line);
    const { running } = this;
    if (running === undefined) return;
    running.logTail = `${running.logTail}${line}\n`.slice(-TAIL_CHARS);
    if (!line.endsWith(`FC Invoke End RequestId: ${running.task.requestId}`)) return;
    running.logComplete = true;
    this.settle();
  };

  private settle(): void {
    const { running } = this;
    if (running?.answer === undefined) return;
    if (!running.logComplete && this.stdoutOpen) return;
    this.finish(running, running.answer);
  }

  private onClose(): void {
    this.closed = true;
    const { running } = this;
    if (running === undefined) return;
    const durationMs = Math.round(performance.now() - running.startedAt);
    const exited = `Process exited unexpectedly before completing request (duration: ${durationMs}ms)`;
    this.finish(running, running.answer ?? failure("ProcessExited", exited));
  }

  private finish(running: Running, answer: Answer): void {
    clearTimeout(running.timer);
    this.running = undefined;
    running.resolve({ ...answer, logTail: running.logTail });
  }
}

/** The two documented types: https://www.alibabacloud.com/help/en/functioncompute/fc/error-handling-nodejs */
export function publicErrorType(errorType: ErrorType): "HandledInvocationError" | "UnhandledInvocationError" {
  return errorType === "HandledInvocationError" ? errorType : "UnhandledInvocationError";
}
