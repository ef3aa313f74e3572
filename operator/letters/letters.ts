/** Which dead letters the operator asks for, and how they are shown. */
import type { Since } from "../command";
import type { ParkedKey } from "../operated-bridge";
import { counted, durationText, generalised, keyText, plainText } from "../text";

export interface LetterFilter {
  prefix: string;
  /** A part of the reason, in any case. */
  reason?: string;
  /** Only letters that were parked since then. */
  since?: Since;
}

/** A letter without a time counts as new. */
export function selector({ prefix, reason, since }: LetterFilter, nowMs: number): (letter: ParkedKey) => boolean {
  const wanted = reason?.toLowerCase();
  const sinceMs = since?.atMs(nowMs) ?? Number.NEGATIVE_INFINITY;
  return ({ key, reason: why, parkedAt }) =>
    key.startsWith(prefix) &&
    (wanted === undefined || why.toLowerCase().includes(wanted)) &&
    (parkedAt === undefined || parkedAt.getTime() >= sinceMs);
}

export interface LetterGroup {
  reason: string;
  letters: number;
  /** One of the keys. */
  example: string;
  /** Milliseconds since the epoch. */
  newestMs?: number | undefined;
}

/** The largest group first. */
export function groupByReason(letters: readonly ParkedKey[]): LetterGroup[] {
  const groups = new Map<string, LetterGroup>();
  for (const { key, reason, parkedAt } of letters) {
    const text = generalised(reason);
    const group = groups.get(text) ?? { reason: text, letters: 0, example: key };
    group.letters += 1;
    const parkedMs = parkedAt?.getTime();
    if (parkedMs !== undefined && parkedMs > (group.newestMs ?? Number.NEGATIVE_INFINITY))
      Object.assign(group, { newestMs: parkedMs, example: key });
    groups.set(text, group);
  }
  return [...groups.values()].sort((a, b) => b.letters - a.letters || (a.reason < b.reason ? -1 : 1));
}

export function letterLine({ key, reason, parkedAt }: ParkedKey): string {
  return `${parkedAt?.toISOString() ?? "at an unknown time"}  ${nameText(key)}  (${plainText(reason)})`;
}

export function groupText({ reason, letters, example, newestMs }: LetterGroup, nowMs: number): string {
  const age = newestMs === undefined ? [] : [`the newest ${durationText(Math.max(0, nowMs - newestMs))} ago`];
  return [
    `${counted(letters, "letter")}: ${plainText(reason)}`,
    `  ${[...age, `for example ${nameText(example)}`].join(", ")}`,
  ].join("\n");
}

/** A letter that could not be read names no key. */
const nameText = (key: string): string => (key === "" ? "(no key)" : keyText(key));
