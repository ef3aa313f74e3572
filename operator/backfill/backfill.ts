/** Runs a backfill: chooses the engine, opens the checkpoint, asks the operator, and starts the engine. */
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { askAtTerminal } from "../ask";
import { type CommandContext, type ExitCode, FAILED, UsageError } from "../command";
import { loadPrices } from "../prices";
import { assertBuckets } from "../sides";
import { runBatch } from "./batch";
import { openCheckpoint } from "./checkpoint";
import { chooseEngine } from "./engine";
import type { Backfill, BackfillDeps, BackfillOptions } from "./options";
import { runWalk } from "./walk";

export const systemDeps = (): BackfillDeps => ({
  now: Date.now,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: () => randomInt(2 ** 32) / 2 ** 32,
  confirm: (question, signal) => askAtTerminal(question, signal),
  interactive: process.stdin.isTTY === true,
  // Loaded on demand: the S3 Control client is slow to load, and most runs do not need it.
  openControl: async (access, accountId) => (await import("./batch-control")).openBatchControl(access, accountId),
});

export async function backfill(context: CommandContext, options: BackfillOptions, deps: BackfillDeps): Promise<ExitCode> {
  const { bridge, local, signal, note } = context;
  const { stack, config } = bridge;
  const { dryRun = false, prefix, maxBytes } = options;
  const { engine, notices } = chooseEngine(bridge, options.job === undefined ? options.engine : "batch", { local });
  if (engine === "batch" && maxBytes !== undefined)
    throw new UsageError("--max-bytes: S3 reports no sizes before it replicates; take --engine copy to stay within a budget");
  const prices = await loadPrices(options.prices);
  await assertBuckets(bridge, signal);
  const identity = (side: "source" | "destination") => `${config[side].cloud}:${config[side].region}:${config[side].bucket}`;
  const checkpoint = openCheckpoint(
    options.checkpoint ?? join(".crossborderbridge", `backfill-${stack}.json`),
    { stack, source: identity("source"), destination: identity("destination"), local, prefix, engine },
    deps.now,
  );
  // Reports an unusable checkpoint before the operator is asked anything.
  if (!dryRun && options.job === undefined) await checkpoint.read();
  note(`engine ${engine}: ${notices.join("\n  ")}`);
  // The engine batch asks later: its job counts the objects first.
  if (!dryRun && engine !== "batch" && !options.yes) {
    const agreed = await deps.confirm(`Go through ${bridge.source.bucket}/${prefix}? (--dry-run counts and prices it)`, signal);
    if (!agreed) {
      note("nothing was done");
      return FAILED;
    }
  }
  const run: Backfill = { context, options, deps: { ...deps, prices }, engine, checkpoint };
  try {
    return await (engine === "batch" && !dryRun ? runBatch(run) : runWalk(run));
  } catch (error) {
    if (!dryRun) note(`run the same command again to resume from ${checkpoint.path}`);
    throw error;
  }
}
