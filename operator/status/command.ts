/** `npm run bridge -- status`: the replication status of objects, and why those that have not arrived wait. */
import { setTimeout as delay } from "node:timers/promises";
import { Option } from "commander";
import {
  bridgeCommand,
  CANNOT_LOOK,
  type CommandContext,
  type CommonOptions,
  duration,
  type ExitCode,
  FAILED,
  FINE,
  type RegisterCommand,
  TOO_OLD,
  UsageError,
  whole,
} from "../command";
import { forEachBounded } from "../concurrency";
import type { EventWay, OperatedBridge } from "../operated-bridge";
import { headText } from "../overview/overview-text";
import { bridgeCommand as commandOf, queueRemedy, remediesText, remedyOf } from "../overview/remedies";
import type { Snapshot } from "../overview/snapshot";
import { isInHand } from "../replication-status";
import { listingPrefixes, scopesOf } from "../scopes";
import { lostBuckets } from "../sides";
import { durationText, grouped, keyText } from "../text";
import { type Knowledge, noteUnread, readKnowledge } from "./knowledge";
import { createStatusReader, type KeyStatus, type Side, type StatusReader } from "./read-status";
import { ReasonGroups } from "./reasons";
import { reasonsText, statusLine, summaryText } from "./status-text";
import { summarise } from "./summary";

interface StatusCommandOptions extends CommonOptions {
  prefix: string;
  failed?: true;
  side: Side;
  concurrency: number;
  /** Milliseconds. */
  maxAge?: number;
  /** Milliseconds between two looks. */
  watch?: number | true;
}

const OBJECTS_BETWEEN_NOTES = 10_000;

const HELP = `
PENDING       on its way: not at the destination yet, or there in another state
COMPLETED     the destination has this state
FAILED        given up; the reason says why
REPLICA       the object itself came from the other side
NONE          not at the destination, and nothing will bring it by itself; a backfill does
OUT_OF_SCOPE  the bridge does not replicate it

A reason begins with its place: the source, between the sides, or the destination. It comes from the dead letters, from the outage queue, and
from what the functions logged in the last 20 minutes. With --json each key is one line, and so is the summary. With --watch each look begins with the
state of the bridge in one sentence and its figures, as watch --terminal shows them; with --json too, they are one line.`;

export const registerStatus: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "status", "Shows the replication status of the keys that are named, or counts all keys by status.")
    .argument("[key|prefix...]", "keys as at the source, or one prefix that ends with /")
    .option("--prefix <prefix>", "only keys that begin with this; without it, every key under the scope's prefixes", "")
    .option("--failed", "list only the keys that have failed")
    .option("--max-age <time>", "the exit code is 4 if a key has waited longer, such as 15m", duration)
    .addOption(
      new Option("--side <side>", "the side whose objects are checked, in a two-way bridge")
        .choices(["source", "destination"])
        .default("source"),
    )
    .option("--watch [time]", "look again after this time, until Ctrl-C (default: 5s)", duration)
    .option("--concurrency <n>", "keys checked at once", whole(1, 256), 16)
    .addHelpText("after", HELP)
    .action((named: string[], options: StatusCommandOptions) => {
      const { watch } = options;
      const { keys, prefix } = askedFor(named, options.prefix);
      const look = (context: CommandContext) => showStatus(context, keys, { ...options, prefix });
      if (watch === undefined) return onBridge(options, look);
      const everyMs = watch === true ? WATCH_EVERY_MS : watch;
      return onBridge(options, async (context) => {
        // Loaded on demand: a single look does not need it.
        const { overviewOf } = await import("../overview/terminal");
        const overview = overviewOf(context);
        const pause = (signal: AbortSignal) => delay(everyMs, undefined, { signal });
        return watchStatus(context, { overview: () => overview.look(), look, pause });
      });
    });
};

const WATCH_EVERY_MS = 5_000;

export interface WatchedLooks {
  /** The bridge as a whole. */
  overview(): Promise<Snapshot>;
  look(context: CommandContext): Promise<ExitCode>;
  pause(signal: AbortSignal): Promise<unknown>;
}

/** Looks again and again: first at the bridge as a whole, then at the keys. Ends by a failure or by the signal, which rejects the pause. */
export async function watchStatus(context: CommandContext, { overview, look, pause }: WatchedLooks): Promise<never> {
  const { json, print, signal } = context;
  for (;;) {
    const snapshot = await overview();
    print(json ? JSON.stringify(snapshot) : `${headText(snapshot)}\n`);
    await look(context);
    if (!json) print("");
    await pause(signal);
  }
}

type ShowOptions = Pick<StatusCommandOptions, "prefix" | "failed" | "side" | "concurrency" | "maxAge">;

/** @param now milliseconds since the epoch */
export async function showStatus(
  context: CommandContext,
  keys: readonly string[],
  options: ShowOptions,
  now: () => number = Date.now,
): Promise<ExitCode> {
  const { bridge, signal, note } = context;
  if (options.side === "destination" && bridge.config.direction !== "two-way")
    throw new UsageError(`nothing is replicated from the destination of ${bridge.stack}: it is a one-way bridge`);
  const lost = await lostBuckets(bridge, signal);
  for (const { message } of lost) note(message);
  const unread: string[] = [];
  const [knowledge, ways] = await Promise.all([
    readKnowledge(bridge, { nowMs: now(), signal }),
    noteUnread(unread, signal)<EventWay[]>(bridge.ways?.read({ signal }) ?? Promise.resolve([]), []),
  ]);
  for (const text of [...knowledge.gone, ...knowledge.notes, ...unread]) note(text);
  if (knowledge.gone.length > 0) note(remediesText([{ remedy: queueRemedy(bridge, context.local) }]));
  if (ways.some(({ isOpen }) => !isOpen))
    note(`the bridge is paused; go on with: ${commandOf("resume", { stack: bridge.stack, local: context.local })}`);
  const tally = new Tally(now);
  if (lost.length > 0) {
    showInHand(context, keys, { ...options, knowledge, now });
    return CANNOT_LOOK;
  }
  const read = createStatusReader(bridge, { side: options.side, knowledge, now, signal });
  await showKeys(context, { keys, options, tally, read, letters: knowledge.letters, now });
  const exitCode = exitCodeOf(context, tally, options.maxAge);
  return knowledge.gone.length > 0 ? FAILED : exitCode;
}

/** Decides the exit code. */
class Tally {
  readonly groups = new ReasonGroups();
  failed = 0;
  /** Objects that nothing will bring. */
  stranded = 0;
  oldest: { key: string; ageMs: number } | undefined;

  constructor(private readonly now: () => number) {}

  count(status: KeyStatus): void {
    this.groups.add(status);
    const { key, lastModified, progress } = status;
    if (status.status === "FAILED") this.failed += 1;
    if (status.status === "NONE" && lastModified !== undefined) this.stranded += 1;
    const sinceMs = progress?.sinceMs ?? (lastModified === undefined ? undefined : Date.parse(lastModified));
    if (status.status !== "PENDING" || sinceMs === undefined) return;
    const ageMs = this.now() - sinceMs;
    if (this.oldest === undefined || ageMs > this.oldest.ageMs) this.oldest = { key, ageMs };
  }
}

function exitCodeOf({ note }: CommandContext, { failed, stranded, oldest }: Tally, maxAgeMs: number | undefined): ExitCode {
  if (failed > 0 || stranded > 0) return FAILED;
  if (oldest === undefined || maxAgeMs === undefined || oldest.ageMs <= maxAgeMs) return FINE;
  note(`${keyText(oldest.key)} waits for ${durationText(oldest.ageMs)}, longer than --max-age`);
  return TOO_OLD;
}

interface Showing {
  keys: readonly string[];
  options: ShowOptions;
  tally: Tally;
  read: StatusReader;
  letters: Knowledge["letters"];
  now(): number;
}

async function showKeys(context: CommandContext, { keys, options, tally, read, letters, now }: Showing): Promise<void> {
  const { bridge, json, signal, print, note } = context;
  const { prefix, side, concurrency } = options;
  let seen = 0;
  const show = (status: KeyStatus) => print(json ? JSON.stringify(status) : statusLine(status, now()));
  const onStatus = (status: KeyStatus) => {
    tally.count(status);
    if (options.failed && status.status === "FAILED") show(status);
    seen += 1;
    if (seen % OBJECTS_BETWEEN_NOTES === 0) note(`${grouped(seen)} objects checked`);
  };

  if (keys.length > 0) {
    for (const status of await readAll(read, keys, { concurrency, signal })) {
      tally.count(status);
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
    const groups = mended(tally.groups, context);
    if (options.failed) note(`${tally.failed} of ${summary.objects} objects have failed`);
    else if (json) print(JSON.stringify({ ...about(bridge, prefix), ...summary, reasons: groups }));
    else print(blocks(summaryText(summary, now()), reasonsText(groups, now()), remediesText(groups)));
  }
}

const blocks = (...texts: string[]): string => texts.filter((text) => text !== "").join("\n\n");

/** The groups, each with what mends it. */
function mended(groups: ReasonGroups, { bridge, local }: Pick<CommandContext, "bridge" | "local">) {
  return groups.list().map((group) => ({ ...group, remedy: remedyOf(group, bridge, local) }));
}

interface InHandOptions extends ShowOptions {
  knowledge: Knowledge;
  now(): number;
}

/** Shows what the bridge itself says, where a side cannot be looked at. */
function showInHand({ bridge, local, json, print, note }: CommandContext, keys: readonly string[], options: InHandOptions): void {
  const { prefix, knowledge, now } = options;
  const isWanted = (key: string) => (keys.length > 0 ? keys.includes(key) : key.startsWith(prefix));
  const parked = knowledge.letters.map(({ key, reason }): KeyStatus => ({ key, status: "FAILED", reason }));
  const waiting = [...knowledge.known].flatMap(([key, progress]): KeyStatus[] =>
    isInHand(progress, now()) ? [{ key, status: "PENDING", reason: progress.reason, progress }] : [],
  );
  const groups = new ReasonGroups();
  for (const status of [...waiting, ...parked]) {
    if (!isWanted(status.key)) continue;
    groups.add(status);
    if (keys.length > 0) print(json ? JSON.stringify(status) : statusLine(status, now()));
  }
  if (keys.length > 0) return;
  note("the objects were not compared; the bridge itself says:");
  const known = mended(groups, { bridge, local });
  if (json) print(JSON.stringify({ ...about(bridge, prefix), reasons: known }));
  else print(blocks(reasonsText(known, now()), remediesText(known)) || "nothing is known of keys that wait or have failed");
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

/** What the arguments of `status` ask for: single keys, or all keys that begin with a prefix. */
interface Asked {
  keys: string[];
  prefix: string;
}

/**
 * An argument that ends with `/` is a prefix. An object of that very key, as consoles make them for folders, is one of the keys that begin with it.
 * @param prefix of the option `--prefix`; empty if there is none
 * @throws UsageError for more than one prefix, and for a prefix beside keys
 */
export function askedFor(args: readonly string[], prefix: string): Asked {
  const prefixes = [...args.filter((arg) => arg.endsWith("/")), ...(prefix === "" ? [] : [prefix])];
  const keys = args.filter((arg) => !arg.endsWith("/"));
  const [one = "", ...more] = prefixes;
  if (more.length > 0) throw new UsageError(`name one prefix at a time: ${prefixes.join(", ")}`);
  if (prefixes.length > 0 && keys.length > 0) throw new UsageError("name keys or one prefix, not both");
  return { keys, prefix: one };
}
