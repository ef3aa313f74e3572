/** Reads the head of an HTTP/1.1 answer. https://www.rfc-editor.org/rfc/rfc9112 */

/** How the end of a body is known. */
export type Framing =
  | { kind: "none" }
  | { kind: "length"; bytes: number }
  | { kind: "chunked" }
  /** The connection ends with the body. */
  | { kind: "until-close" };

export interface AnswerHead {
  status: number;
  statusText: string;
  /** Names and values in turn, as they arrived. One character a byte. */
  headers: string[];
  framing: Framing;
  /** Whether the connection can carry another request after this answer. */
  isReusable: boolean;
  /** How long the server keeps an idle connection, where it says so. */
  serverKeepsMs?: number | undefined;
}

/** The head cannot be understood, or not in one way only. */
export class WrongAnswer extends Error {
  /** The code of undici for an answer that its parser refuses. */
  readonly code = "HPE_INVALID_ANSWER";
}

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: (.*))?$/;
/** No line of a head holds these. https://www.rfc-editor.org/rfc/rfc9110#section-5.5 */
export const NOT_IN_A_LINE = /[^\t\x20-\x7e\x80-\xff]/;
/** https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
export const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;
const LENGTH = /^\d{1,15}$/;

/**
 * @param text without the empty line at its end, one character a byte
 * @throws WrongAnswer
 */
export function parseAnswerHead(text: string, method: string): AnswerHead {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const [, minor, statusText, reason = ""] = STATUS_LINE.exec(statusLine) ?? [];
  if (statusText === undefined) throw new WrongAnswer(`the answer begins with ${JSON.stringify(statusLine.slice(0, 100))}`);
  if (NOT_IN_A_LINE.test(statusLine)) throw new WrongAnswer("the answer begins with a control character");
  const status = Number(statusText);
  const headers: string[] = [];
  const found = new Found(minor === "1");
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    const known = lowerCased(name);
    if (known === undefined || NOT_IN_A_LINE.test(line))
      throw new WrongAnswer(`the head of the answer has the line ${JSON.stringify(line.slice(0, 100))}`);
    const value = withoutSpace(line, colon + 1);
    headers.push(name, value);
    found.take(known, value);
  }
  const framing = framingOf(status, method, found);
  const isReusable = found.isKept && framing.kind !== "until-close";
  return { status, statusText: reason, headers, framing, isReusable, serverKeepsMs: found.serverKeepsMs };
}

/** The headers that describe the connection and the body. */
class Found {
  length: string | undefined;
  encoding: string | undefined;
  serverKeepsMs: number | undefined;
  private closes = false;
  private keeps = false;

  constructor(private readonly isUsuallyKept: boolean) {}

  get isKept(): boolean {
    return !this.closes && (this.keeps || this.isUsuallyKept);
  }

  take(name: string, value: string): void {
    switch (name) {
      case "content-length":
        if (this.length !== undefined || !LENGTH.test(value)) throw new WrongAnswer("the answer has no clear Content-Length");
        this.length = value;
        break;
      case "transfer-encoding":
        if (this.encoding !== undefined || value.toLowerCase() !== "chunked")
          throw new WrongAnswer(`the answer has the transfer encoding ${JSON.stringify(value.slice(0, 100))}`);
        this.encoding = value;
        break;
      case "connection":
        if (/(?:^|,)\s*close\s*(?:,|$)/i.test(value)) this.closes = true;
        else if (/(?:^|,)\s*keep-alive\s*(?:,|$)/i.test(value)) this.keeps = true;
        break;
      case "keep-alive": {
        const [, seconds] = /(?:^|[,;\s])timeout=(\d{1,9})(?:[,;\s]|$)/i.exec(value) ?? [];
        if (seconds !== undefined) this.serverKeepsMs = Number(seconds) * 1000;
      }
    }
  }
}

/** https://www.rfc-editor.org/rfc/rfc9112#section-6.3 */
function framingOf(status: number, method: string, { length, encoding }: Found): Framing {
  if (length !== undefined && encoding !== undefined)
    throw new WrongAnswer("the answer has both Content-Length and Transfer-Encoding");
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { kind: "none" };
  if (encoding !== undefined) return { kind: "chunked" };
  return length === undefined ? { kind: "until-close" } : { kind: "length", bytes: Number(length) };
}

/** From there to the end, without spaces and tabs around it. `trim` would take a byte of UTF-8 as well: 0xA0 is a space in Unicode. */
function withoutSpace(line: string, from: number): string {
  let [start, end] = [from, line.length];
  while (start < end && isSpace(line.charCodeAt(start))) start++;
  while (end > start && isSpace(line.charCodeAt(end - 1))) end--;
  return line.slice(start, end);
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x09;

const names = new Map<string, string>();
/** A server that answers with ever new names must not fill the memory. */
const MOST_NAMES = 1_000;

/** @returns undefined for what is no name of a header */
function lowerCased(name: string): string | undefined {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (!TOKEN.test(name)) return undefined;
  const lower = name.toLowerCase();
  if (names.size < MOST_NAMES) names.set(name, lower);
  return lower;
}
