/** Statuses as a person reads them. */

import { OBJECT_STATUSES } from "../replication-status";
import { bytesText, grouped, keyText, plainText } from "../text";
import type { KeyStatus } from "./read-status";
import type { Summary } from "./summary";

const STATUS_WIDTH = Math.max(...OBJECT_STATUSES.map(({ length }) => length)) + 2;

export function statusLine({ key, status, reason, lagMs, sizeBytes, versionId }: KeyStatus): string {
  const told = [
    sizeBytes === undefined ? undefined : bytesText(sizeBytes),
    versionId === undefined ? undefined : `version ${versionId}`,
    lagMs === undefined ? undefined : `lag about ${durationText(lagMs)}`,
    reason === undefined ? undefined : plainText(reason),
  ].filter((text) => text !== undefined);
  return `${status.padEnd(STATUS_WIDTH)}${keyText(key)}${told.length === 0 ? "" : `  (${told.join(", ")})`}`;
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
