import { percentEncode } from "./names";
import { invalidArgument } from "./oss-error";

/** A whole number in a query parameter. @throws OssError `InvalidArgument`. */
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

/** How names appear in an answer: as they are, or percent-encoded for `encoding-type=url`. */
export function nameEncoder(query: ReadonlyMap<string, string>): { type: "url" | undefined; encode: (name: string) => string } {
  const type = query.get("encoding-type");
  if (type === undefined || type === "") return { type: undefined, encode: (name) => name };
  if (type !== "url")
    throw invalidArgument("Invalid Encoding Method specified in Request.", { name: "encoding-type", value: type });
  return { type, encode: percentEncode };
}

/**
 * The common prefix that stands for a key: up to and with the first delimiter after the prefix asked for. Undefined for a key
 * that is listed itself.
 */
export function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  const cut = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return cut === -1 ? undefined : key.slice(0, cut + delimiter.length);
}

/** The same for a marker, when the page before ended with a common prefix. */
export const commonPrefixBefore = (marker: string, prefix: string, delimiter: string): string | undefined =>
  marker.startsWith(prefix) && commonPrefixOf(marker, prefix, delimiter) === marker ? marker : undefined;
