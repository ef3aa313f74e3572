/**
 * Which headers, metadata and tags a destination store keeps as they were written. A store's answer to a write proves the bytes: they were sent with
 * a checksum that the store verified. It does not show the headers. Some stores alter a header, so the first object with these headers is read
 * again after its write, and once it was found equal, later ones are not.
 */
import type { ObjectAttributes } from "../stores/object-store";

/** Printable ASCII without spaces at the ends and without two in a row. Stores are known to alter other values, each in its own way. */
const PLAIN = /^[!-~]+( [!-~]+)*$/;
/** More sets of names would be those of an owner who names entries by object; they are read again each time. */
const MAX_SETS = 1_000;

export class KeptAttributes {
  private readonly kept = new Set<string>();

  /** Whether the store has kept other values of the same names. */
  covers(attributes: ObjectAttributes): boolean {
    const names = namesOf(attributes);
    return names !== undefined && this.kept.has(names);
  }

  /** An object with these was found equal after its write. */
  learn(attributes: ObjectAttributes): void {
    const names = namesOf(attributes);
    if (names !== undefined && this.kept.size < MAX_SETS) this.kept.add(names);
  }

  /** An object with these was found altered. */
  forget(attributes: ObjectAttributes): void {
    const names = namesOf(attributes);
    if (names !== undefined) this.kept.delete(names);
  }
}

/** Undefined where a value is not plain, so that the object is always read again. */
function namesOf({ headers, metadata, tags }: ObjectAttributes): string | undefined {
  const records: Readonly<Record<string, string | undefined>>[] = [{ ...headers }, metadata, tags];
  const names: string[][] = [];
  for (const record of records) {
    const entries = Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined);
    if (entries.some(([name, value]) => !PLAIN.test(name) || !PLAIN.test(value))) return undefined;
    names.push(entries.map(([name]) => name).sort());
  }
  // The names of tags are data, as their values are.
  return JSON.stringify([names[0], names[1], (names[2] ?? []).length > 0]);
}
