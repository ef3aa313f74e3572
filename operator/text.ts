/** How numbers, sizes, keys and the words of others are shown to a person. Pure. */

/** Of a table, without colours: it goes into logs and files as well. */
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

/** A key may hold what would move a terminal's cursor. */
export function keyText(key: string): string {
  return /^[^\p{Cc}\p{Cf}"\\]+$/u.test(key) ? key : plainText(JSON.stringify(key));
}

/** A reason may quote a key, or be somebody else's altogether. */
export function plainText(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
