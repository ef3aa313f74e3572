/** Runs a contender as processes of its own, and says what they used. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../local/run-command";

/** Commands that are connected by pipes. */
export type Pipeline = readonly (readonly string[])[];

export interface Usage {
  /** From the start of the first process to the end of the last one. */
  wallSeconds: number;
  /** User and system time of all processes. */
  cpuSeconds: number;
  /** The peak of the resident memory. Processes that run at the same time are added. */
  rssBytes: number;
}

export interface MeasureOptions {
  /** The program `measure`. */
  measure: string;
  /** Holds the file with the result. */
  folder: string;
  /** The whole environment of the commands. */
  env: Readonly<Record<string, string>>;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

const PIPE = "@pipe";

/**
 * Runs the steps one after the other.
 * @returns their usage together, and the output of the last step
 * @throws CommandError with the last lines of a command that fails
 */
export async function runMeasured(steps: readonly Pipeline[], options: MeasureOptions): Promise<Usage & { stdout: string }> {
  const total = { wallSeconds: 0, cpuSeconds: 0, rssBytes: 0, stdout: "" };
  for (const step of steps) {
    const { usage, stdout } = await runStep(step, options);
    total.wallSeconds += usage.wallSeconds;
    total.cpuSeconds += usage.cpuSeconds;
    total.rssBytes = Math.max(total.rssBytes, usage.rssBytes);
    total.stdout = stdout;
  }
  return total;
}

async function runStep(
  step: Pipeline,
  { measure, folder, env, timeoutMs, signal }: MeasureOptions,
): Promise<{ usage: Usage; stdout: string }> {
  const resultPath = join(folder, "usage.json");
  const words = step.flatMap((command, index) => (index === 0 ? command : [PIPE, ...command]));
  try {
    const { stdout } = await runCommand(measure, [resultPath, ...words], {
      env: { ...env },
      timeoutMs,
      signal,
    });
    return { usage: parseUsage(await readFile(resultPath, "utf8")), stdout };
  } finally {
    await rm(resultPath, { force: true });
  }
}

/** @param text what the program `measure` writes */
export function parseUsage(text: string): Usage {
  const { wallSeconds, commands } = JSON.parse(text) as {
    wallSeconds: number;
    commands: { cpuSeconds: number; maxRssBytes: number }[];
  };
  return {
    wallSeconds,
    cpuSeconds: commands.reduce((sum, one) => sum + one.cpuSeconds, 0),
    rssBytes: commands.reduce((sum, one) => sum + one.maxRssBytes, 0),
  };
}
