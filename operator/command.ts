/**
 * How a command of `npm run bridge -- <command>` is written. Each lives in its own folder, whose `command.ts` exports
 *
 *     export const registerBackfill: RegisterCommand = (program, onBridge) => {
 *       bridgeCommand(program, "backfill", "Brings objects that were there before the bridge.")
 *         .option("--dry-run", "count and price, and do nothing")
 *         .option("--concurrency <n>", "objects at work at once", whole(1, 256), 16)
 *         .action((options: BackfillOptions) => onBridge(options, (context) => backfill(context, options)));
 *     };
 *
 * - `bridgeCommand` gives it `--stack`, `--local` and `--json`; its options extend `CommonOptions`.
 * - `onBridge` opens the bridge, runs the work and closes the bridge whatever becomes of it. What is wrong with the options alone
 *   is best thrown as a `UsageError` before that.
 * - The work resolves to its exit code: 0 when all is well, 1 when something failed that it has told of itself. Whatever it throws is
 *   printed as one text without a stack and ends the command with 1, a `UsageError` with 2. An interruption aborts `signal`; the work
 *   then ends as soon as it can, by an error or not, and the exit code is the shell's, 128 and the signal's number.
 * - What was asked for goes to `print` (standard output), everything else to `note` (standard error).
 */
import { type Command, InvalidArgumentError } from "commander";
import type { OperatedBridge } from "./operated-bridge";
import type { SideAccess } from "./side-access";

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
  /** For the vendor's clients that the bridge itself has none of, such as S3 Control. */
  access: { source: SideAccess; destination: SideAccess };
  /** Against the local cloud. */
  local: boolean;
  json: boolean;
  signal: AbortSignal;
  print(text: string): void;
  note(text: string): void;
}

export type OnBridge = (options: CommonOptions, work: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;
export type RegisterCommand = (program: Command, onBridge: OnBridge) => void;

/** What was asked for makes no sense; the message says what would. */
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

/** Reads an option that is a whole number. */
export function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}
