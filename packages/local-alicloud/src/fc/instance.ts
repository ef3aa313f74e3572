import { join } from "node:path";
import type { InvocationContext } from "./environment";
import { FunctionProcess, heapFlag } from "./function-process";
import type { FunctionLog } from "./log";

const BOOTSTRAP = join(__dirname, "bootstrap.cjs");
/** The length of the log that `x-fc-log-type: Tail` returns. */
const TAIL_CHARS = 4 * 1024;

export interface Task {
  requestId: string;
  event: Buffer;
  /** https://www.alibabacloud.com/help/en/functioncompute/fc/context-1-1 */
  context: InvocationContext;
  /** How often the event was delivered before. */
  retryCount: number;
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

/** A process that runs invocations of a function. */
export interface FunctionInstance {
  /** Resolves when the process and its children have ended and its folder is removed. Never rejects. */
  readonly ended: Promise<void>;
  readonly pid: number | undefined;
  /** False after kill(), before the process has ended. */
  readonly usable: boolean;
  /** Never rejects: failures are in the outcome. */
  run(task: Task): Promise<Outcome>;
  kill(): void;
}

export type Answer = Pick<Outcome, "payload" | "errorType">;

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

export const failure = (errorType: ErrorType, errorMessage: string): Answer => ({
  errorType,
  payload: Buffer.from(JSON.stringify({ errorMessage })),
});

export const timedOut = (timeoutSeconds: number): Answer =>
  failure("FunctionTimedOut", `Function timed out after ${timeoutSeconds} seconds`);

/** @param startedAt by `performance.now()` */
export function exited(startedAt: number): Answer {
  const durationMs = Math.round(performance.now() - startedAt);
  return failure("ProcessExited", `Process exited unexpectedly before completing request (duration: ${durationMs}ms)`);
}

/** A process with a standard runtime. It runs one invocation at a time. */
export class Instance implements FunctionInstance {
  private readonly process: FunctionProcess;
  private booted = false;
  private stdoutOpen = true;
  private running: Running | undefined;

  constructor(private readonly options: InstanceOptions) {
    this.process = new FunctionProcess({
      ...options,
      args: [heapFlag(options.memorySize), BOOTSTRAP, options.functionName],
      onMessage: this.onMessage,
      onLine: this.onLine,
      onStdoutEnd: () => {
        this.stdoutOpen = false;
        this.settle();
      },
      onClose: () => this.onClose(),
    });
  }

  get ended(): Promise<void> {
    return this.process.ended;
  }

  get pid(): number | undefined {
    return this.process.pid;
  }

  get usable(): boolean {
    return this.process.usable;
  }

  run(task: Task): Promise<Outcome> {
    return new Promise((resolve) => {
      this.running = { task, startedAt: performance.now(), logTail: "", logComplete: !this.stdoutOpen, resolve };
      if (this.process.closed) this.onClose();
      else if (this.booted) this.dispatch();
    });
  }

  kill(): void {
    this.process.kill();
  }

  private dispatch(): void {
    const { running } = this;
    if (running === undefined) return;
    const { timeoutSeconds } = this.options;
    running.timer = setTimeout(() => {
      running.answer = timedOut(timeoutSeconds);
      this.kill();
    }, timeoutSeconds * 1000);
    this.process.send(running.task);
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
    const { running } = this;
    if (running !== undefined) this.finish(running, running.answer ?? exited(running.startedAt));
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
