/** The result of a verification, for a person and for a program. */
import { bytesText, grouped, keyText, plainText } from "../text";
import { type Counts, type Finding, faults, KINDS, type Kind } from "./findings";
import type { Repaired } from "./repair";

export interface VerifyReport {
  command: "verify";
  stack: string;
  prefix: string;
  counts: Counts;
  /** Differences that the bridge should not have left. */
  faults: number;
  /** The file with every finding, a JSON line each. */
  findings: string;
  repair?: Repaired | undefined;
}

const MEANING: Readonly<Record<Kind, string>> = {
  missing: "missing at the destination",
  different: "different at the destination",
  extra: "only at the destination",
  unread: "could not be looked at",
};

export function summaryText(counts: Counts): string {
  const rows: [string, number, number?][] = [
    ["compared", counts.compared.objects, counts.compared.bytes],
    ["proven equal", counts.proven],
    ["of the same size", counts.sameSize],
    ["on their way", counts.onTheWay],
    ...KINDS.map((kind): [string, number, number] => [MEANING[kind], counts[kind].objects, counts[kind].bytes]),
    ["of these left alone", counts.leftAlone],
    ["out of scope", counts.outOfScope],
  ];
  const shown = rows.filter(([name, objects]) => name === "compared" || objects > 0);
  const width = Math.max(...shown.map(([name]) => name.length));
  const digits = Math.max(...shown.map(([, objects]) => grouped(objects).length));
  return shown
    .map(([name, objects, bytes]) => {
      const size = bytes === undefined ? "" : `  ${bytesText(bytes)}`;
      return `${name.padEnd(width)}  ${grouped(objects).padStart(digits)}${size}`;
    })
    .join("\n");
}

export const findingText = ({ kind, key, reason }: Finding): string =>
  `${kind.padEnd(9)}  ${keyText(key)}  (${plainText(reason)})`;

/** The line after the table. */
export function verdictText(counts: Counts): string {
  const found = faults(counts);
  if (found > 0) return `${grouped(found)} objects are not as they should be`;
  const { compared, sameSize, onTheWay } = counts;
  if (compared.objects === 0) return "no key was compared: neither side has one in scope that begins with the prefix";
  const rest = [
    ...(onTheWay > 0
      ? [`${grouped(onTheWay)} were written so shortly before that they may be on their way: verify again later`]
      : []),
    ...(sameSize > 0 ? [`${grouped(sameSize)} were compared by size and time alone: --bytes compares checksums`] : []),
  ];
  return ["no differences", ...rest].join("; ");
}
