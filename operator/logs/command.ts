/** `bridge logs KEY`: what the functions of both sides logged about one key. */
import { isObject } from "../../runtime/protocol/json";
import {
  bridgeCommand,
  CannotLook,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
  FAILED,
  FINE,
  type RegisterCommand,
  type Since,
  since,
  UsageError,
} from "../command";
import type { KeyLine } from "../operated-bridge";
import { keyText, plainText } from "../text";

const MAX_LINES = 10_000;

export interface LogsOptions extends CommonOptions {
  since: Since;
}

export const registerLogs: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "logs", "Shows the way of one key across both sides, from the logs of the functions.")
    .argument("<key>", "as at the source")
    .option("--since <time>", "how far to look back, such as 2h or 2026-11-30", since, since("1h"))
    .action((key: string, options: LogsOptions) => onBridge(options, (context) => showLogs(context, key, options, Date.now)));
};

export async function showLogs(context: CommandContext, key: string, options: LogsOptions, now: () => number): Promise<ExitCode> {
  const { bridge, json, print, note, signal } = context;
  if (bridge.config.mode === "native")
    throw new UsageError(`${bridge.stack} has no functions: mode is native, and the store itself replicates; see status`);
  const log = await bridge.keyLog(key, { sinceMs: options.since.atMs(now()), limit: MAX_LINES, signal });
  // Where a log could not be read, no lines mean nothing.
  if (log.lines.length === 0 && log.notes.length > 0) throw new CannotLook(log.notes.join("\n"));
  for (const line of log.lines) print(json ? JSON.stringify(line) : lineText(line));
  for (const text of log.notes) note(text);
  if (log.lines.length === 0) note(`no function logged ${keyText(key)} since ${options.since.text}; --since looks further back`);
  else if (!log.complete) note("not every line was read: the way of the key may have gaps");
  return log.lines.length > 0 ? FINE : FAILED;
}

/** The key is in the command line already, and the first three fields are in the columns. */
const SHOWN_ELSEWHERE: ReadonlySet<string> = new Set(["key", "level", "message", "time", "role", "bridgeId"]);

/** Points in time as the columns have them, and an error by its message: its stack is for those who mend the code, with --json. */
function valueText(name: string, value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" && POINTS_IN_TIME.has(name)) return new Date(value).toISOString();
  if (name === "error" && isObject(value) && typeof value.message === "string") return value.message;
  return JSON.stringify(value);
}

const POINTS_IN_TIME: ReadonlySet<string> = new Set(["atMs", "firstSeenMs", "nextTryMs", "leaseUntilMs", "sinceMs"]);

function lineText({ atMs, side, functionName, level, message, fields }: KeyLine): string {
  const details = Object.entries(fields)
    .filter(([name, value]) => !SHOWN_ELSEWHERE.has(name) && value !== undefined)
    .map(([name, value]) => [name, valueText(name, value)] as const)
    // An error repeats the reason.
    .filter(([name, text]) => name !== "error" || text !== fields.reason)
    .map(([name, text]) => `${name} ${text}`);
  const where = `${side.padEnd(11)}  ${functionName.split("-").at(-1)?.padEnd(10)}`;
  const mark = level === "info" || level === "debug" ? "" : `${level}: `;
  return plainText(
    `${new Date(atMs).toISOString()}  ${where}  ${mark}${message}${details.length === 0 ? "" : `  (${details.join(", ")})`}`,
  );
}
