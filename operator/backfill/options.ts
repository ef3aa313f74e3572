/** The options and dependencies of a backfill. */
import type { PriceBook } from "../../cost/prices";
import { type CommandContext, type CommonOptions, UsageError } from "../command";
import type { RetryDeps } from "../concurrency";
import type { SideAccess } from "../operated-bridge";
import type { BatchControl } from "./batch-control";
import type { CheckpointFile } from "./checkpoint";
import type { Engine } from "./engine";

export interface BackfillOptions extends CommonOptions {
  prefix: string;
  engine: Engine | "auto";
  concurrency: number;
  /** Which tasks the report of a batch job lists. */
  report: "failed" | "all";
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
  /** Whether standard input is a terminal, so that a person can answer. */
  interactive: boolean;
  openControl(access: SideAccess, accountId: string): Promise<BatchControl>;
}

/** One backfill, after its engine was chosen. */
export interface Backfill {
  context: CommandContext;
  options: BackfillOptions;
  deps: BackfillDeps & { prices: PriceBook };
  engine: Engine;
  checkpoint: CheckpointFile;
}

/** Checks what can be checked without the stack. @throws UsageError */
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
