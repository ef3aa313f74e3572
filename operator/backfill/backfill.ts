/** `npm run bridge -- backfill`: brings over what was there before the bridge, or what it missed. */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandContext, type CommonOptions, type ExitCode, FAILED, UsageError } from "../command";
import type { SideAccess } from "../side-access";
import type { BatchControl } from "./batch/control";
import type { Report } from "./batch/job";
import { type CheckpointFile, openCheckpoint } from "./checkpoint";
import { askAtTerminal } from "./confirm";
import { chooseEngine, type Engine } from "./engine";
import { loadPrices, type PriceBook } from "./prices";
import type { RetryDeps } from "./retrying";
import { runBatch } from "./run-batch";
import { runWalk } from "./run-walk";

export interface BackfillOptions extends CommonOptions {
  prefix: string;
  engine: Engine | "auto";
  concurrency: number;
  report: Report;
  dryRun?: true;
  yes?: true;
  checkpoint?: string;
  prices?: string;
  maxBytes?: number;
  job?: string;
}

export interface BackfillDeps extends Omit<RetryDeps, "signal"> {
  /** Milliseconds since the epoch. */
  now(): number;
  confirm(question: string, signal: AbortSignal): Promise<boolean>;
  /** Whether there is a person to ask. */
  interactive: boolean;
  openControl(access: SideAccess, accountId: string): Promise<BatchControl>;
}

/** One backfill, with everything decided. */
export interface Backfill {
  context: CommandContext;
  options: BackfillOptions;
  deps: BackfillDeps & { prices: PriceBook };
  engine: Engine;
  checkpoint: CheckpointFile;
}

export const systemDeps = (): BackfillDeps => ({
  now: Date.now,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: () => randomInt(2 ** 32) / 2 ** 32,
  confirm: (question, signal) => askAtTerminal(question, signal),
  interactive: process.stdin.isTTY === true,
  // Its client takes its time to load, and most runs do without it.
  openControl: async (access, accountId) => (await import("./batch/control")).openBatchControl(access, accountId),
});

/** What the options alone decide. @throws UsageError */
export function assertOptions(options: BackfillOptions, { interactive }: Pick<BackfillDeps, "interactive">): void {
  const { dryRun = false, yes = false, engine, maxBytes, prices, job } = options;
  if (!dryRun && !yes && !interactive)
    throw new UsageError("there is nobody to ask: say --yes, or --dry-run to see what it would do");
  if (dryRun && maxBytes !== undefined)
    throw new UsageError("--max-bytes bounds what is put to work, and a dry run puts nothing to work");
  if (!dryRun && prices !== undefined) throw new UsageError("--prices is for --dry-run");
  if (job !== undefined && (dryRun || (engine !== "batch" && engine !== "auto")))
    throw new UsageError("--job watches a job of --engine batch, and does nothing else");
}

export async function backfill(context: CommandContext, options: BackfillOptions, deps: BackfillDeps): Promise<ExitCode> {
  const { bridge, local, signal, note } = context;
  const { stack, config } = bridge;
  const { dryRun = false, prefix, maxBytes } = options;
  const { engine, notices } = chooseEngine(bridge, options.job === undefined ? options.engine : "batch", { local });
  if (engine === "batch" && maxBytes !== undefined)
    throw new UsageError("--max-bytes: S3 tells no sizes before it replicates; take --engine copy to stay within a budget");
  const prices = await loadPrices(options.prices);
  const identity = (side: "source" | "destination") => `${config[side].cloud}:${config[side].region}:${config[side].bucket}`;
  const checkpoint = openCheckpoint(
    options.checkpoint ?? join(".crossborderbridge", `backfill-${stack}.json`),
    { stack, source: identity("source"), destination: identity("destination"), local, prefix, engine },
    deps.now,
  );
  // What is wrong with an earlier run's checkpoint comes to light before anybody is asked anything.
  if (!dryRun && options.job === undefined) await checkpoint.read();
  note(`engine ${engine}: ${notices.join("\n  ")}`);
  // A job counts its objects before it asks.
  if (!dryRun && engine !== "batch" && !options.yes) {
    const agreed = await deps.confirm(`Go through ${bridge.source.bucket}/${prefix}? (--dry-run counts and prices it)`, signal);
    if (!agreed) {
      note("nothing was done");
      return FAILED;
    }
  }
  const run = { context, options, deps: { ...deps, prices }, engine, checkpoint };
  try {
    return await (engine === "batch" && !dryRun ? runBatch(run) : runWalk(run));
  } catch (error) {
    if (!dryRun) note(`the same command goes on from where it came to (${checkpoint.path})`);
    throw error;
  }
}
