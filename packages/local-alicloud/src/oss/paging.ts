import { percentEncode } from "./names";
import { invalidArgument } from "./oss-error";

/** Reads a whole number from a query parameter. @throws OssError `InvalidArgument` */
export function numberParameter(
  query: ReadonlyMap<string, string>,
  name: string,
  bounds: { min: number; max: number; fallback: number },
): number {
  const text = query.get(name);
  if (text === undefined) return bounds.fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < bounds.min || value > bounds.max)
    throw invalidArgument(`Argument ${name} must be an integer between ${bounds.min} and ${bounds.max}.`, { name, value: text });
  return value;
}

/** How names are written in an answer: percent-encoded for `encoding-type=url`, else unchanged. */
export function nameEncoder(query: ReadonlyMap<string, string>): { type: "url" | undefined; encode: (name: string) => string } {
  const type = query.get("encoding-type");
  if (type === undefined || type === "") return { type: undefined, encode: (name) => name };
  if (type !== "url")
    throw invalidArgument("Invalid Encoding Method specified in Request.", { name: "encoding-type", value: type });
  return { type, encode: percentEncode };
}

/**
 * The common prefix that a listing shows in place of the key: up to and including the first delimiter after `prefix`. Undefined when the key
 * itself is listed.
 */
export function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return cut === -1 ? undefined : key.slice(0, cut + delimiter.length);
}

/** The common prefix that the marker names, when the page before ended with one. */
export const commonPrefixBefore = (marker: string, prefix: string, delimiter: string): string | undefined =>
  marker.startsWith(prefix) && commonPrefixOf(marker, prefix, delimiter) === marker ? marker : undefined;
