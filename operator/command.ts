/**
 * The contract of a command of `crossborderbridge <command>`, which is `npm run bridge -- <command>` in a checkout. Each has a folder, whose `command.ts` exports a `RegisterCommand`:
 *
 *     export const registerBackfill: RegisterCommand = (program, onBridge) => {
 *       bridgeCommand(program, "backfill", "Replicates objects that were there before the bridge.")
 *         .option("--dry-run", "count and price, and do nothing")
 *         .option("--concurrency <n>", "objects at once", whole(1, 256), 16)
 *         .action((options: BackfillOptions) => onBridge(options, (context) => backfill(context, options)));
 *     };
 *
 * - `bridgeCommand` adds the options that name the bridge, `--json` and `--verbose`; the options extend `CommonOptions`.
 * - `onBridge` opens the bridge, runs the work, and closes the bridge also after a failure. A command that finds an error in its options
 *   throws a `UsageError` before it calls `onBridge`.
 * - The work resolves to its exit code, one of `EXIT_CODES`. An error that it throws is printed without a stack and decides the exit code:
 *   a `UsageError` or an invalid configuration is 2, `ObjectsFailed` is 1, and every other one is 3. An interruption aborts `signal`; the
 *   exit code is then 128 plus the signal's number.
 * - Results go to `print` (standard output), everything else to `note` (standard error).
 */
import { type Command, InvalidArgumentError } from "commander";
import type { OperatedBridge, SideAccess } from "./operated-bridge";

export const FINE = 0;
export const FAILED = 1;
export const BAD_USAGE = 2;
export const CANNOT_LOOK = 3;
export const TOO_OLD = 4;
export type ExitCode = typeof FINE | typeof FAILED | typeof CANNOT_LOOK | typeof TOO_OLD;

/** The exit codes of every command. `--help` prints them, and docs/operations.md has the same table. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  [FINE]: "nothing has failed: every key is across or on its way",
  [FAILED]: "objects have failed, or nothing will replicate them, or the work is not complete",
  [BAD_USAGE]: "the command line or the configuration is wrong",
  [CANNOT_LOOK]: "a side cannot be reached or read, or there are no credentials for it",
  [TOO_OLD]: "a key has waited longer than --max-age",
};

/** One of the first three is needed. */
export interface CommonOptions {
  stack?: string;
  local?: true;
  /** A file that describes the bridge. */
  outputs?: string;
  verbose?: true;
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
/** For work that opens the stack itself, because it may not be deployed yet. */
export type OnStack = (
  options: CommonOptions,
  work: (context: Omit<CommandContext, "bridge" | "access">) => Promise<ExitCode>,
) => Promise<void>;
export type RegisterCommand = (program: Command, onBridge: OnBridge, onStack: OnStack) => void;

/** The command line is wrong; the message says how to correct it. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** Objects have failed; the message names the first of them. */
export class ObjectsFailed extends Error {
  override name = "ObjectsFailed";
}

/** A bucket cannot be looked at; the message names the side, the bucket, the region and the way out. */
export class CannotLook extends Error {
  override name = "CannotLook";
}

export function bridgeCommand(program: Command, name: string, description: string): Command {
  return program
    .command(name)
    .description(description)
    .option("--stack <name>", "the stack, as in Pulumi.<name>.yaml")
    .option("--local", "the stack that `npm start` runs on this machine at the moment; --stack names one of several")
    .option("--outputs <file>", "the bridge of another program, by its settings and outputs in this file")
    .option("--json", "JSON lines on standard output, and nothing else there")
    .option("-v, --verbose", "with an error: the kinds of its causes too");
}

export const NAME_A_BRIDGE = "name the bridge: --stack <name>, --local, or --outputs <file>";

/** Parser of an option that is a whole number. */
export function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${low} to ${high}.`);
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const SIZES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };

/** Parser of an option that is a number of bytes, such as `500`, `10MiB` or `1.5GiB`. */
export function byteSize(text: string): number {
  const [, count, unit = "B"] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const bytes = Number(count) * (SIZES[unit === "" ? "B" : unit] ?? Number.NaN);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new InvalidArgumentError(
    `It must be a whole number of bytes above zero, such as 500, 10MiB or 1.5GiB (${Object.keys(SIZES).join(", ")}).`,
  );
}

/** A point in time, as the operator wrote it. */
export interface Since {
  text: string;
  /** Milliseconds since the epoch. */
  atMs(nowMs: number): number;
}

/** Parser of an option that is a point in time: how long ago (`2h`), or a date (`2026-11-30`, `2026-11-30T08:00:00Z`). */
export function since(text: string): Since {
  if (/^\d+[smhd]$/.test(text)) {
    const ms = duration(text);
    return { text, atMs: (nowMs) => nowMs - ms };
  }
  const ms = /^\d{4}-\d\d-\d\d(T.+)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return { text, atMs: () => ms };
  throw new InvalidArgumentError(
    "It must be a time such as 90s, 15m, 2h or 3d ago, or a date such as 2026-11-30 or 2026-11-30T08:00:00Z.",
  );
}

/** Parser of an option that is a time, such as `90s`, `15m`, `2h` or `3d`. @returns milliseconds */
export function duration(text: string): number {
  const [, count, unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new InvalidArgumentError("It must be a time above zero, such as 90s, 15m, 2h or 3d.");
}
