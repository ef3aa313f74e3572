/**
 * The contract of a command of `npm run bridge -- <command>`. Each has a folder, whose `command.ts` exports a `RegisterCommand`:
 *
 *     export const registerBackfill: RegisterCommand = (program, onBridge) => {
 *       bridgeCommand(program, "backfill", "Replicates objects that were there before the bridge.")
 *         .option("--dry-run", "count and price, and do nothing")
 *         .option("--concurrency <n>", "objects at once", whole(1, 256), 16)
 *         .action((options: BackfillOptions) => onBridge(options, (context) => backfill(context, options)));
 *     };
 *
 * - `bridgeCommand` adds `--stack`, `--local` and `--json`; the options extend `CommonOptions`.
 * - `onBridge` opens the bridge, runs the work, and closes the bridge also after a failure. A command that finds an error in its options
 *   throws a `UsageError` before it calls `onBridge`.
 * - The work resolves to its exit code: 0 for success, 1 for a failure that it has reported. An error that it throws is printed without a
 *   stack; the exit code is then 1, for a `UsageError` 2. An interruption aborts `signal`; the exit code is then 128 plus the signal's number.
 * - Results go to `print` (standard output), everything else to `note` (standard error).
 */
import { type Command, InvalidArgumentError } from "commander";
import type { OperatedBridge, SideAccess } from "./operated-bridge";

export const FINE = 0;
export const FAILED = 1;
export const BAD_USAGE = 2;
export type ExitCode = typeof FINE | typeof FAILED;

export interface CommonOptions {
  stack: string;
  local?: true;
  json?: true;
}

export interface CommandContext {
  bridge: OperatedBridge;
  /** For clients that the bridge itself does not have, such as S3 Control. */
  access: { source: SideAccess; destination: SideAccess };
  /** Whether the bridge runs in the local cloud. */
  local: boolean;
  json: boolean;
  signal: AbortSignal;
  print(text: string): void;
  note(text: string): void;
}

export type OnBridge = (options: CommonOptions, work: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;
export type RegisterCommand = (program: Command, onBridge: OnBridge) => void;

/** The command line is wrong; the message says how to correct it. */
export class UsageError extends Error {
  override name = "UsageError";
}

export function bridgeCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .requiredOption("--stack <name>", "the stack, as in Pulumi.<name>.yaml")
    .option("--local", "the stack that `npm start` runs on this machine at the moment")
    .option("--json", "JSON on standard output, and nothing else there");
}

/** Parser of an option that is a whole number. */
export function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}
