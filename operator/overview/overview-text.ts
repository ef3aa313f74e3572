/** A snapshot as text, with the rows of the page. It holds no colours. Pure functions. */
import { reasonsText } from "../status/status-text";
import { bytesText, counted, durationText, grouped, keyText, plainText } from "../text";
import { remediesText } from "./remedies";
import type { Backlog, SideState, Snapshot } from "./snapshot";
import { type Verdict, verdictText } from "./verdict";

const COPIES_SHOWN = 5;
const RECENT_SHOWN = 8;
const LETTERS_SHOWN = 5;
const LABEL_WIDTH = 14;

const row = (label: string, text: string): string => `${label.padEnd(LABEL_WIDTH)}${text}`;

/** The page shows them by colours. */
const TONE_LABELS: Readonly<Record<Verdict["tone"], string>> = { good: "OK", busy: "BUSY", bad: "PROBLEM", unknown: "NOT KNOWN" };

/** Everything that the page shows. */
export function overviewText(snapshot: Snapshot): string {
  const { atMs, troubles, copies, recent, letters, notes } = snapshot;
  return blocks([
    headText(snapshot).split("\n"),
    reasonsText(troubles, atMs).split("\n"),
    remediesText([{ remedy: snapshot.goneRemedy }, ...troubles]).split("\n"),
    firstOf(copies, COPIES_SHOWN, (copy) => row("copy", copyText(copy))),
    letterRows(letters, atMs),
    recent.slice(0, RECENT_SHOWN).map((one) => row(one.result, recentText(one, atMs))),
    notes.map((text) => row("note", plainText(text))),
  ]);
}

/** The bridge as a whole: what it is, its state in one sentence, and its figures. */
export function headText(snapshot: Snapshot): string {
  const { atMs, stack, mode, direction, source, destination, verdict, backlog, letters, flow } = snapshot;
  const way = direction === "two-way" ? `${mode}, two-way` : mode;
  return [
    `${stack} (${way})  ${timeText(atMs)}`,
    row(TONE_LABELS[verdict.tone], plainText(verdictText(snapshot))),
    row("source", sideText(source)),
    row("destination", sideText(destination)),
    row("on their way", onTheirWayText(snapshot)),
    row("oldest", backlog.oldest ? `${keyText(backlog.oldest.key)}, for ${durationText(atMs - backlog.oldest.sinceMs)}` : "none"),
    row("dead letters", letters.complete ? grouped(letters.total) : `at least ${grouped(letters.total)}`),
    row(`last ${flow.windowMs / 60_000} min`, flowText(flow)),
    row("lag", lagText(flow.lag)),
    ...minuteRows(flow.minutes),
  ].join("\n");
}

/** The line above a snapshot that is too old to be believed. */
export function staleText({ atMs }: Snapshot, nowMs: number): string {
  return row(TONE_LABELS.unknown, `the last look is ${durationText(nowMs - atMs)} old: what is below may have changed`);
}

const blocks = (parts: readonly (readonly string[])[]): string =>
  parts
    .map((lines) => lines.filter((line) => line !== "").join("\n"))
    .filter((block) => block !== "")
    .join("\n\n");

const timeText = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** The rows of the first items, and how many are left out. */
function firstOf<T>(items: readonly T[], count: number, show: (item: T) => string): string[] {
  const more = items.length - count;
  return [...items.slice(0, count).map(show), ...(more > 0 ? [row("", `and ${grouped(more)} more`)] : [])];
}

function sideText({ cloud, region, bucket, reachable, message }: SideState): string {
  const state =
    reachable === undefined ? "not looked at yet" : reachable ? "reachable" : `NOT REACHABLE: ${plainText(message ?? "")}`;
  return `${bucket} (${cloud}, ${region})  ${state}`;
}

function onTheirWayText({ waiting, unread, backlog }: Snapshot): string {
  const isCounted = !unread.some((one) => one === "queue" || one === "outage" || one === "executions");
  return `${isCounted ? "" : "at least "}${counted(waiting, "key")}: ${backlogText(backlog)}`;
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

const secondsText = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

function lagText(lag: Snapshot["flow"]["lag"]): string {
  if (lag === undefined) return "nothing was replicated";
  const { p50Ms, p95Ms, p99Ms, maxMs, count } = lag;
  return `p50 ${secondsText(p50Ms)}, p95 ${secondsText(p95Ms)}, p99 ${secondsText(p99Ms)}, max ${secondsText(maxMs)} (${counted(count, "key")})`;
}

/** The charts of the page: one character for each minute, the newest last. None where nothing was replicated. */
function minuteRows(minutes: Snapshot["flow"]["minutes"]): string[] {
  if (!minutes.some(({ objects }) => objects > 0)) return [];
  const objects = minutes.map((minute) => minute.objects);
  const lags = minutes.map(({ p95Ms = 0 }) => p95Ms);
  return [
    row("each minute", `${bars(objects)}  objects, at most ${grouped(Math.max(...objects))}`),
    row("", `${bars(lags)}  lag p95, at most ${secondsText(Math.max(...lags))}`),
  ];
}

const LEVELS = "▁▂▃▄▅▆▇█";

/** A dot stands for a minute with nothing. */
function bars(values: readonly number[]): string {
  const most = Math.max(...values);
  return values.map((value) => (value === 0 ? "·" : LEVELS[Math.ceil((value / most) * LEVELS.length) - 1])).join("");
}

function copyText({ key, sizeBytes, movedBytes }: Snapshot["copies"][number]): string {
  if (movedBytes === undefined) {
    const size = sizeBytes === undefined ? "" : `${bytesText(sizeBytes)}, `;
    return `${keyText(key)}  ${size}one stream: its progress is not known`;
  }
  if (sizeBytes === undefined || sizeBytes === 0) return `${keyText(key)}  ${bytesText(movedBytes)}`;
  return `${keyText(key)}  ${bytesText(movedBytes)} of ${bytesText(sizeBytes)} (${Math.floor((100 * movedBytes) / sizeBytes)} %)`;
}

function letterRows({ listed, total }: Snapshot["letters"], atMs: number): string[] {
  const rows = listed.slice(0, LETTERS_SHOWN).map(({ key, reason, parkedMs }) => {
    const age = parkedMs === undefined ? "" : `  (${durationText(atMs - parkedMs)} ago)`;
    return row("letter", `${key === "" ? "no key can be read" : keyText(key)}${age}: ${plainText(reason)}`);
  });
  const more = total - rows.length;
  return more > 0 ? [...rows, row("", `and ${grouped(more)} more: the command letters lists them`)] : rows;
}

function recentText({ key, bytes, atMs: doneMs, result, reason }: Snapshot["recent"][number], atMs: number): string {
  const details = [bytes === undefined || bytes === 0 ? undefined : bytesText(bytes), `${durationText(atMs - doneMs)} ago`];
  const why = (result === "retry" || result === "rejected") && reason !== undefined ? `: ${plainText(reason)}` : "";
  return `${keyText(key)}  (${details.filter((text) => text !== undefined).join(", ")})${why}`;
}
