/** `npm run bridge -- status`: the replication status of objects. */
import { Option } from "commander";
import {
  bridgeCommand,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
  FAILED,
  FINE,
  type RegisterCommand,
  UsageError,
  whole,
} from "../command";
import { forEachBounded } from "../concurrency";
import type { DeadLetters, OperatedBridge } from "../operated-bridge";
import { OBJECT_STATUSES } from "../replication-status";
import { listingPrefixes, scopesOf } from "../scopes";
import { bytesText, grouped, keyText, plainText } from "../text";
import { createStatusReader, type KeyStatus, type Side, type StatusReader } from "./read-status";
import type { Summary } from "./summary";
import { summarise } from "./summary";

interface StatusCommandOptions extends CommonOptions {
  prefix: string;
  failed?: true;
  side: Side;
  concurrency: number;
}

const MAX_LETTERS = 10_000;
const OBJECTS_BETWEEN_NOTES = 10_000;

const HELP = `
PENDING       not at the destination yet, or there in another state
COMPLETED     the destination has this state
FAILED        given up; the reason says why
REPLICA       the object itself came from the other side
NONE          not being replicated, and nothing will replicate it by itself
OUT_OF_SCOPE  the bridge does not replicate it

The exit code is 1 if an object has failed. With --json each key is one line, and so is the summary.`;

export const registerStatus: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "status", "Shows the replication status of the keys that are named, or counts all keys by status.")
    .argument("[key...]", "keys as at the source")
    .option("--prefix <prefix>", "only keys that begin with this; without it, every key under the scope's prefixes", "")
    .option("--failed", "list only the keys that have failed")
    .addOption(
      new Option("--side <side>", "the side whose objects are checked, in a two-way bridge")
        .choices(["source", "destination"])
        .default("source"),
    )
    .option("--concurrency <n>", "keys checked at once", whole(1, 256), 16)
    .addHelpText("after", HELP)
    .action((keys: string[], options: StatusCommandOptions) => {
      if (keys.length > 0 && options.prefix !== "") throw new UsageError("name keys or a --prefix, not both");
      return onBridge(options, (context) => showStatus(context, keys, options));
    });
};

export async function showStatus(
  context: CommandContext,
  keys: readonly string[],
  options: Pick<StatusCommandOptions, "prefix" | "failed" | "side" | "concurrency">,
): Promise<ExitCode> {
  const { bridge, json, signal, print, note } = context;
  const { prefix, side, concurrency } = options;
  if (side === "destination" && bridge.config.direction !== "two-way")
    throw new UsageError(`nothing is replicated from the destination of ${bridge.stack}: it is a one-way bridge`);
  const parked = await bridge.deadLetters({ limit: MAX_LETTERS, signal });
  noteLetters(parked, note);
  const { letters } = parked;
  const read = createStatusReader(bridge, { side, letters, signal });
  let failed = 0;
  let seen = 0;
  const show = (status: KeyStatus) => print(json ? JSON.stringify(status) : statusLine(status));
  const onStatus = (status: KeyStatus) => {
    if (status.status === "FAILED") failed += 1;
    if (options.failed && status.status === "FAILED") show(status);
    seen += 1;
    if (seen % OBJECTS_BETWEEN_NOTES === 0) note(`${grouped(seen)} objects checked`);
  };

  if (keys.length > 0) {
    for (const status of await readAll(read, keys, { concurrency, signal })) {
      if (status.status === "FAILED") failed += 1;
      if (!options.failed || status.status === "FAILED") show(status);
    }
  } else if (options.failed && bridge.config.mode !== "native") {
    // Only keys with a dead letter can have failed, so the listing is not needed.
    const named = [...new Set(letters.map(({ key }) => key))].filter((key) => key !== "" && key.startsWith(prefix)).sort();
    for (const status of await readAll(read, named, { concurrency, signal })) onStatus(status);
  } else {
    const scopes = scopesOf(bridge.config);
    const prefixes = listingPrefixes(scopes, prefix);
    if (prefixes.length === 0) note(`the bridge carries no key that begins with ${JSON.stringify(prefix)}`);
    const summary = await summarise({ side: bridge[side], scopes, prefixes, concurrency, signal, read, onStatus });
    if (options.failed) note(`${failed} of ${summary.objects} objects have failed`);
    else print(json ? JSON.stringify({ ...about(bridge, prefix), ...summary }) : summaryText(summary, Date.now()));
  }
  return failed > 0 ? FAILED : FINE;
}

const about = ({ stack, config }: OperatedBridge, prefix: string) => ({ stack, mode: config.mode, prefix });

/** Resolves to one status per key, in the order of the keys. */
async function readAll(
  read: StatusReader,
  keys: readonly string[],
  { concurrency, signal }: { concurrency: number; signal: AbortSignal },
): Promise<KeyStatus[]> {
  const found = new Map<string, KeyStatus>();
  await forEachBounded(keys, { limit: concurrency, signal }, async (key) => void found.set(key, await read(key)));
  return [...new Set(keys)].flatMap((key) => found.get(key) ?? []);
}

function noteLetters({ letters, complete }: DeadLetters, note: (text: string) => void): void {
  const unreadable = letters.filter(({ key }) => key === "");
  const [first] = unreadable;
  if (first !== undefined) note(`${unreadable.length} dead letters name no key: ${plainText(first.reason)}`);
  if (!complete)
    note(`not all dead letters were read, but ${grouped(letters.length)} of them: a key may be FAILED that is shown as PENDING`);
}

const STATUS_WIDTH = Math.max(...OBJECT_STATUSES.map(({ length }) => length)) + 2;

export function statusLine({ key, status, reason, lagMs, sizeBytes, versionId }: KeyStatus): string {
  const details = [
    sizeBytes === undefined ? undefined : bytesText(sizeBytes),
    versionId === undefined ? undefined : `version ${versionId}`,
    lagMs === undefined ? undefined : `lag about ${durationText(lagMs)}`,
    reason === undefined ? undefined : plainText(reason),
  ].filter((text) => text !== undefined);
  return `${status.padEnd(STATUS_WIDTH)}${keyText(key)}${details.length === 0 ? "" : `  (${details.join(", ")})`}`;
}

export function summaryText({ objects, bytes, statuses, oldestPending }: Summary, nowMs: number): string {
  const rows = [...OBJECT_STATUSES.map((status) => [status, statuses[status]] as const), ["in all", { objects, bytes }] as const]
    .filter(([name, sum]) => sum.objects > 0 || name === "in all")
    .map(([name, sum]) => [name, grouped(sum.objects), bytesText(sum.bytes)] as const);
  const width = (column: 1 | 2) => Math.max(...rows.map((row) => row[column].length));
  const lines = rows.map(
    ([name, count, size]) => `${name.padEnd(STATUS_WIDTH)}${count.padStart(width(1))} objects  ${size.padStart(width(2))}`,
  );
  if (oldestPending !== undefined) {
    const ageMs = Math.max(0, nowMs - Date.parse(oldestPending.lastModified));
    lines.push(`oldest pending: ${keyText(oldestPending.key)}, written ${durationText(ageMs)} ago`);
  }
  return lines.join("\n");
}

function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}
