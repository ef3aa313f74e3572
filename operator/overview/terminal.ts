/** `watch --terminal`: the overview in the terminal, until Ctrl-C. The text holds no colours. */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type CommandContext, type ExitCode, FINE } from "../command";
import { reasonsText } from "../status/status-text";
import { bytesText, counted, durationText, grouped, keyText, plainText } from "../text";
import { CLOUD_PACE, LOCAL_PACE, Overview, type Pace } from "./overview";
import { remediesText } from "./remedies";
import type { Backlog, SideState, Snapshot } from "./snapshot";

export interface TerminalOptions {
  /** The text replaces the one before. Else each is printed below it. */
  isTerminal: boolean;
  /** @default that of the clouds or of the local clouds */
  pace?: Pace;
  now(): number;
}

/** Moves to the first line and clears the screen. */
const CLEAR = "\u001b[H\u001b[2J";

/** With --json each look is one line. */
export async function watchInTerminal(context: CommandContext, options: TerminalOptions): Promise<ExitCode> {
  const { bridge, local, json, signal, print } = context;
  const { isTerminal, now, pace = local ? LOCAL_PACE : CLOUD_PACE } = options;
  const sleep = (ms: number, wake: AbortSignal) => delay(ms, undefined, { signal: wake });
  const overview = new Overview({ bridge, local, pace, now, sleep, signal });
  const unsubscribe = overview.subscribe((snapshot) => {
    if (json) print(JSON.stringify(snapshot));
    else print(isTerminal ? `${CLEAR}${overviewText(snapshot)}` : `${overviewText(snapshot)}\n`);
  });
  try {
    await Promise.race([signal.aborted ? undefined : once(signal, "abort"), overview.failed]);
  } finally {
    unsubscribe();
  }
  return FINE;
}

const COPIES_SHOWN = 5;
const RECENT_SHOWN = 8;
const LABEL_WIDTH = 14;

export function overviewText(snapshot: Snapshot): string {
  const { atMs, stack, mode, source, destination, backlog, troubles, letters, flow, copies, recent, notes } = snapshot;
  const blocks = [
    [
      `${stack} (${mode})  ${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`,
      row("source", sideText(source)),
      row("destination", sideText(destination)),
      row("on their way", backlogText(backlog)),
      row(
        "oldest",
        backlog.oldest ? `${keyText(backlog.oldest.key)}, for ${durationText(atMs - backlog.oldest.sinceMs)}` : "none",
      ),
      row("dead letters", letters.complete ? grouped(letters.total) : `at least ${grouped(letters.total)}`),
      row(`last ${flow.windowMs / 60_000} min`, flowText(flow)),
      row("lag", lagText(flow.lag)),
    ],
    reasonsText(troubles, atMs).split("\n"),
    remediesText(troubles).split("\n"),
    copies.slice(0, COPIES_SHOWN).map((copy) => row("copy", copyText(copy))),
    recent.slice(0, RECENT_SHOWN).map(({ key, result, bytes, atMs: doneMs }) => {
      const details = [bytes === undefined || bytes === 0 ? undefined : bytesText(bytes), `${durationText(atMs - doneMs)} ago`];
      return row(result, `${keyText(key)}  (${details.filter((text) => text !== undefined).join(", ")})`);
    }),
    notes.map((text) => row("note", plainText(text))),
  ];
  return blocks
    .map((lines) => lines.filter((line) => line !== "").join("\n"))
    .filter((block) => block !== "")
    .join("\n\n");
}

const row = (label: string, text: string): string => `${label.padEnd(LABEL_WIDTH)}${text}`;

function sideText({ cloud, region, bucket, reachable, message }: SideState): string {
  const state =
    reachable === undefined ? "not looked at yet" : reachable ? "reachable" : `NOT REACHABLE: ${plainText(message ?? "")}`;
  return `${bucket} (${cloud}, ${region})  ${state}`;
}

function backlogText({ queued, held, running, complete }: Backlog): string {
  return [
    queued === undefined ? undefined : `${grouped(queued)} in the work queue`,
    `${complete ? "" : "at least "}${grouped(held)} held in the outage queue`,
    running === undefined ? undefined : counted(running, "execution runs", "executions run"),
  ]
    .filter((text) => text !== undefined)
    .join(", ");
}

function flowText({ replicated, unchanged, deleted, retried, bytes, complete }: Snapshot["flow"]): string {
  const parts = [
    `${grouped(replicated)} replicated`,
    deleted === 0 ? undefined : `${grouped(deleted)} deleted`,
    unchanged === 0 ? undefined : `${grouped(unchanged)} unchanged`,
    retried === 0 ? undefined : counted(retried, "failed attempt"),
    bytesText(bytes),
    complete ? undefined : "the newest lines of the log only",
  ];
  return parts.filter((text) => text !== undefined).join(", ");
}

function lagText(lag: Snapshot["flow"]["lag"]): string {
  if (lag === undefined) return "nothing was replicated";
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const { p50Ms, p95Ms, p99Ms, maxMs, count } = lag;
  return `p50 ${seconds(p50Ms)}, p95 ${seconds(p95Ms)}, p99 ${seconds(p99Ms)}, max ${seconds(maxMs)} (${counted(count, "key")})`;
}

function copyText({ key, sizeBytes, movedBytes }: Snapshot["copies"][number]): string {
  if (movedBytes === undefined) return `${keyText(key)}  ${sizeBytes === undefined ? "" : bytesText(sizeBytes)}`.trimEnd();
  if (sizeBytes === undefined || sizeBytes === 0) return `${keyText(key)}  ${bytesText(movedBytes)}`;
  return `${keyText(key)}  ${bytesText(movedBytes)} of ${bytesText(sizeBytes)} (${Math.floor((100 * movedBytes) / sizeBytes)} %)`;
}
