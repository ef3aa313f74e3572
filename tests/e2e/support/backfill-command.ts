/** Runs `npm run bridge -- backfill --local` in its own process on a deployed stack. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { writeOperatorFile } from "../../../local/cli/operator-file";
import type { LocalStack } from "../../../local/local-stack";
import { REPOSITORY_ROOT } from "../../../local/paths";
import type { Checkpoint } from "../../../operator/backfill/checkpoint";
import type { Counts } from "../../../operator/backfill/counts";
import type { BackfillReport } from "../../../operator/backfill/report";

export interface BackfillRun {
  /** Null if a signal ended the process. */
  exitCode: number | null;
  /** @throws Error with the notes if the command printed no report */
  report: BackfillReport & { counts: Counts };
  /** Standard error. */
  notes: string;
  /** Peak memory; zero if a signal ended the process. */
  peakBytes: number;
}

export interface RunningBackfill {
  readonly pid: number;
  readonly ended: Promise<BackfillRun>;
}

export interface BackfillCommand {
  start(...options: string[]): RunningBackfill;
  run(...options: string[]): Promise<BackfillRun>;
  /** Undefined if there is no checkpoint file. */
  checkpoint(): Promise<Checkpoint | undefined>;
  /** Kills running processes and removes the operator's file of the stack. */
  close(): Promise<void>;
}

/** With a larger heap, V8 keeps so much garbage that the peak does not show the program's use. */
const HEAP_MIB = 128;

const PEAK_MEMORY = join(__dirname, "backfill-peak-memory.ts");

/** The command finds the stack by its setting `name`, so each test has its own name. */
export async function openBackfill(local: LocalStack): Promise<BackfillCommand> {
  const stack = String(local.settings["crossborderbridge:name"]);
  const removeFile = await writeOperatorFile(stack, local);
  const running = new Set<ChildProcess>();
  const checkpointPath = join(local.clouds.runDir, `backfill-${stack}.json`);
  const common = ["backfill", "--stack", stack, "--local", "--json", "--checkpoint", checkpointPath];

  function start(...options: string[]): RunningBackfill {
    const node = [`--max-old-space-size=${HEAP_MIB}`, "--import", "tsx", "--import", PEAK_MEMORY, "operator/main.ts"];
    const child = spawn(process.execPath, [...node, ...common, ...options], {
      cwd: REPOSITORY_ROOT,
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    running.add(child);
    child.once("close", () => running.delete(child));
    const output = [child.stdout, child.stderr, child.stdio[3] as Readable].map((stream) => text(stream as Readable));
    return { pid: child.pid as number, ended: endOf(once(child, "close"), output) };
  }

  return {
    start,
    run: (...options) => start(...options).ended,
    async checkpoint() {
      const content = await readFile(checkpointPath, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
      return content === undefined ? undefined : (JSON.parse(content) as Checkpoint);
    },
    async close() {
      await Promise.all(
        [...running].map(async (child) => {
          const closed = once(child, "close");
          child.kill("SIGKILL");
          await closed;
        }),
      );
      await removeFile();
    },
  };
}

async function endOf(closed: Promise<unknown[]>, output: Promise<string>[]): Promise<BackfillRun> {
  const [exitCode] = (await closed) as [number | null];
  const [printed = "", notes = "", peak = ""] = await Promise.all(output);
  return {
    exitCode,
    get report() {
      if (printed === "") throw new Error(`the command printed no report, and ended with ${exitCode}:\n${notes}`);
      return JSON.parse(printed) as BackfillRun["report"];
    },
    notes,
    peakBytes: Number(peak),
  };
}
