/** Converts a request to an HTTP trigger to an event. https://www.alibabacloud.com/help/en/functioncompute/fc/http-trigger-invoking-function */
import type { IncomingMessage } from "node:http";
import { accessDenied, invalidArgument } from "./names";

const MAX_HEADER_BYTES = 8 * 1024;
const MAX_PATH_BYTES = 4 * 1024;
/** Headers that a function does not get, besides `x-fc-*`. */
const HOP_BY_HOP = new Set(["connection", "keep-alive", "transfer-encoding"]);
const TEXT_TYPES = new Set([
  "application/json",
  "application/ld+json",
  "application/xhtml+xml",
  "application/xml",
  "application/atom+xml",
  "application/javascript",
]);

export interface HttpRequest {
  message: IncomingMessage;
  /** Path and query after the trigger id, not decoded. */
  target: string;
  body: Buffer;
  triggerId: string;
}

/** @throws ApiError when the request exceeds a limit or the trigger does not allow its method */
export function assertRequest(message: IncomingMessage, methods: ReadonlySet<string>): void {
  const method = message.method ?? "";
  if (!methods.has(method)) throw accessDenied(`the HTTP trigger does not take ${method}`);
  const headerBytes = message.rawHeaders.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  if (headerBytes > MAX_HEADER_BYTES) throw invalidArgument(`the headers have more than ${MAX_HEADER_BYTES} bytes`);
  if (Buffer.byteLength(message.url ?? "") > MAX_PATH_BYTES)
    throw invalidArgument(`the path has more than ${MAX_PATH_BYTES} bytes`);
}

export function httpEvent(
  { message, target, body, triggerId }: HttpRequest,
  { region, accountId, requestId, now }: { region: string; accountId: string; requestId: string; now: number },
): Buffer {
  const mark = target.indexOf("?");
  const rawPath = (mark === -1 ? target : target.slice(0, mark)) || "/";
  const isText = isTextType(message.headers["content-type"]);
  return Buffer.from(
    JSON.stringify({
      version: "v1",
      rawPath,
      body: body.toString(isText ? "utf8" : "base64"),
      isBase64Encoded: !isText,
      headers: joined(headerPairs(message)),
      queryParameters: joined([...new URLSearchParams(mark === -1 ? "" : target.slice(mark))]),
      requestContext: {
        accountId,
        domainName: `${triggerId}.${region}.fcapp.run`,
        domainPrefix: triggerId,
        http: {
          method: message.method,
          path: decodePath(rawPath),
          protocol: `HTTP/${message.httpVersion}`,
          // The address of the connection: a header could be forged.
          sourceIp: message.socket.remoteAddress ?? "",
          userAgent: message.headers["user-agent"] ?? "",
        },
        requestId,
        time: `${new Date(now).toISOString().slice(0, 19)}Z`,
        timeEpoch: String(now),
      },
    }),
  );
}

function isTextType(contentType: string | undefined): boolean {
  const type = (contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  return type.startsWith("text/") || TEXT_TYPES.has(type);
}

/** Names in canonical case, e.g. `Content-Type`, so that a function cannot depend on its caller's. */
function headerPairs(message: IncomingMessage): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const name = (message.rawHeaders[at] ?? "").toLowerCase();
    if (HOP_BY_HOP.has(name) || name.startsWith("x-fc-")) continue;
    pairs.push([name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()), message.rawHeaders[at + 1] ?? ""]);
  }
  return pairs;
}

/** Several values of one name are joined with commas. */
function joined(pairs: readonly [string, string][]): Record<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of pairs) found.set(name, found.has(name) ? `${found.get(name)},${value}` : value);
  return Object.fromEntries(found);
}

function decodePath(rawPath: string): string {
  try {
    return decodeURIComponent(rawPath);
  } catch {
    throw invalidArgument("the path is not valid percent-encoding");
  }
}
