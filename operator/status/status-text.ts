/** Prints statuses for a person. */
import { type Known, OBJECT_STATUSES } from "../replication-status";
import { bytesText, counted, durationText, grouped, keyText, plainText } from "../text";
import type { KeyStatus } from "./read-status";
import type { ReasonGroup } from "./reasons";
import type { Summary } from "./summary";

const STATUS_WIDTH = Math.max(...OBJECT_STATUSES.map(({ length }) => length)) + 2;

/** @param nowMs milliseconds since the epoch */
export function statusLine({ key, status, reason, progress, lagMs, sizeBytes, versionId }: KeyStatus, nowMs: number): string {
  const details = [
    sizeBytes === undefined ? undefined : bytesText(sizeBytes),
    versionId === undefined ? undefined : `version ${versionId}`,
    lagMs === undefined ? undefined : `lag about ${durationText(lagMs)}`,
    ...(progress === undefined ? [] : [triesText(progress), sinceText(progress.sinceMs, nowMs)]),
    reason === undefined ? undefined : reasonText(reason, progress ?? {}),
    progress === undefined ? undefined : nextText(progress, nowMs),
  ].filter((text) => text !== undefined);
  return `${status.padEnd(STATUS_WIDTH)}${keyText(key)}${details.length === 0 ? "" : `  (${details.join(", ")})`}`;
}

export function summaryText({ objects, bytes, statuses, oldestPending }: Summary, nowMs: number): string {
  const rows = [...OBJECT_STATUSES.map((status) => [status, statuses[status]] as const), ["in all", { objects, bytes }] as const]
    .filter(([name, sum]) => sum.objects > 0 || name === "in all")
    .map(([name, sum]) => [name, grouped(sum.objects), bytesText(sum.bytes), sum.objects === 1 ? "object" : "objects"] as const);
  const width = (column: 1 | 2 | 3) => Math.max(...rows.map((row) => row[column].length));
  const lines = rows.map(
    ([name, count, size, unit]) =>
      `${name.padEnd(STATUS_WIDTH)}${count.padStart(width(1))} ${unit.padEnd(width(3))}  ${size.padStart(width(2))}`,
  );
  if (oldestPending !== undefined) {
    const ageMs = Math.max(0, nowMs - Date.parse(oldestPending.lastModified));
    lines.push(`oldest pending: ${keyText(oldestPending.key)}, written ${durationText(ageMs)} ago`);
  }
  return lines.join("\n");
}

const GROUPS_SHOWN = 10;

/** Empty if there are no groups. */
export function reasonsText(groups: readonly ReasonGroup[], nowMs: number): string {
  const lines = groups.slice(0, GROUPS_SHOWN).flatMap((group) => {
    const { status, objects, reason, example, held, failures, sinceMs, nextTryMs } = group;
    const state =
      held === 0 ? undefined : held === objects ? "held in the outage queue" : `${grouped(held)} held in the outage queue`;
    const details = [
      state,
      failures === 0 ? undefined : `failed up to ${timesText(failures)}`,
      sinceText(sinceMs, nowMs),
      held === objects ? undefined : nextTryText(nextTryMs, nowMs),
      `for example ${keyText(example)}`,
    ];
    return [
      `${status.padEnd(STATUS_WIDTH)}${counted(objects, "object")}: ${reasonText(reason, group)}`,
      `${"".padEnd(STATUS_WIDTH)}${details.filter((text) => text !== undefined).join(", ")}`,
    ];
  });
  const rest = groups.slice(GROUPS_SHOWN);
  if (rest.length > 0) {
    const objects = rest.reduce((sum, group) => sum + group.objects, 0);
    lines.push(`and ${counted(rest.length, "more reason")} of ${counted(objects, "object")}`);
  }
  return lines.join("\n");
}

/** The reason after its place, `source aws:reports: …`, where the place is known. Many a reason begins with the bucket: it is named once. */
export function reasonText(reason: string, { place, store }: Pick<ReasonGroup, "place" | "store">): string {
  if (place === undefined) return plainText(reason);
  if (store === undefined) return plainText(`${place === "border" ? "between the sides" : place}: ${reason}`);
  const bucket = `${store.slice(store.indexOf(":") + 1)}: `;
  return plainText(`${place} ${store}: ${reason.startsWith(bucket) ? reason.slice(bucket.length) : reason}`);
}

function triesText({ state, failures, waits }: Known): string | undefined {
  const held = state === "held" ? "held in the outage queue" : state === "runs" ? "its execution runs" : undefined;
  if (failures > 0) return [held, `failed ${timesText(failures)}`].filter((text) => text !== undefined).join(", ");
  return held ?? (waits > 0 ? `waited ${timesText(waits)}` : undefined);
}

const timesText = (count: number): string => (count === 1 ? "once" : `${grouped(count)} times`);

/** `waits since 03:12 UTC`, with the date if that is not today. */
function sinceText(sinceMs: number | undefined, nowMs: number): string | undefined {
  if (sinceMs === undefined) return undefined;
  const [day, time = ""] = new Date(sinceMs).toISOString().split("T");
  const isToday = new Date(nowMs).toISOString().startsWith(`${day}T`);
  return `waits since ${isToday ? "" : `${day} `}${time.slice(0, 5)} UTC`;
}

function nextText({ state, nextTryMs }: Known, nowMs: number): string | undefined {
  if (state === "held") return "next when the other side answers, asked once a minute";
  return nextTryText(nextTryMs, nowMs);
}

function nextTryText(nextTryMs: number | undefined, nowMs: number): string | undefined {
  if (nextTryMs === undefined) return undefined;
  return nextTryMs > nowMs ? `next in ${durationText(nextTryMs - nowMs)}` : "next is due";
}
