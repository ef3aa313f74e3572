import { type ChildProcess, spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { readLines } from "./log";

/** The part of the function's memory for Node.js outside its heap. */
const RUNTIME_MEMORY_MB = 64;

export interface ProcessOptions {
  /** Arguments of Node.js. */
  args: string[];
  environment: Record<string, string>;
  codePath: string;
  /** Removed when the process has ended. */
  folder: string;
  onFailure: (error: unknown) => void;
  onMessage(message: unknown): void;
  onLine(line: string): void;
  /** Its output has been read. */
  onStdoutEnd(): void;
  /** It has ended. */
  onClose(): void;
}

/** A process of a function's instance, with a process group of its own: `kill` also ends the children of the function. */
export class FunctionProcess {
  /** Resolves when the process and its children have ended and its folder is removed. Never rejects. */
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private dying = false;
  private hasClosed = false;

  constructor(options: ProcessOptions) {
    const { folder, onFailure } = options;
    this.child = spawn(process.execPath, options.args, {
      cwd: options.codePath,
      env: options.environment,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      serialization: "advanced",
      detached: true,
    });
    const { stdout, stderr } = this.child as { stdout: Readable; stderr: Readable };
    readLines(stdout, options.onLine, options.onStdoutEnd);
    readLines(stderr, options.onLine, () => {});
    this.child.on("message", options.onMessage);
    this.child.on("error", onFailure);
    this.child.once("exit", () => this.kill());
    this.ended = new Promise<void>((resolve) => this.child.once("close", () => resolve()))
      .then(() => {
        this.hasClosed = true;
        options.onClose();
      })
      .then(() => rm(folder, { recursive: true, force: true }))
      .catch(onFailure);
  }

  get pid(): number | undefined {
    return this.hasClosed ? undefined : this.child.pid;
  }

  /** False after kill(), before the process has ended. */
  get usable(): boolean {
    return !this.dying;
  }

  get closed(): boolean {
    return this.hasClosed;
  }

  send(message: object): void {
    // When sending fails the process is ending; onClose reports it.
    this.child.send(message, () => {});
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
}

/** The flag that limits the heap of a function with this memory. */
export function heapFlag(memorySizeMb: number): string {
  return `--max-old-space-size=${Math.max(memorySizeMb - RUNTIME_MEMORY_MB, RUNTIME_MEMORY_MB)}`;
}
