/** Formats numbers, sizes, keys and texts of other systems for a person. */

/** Style of a table without colours, which would end up in logs and files. */
export const PLAIN = { head: [], border: [] };

/** `12,345` */
export const grouped = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 6 });

/** `1 object`, `2 objects` */
export const counted = (count: number, one: string, many = `${one}s`): string => `${grouped(count)} ${count === 1 ? one : many}`;

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

export function bytesText(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${UNITS[power]}`;
}

/** The units of sizes that the operator writes. */
export const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2 };

/** In the largest unit that shows the size exactly. */
export function sizeText(sizeBytes: number): string {
  const [unit, factor] = Object.entries(SIZE_UNITS).findLast(
    ([, bytes]) => sizeBytes >= bytes && Number.isInteger((sizeBytes / bytes) * 100),
  ) ?? ["B", 1];
  return `${sizeBytes / factor} ${unit}`;
}

/** In its largest unit, rounded. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} days`;
}

/** Escapes control characters: a key may hold terminal commands. */
export function keyText(key: string): string {
  return /^[^\p{Cc}\p{Cf}"\\]+$/u.test(key) ? key : plainText(JSON.stringify(key));
}

/** Escapes control characters in a text that another system wrote or that quotes a key. */
export function plainText(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Quotes a word for a POSIX shell, where it needs quotes. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The reason without what differs from request to request. */
export const generalised = (reason: string): string =>
  reason.replace(/,? ?\brequest(?:id)?:? [\w/+=-]{8,}/gi, "").replace(/ \(\)/g, "");
