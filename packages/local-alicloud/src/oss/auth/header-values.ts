import type { IncomingHttpHeaders } from "node:http";

/** Node decodes headers as Latin-1. Signatures cover their UTF-8. */
const asUtf8 = (value: string) => Buffer.from(value, "latin1").toString("utf8");

export function headerText(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  if (value === undefined) return undefined;
  return asUtf8(Array.isArray(value) ? value.join(", ") : value).trim();
}

/** Names of the `x-oss-` headers of a request, sorted. */
export const ossHeaderNames = (headers: IncomingHttpHeaders): string[] =>
  Object.keys(headers)
    .filter((name) => name.startsWith("x-oss-"))
    .sort();
