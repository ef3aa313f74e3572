/** The options and dependencies of a verification. */

import type { ObjectStore } from "../../runtime/stores/object-store";
import { type CommonOptions, type Since, UsageError } from "../command";
import type { RetryDeps } from "../concurrency";
import type { SideAccess } from "../operated-bridge";

export interface VerifyOptions extends CommonOptions {
  prefix: string;
  since?: Since;
  fromFile?: string;
  sourceInventory?: string;
  destinationInventory?: string;
  bytes?: true;
  /** Milliseconds. */
  grace: number;
  parallel: number;
  concurrency: number;
  checkpoint?: string;
  out?: string;
  repair?: true;
  dryRun?: true;
  yes?: true;
  maxObjects?: number;
  maxBytes?: number;
}

export interface VerifyDeps extends Omit<RetryDeps, "signal"> {
  /** Milliseconds since the epoch. */
  now(): number;
  confirm(question: string, signal: AbortSignal): Promise<boolean>;
  /** Whether standard input is a terminal, so that a person can answer. */
  interactive: boolean;
  /** Called after each step. @param compared keys so far */
  onCompared?(compared: number): void;
  /** Opens another bucket of a side, for an inventory. */
  openStore(access: SideAccess, bucket: string): Promise<ObjectStore>;
}

/** Checks what can be checked without the stack. @throws UsageError */
export function assertOptions(options: VerifyOptions, { interactive }: Pick<VerifyDeps, "interactive">): void {
  const { repair, dryRun, yes, maxObjects, maxBytes, fromFile, since, sourceInventory, destinationInventory } = options;
  if (!repair && (dryRun || yes || maxObjects !== undefined || maxBytes !== undefined))
    throw new UsageError("--dry-run, --yes, --max-objects and --max-bytes are about --repair: a verification changes nothing");
  if (repair && !dryRun && !yes && !interactive)
    throw new UsageError("there is nobody to ask: say --yes, or --dry-run to see what --repair would do");
  const hasInventory = sourceInventory !== undefined || destinationInventory !== undefined;
  if (fromFile !== undefined && (hasInventory || since !== undefined))
    throw new UsageError("--from-file names the keys itself: leave out --since and the inventories");
}
