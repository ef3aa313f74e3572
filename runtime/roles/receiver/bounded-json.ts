/** JSON from a stranger: its nesting is bounded before a parser sees it. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

export type JsonResult = { ok: true; value: unknown } | { ok: false; reason: "too-deep" | "not-json" };

/** One pass over the bytes; multi-byte UTF-8 never holds an ASCII byte, so no decoding is needed to count brackets. */
export function parseBoundedJson(body: Uint8Array, maxDepth: number): JsonResult {
  if (nestsDeeperThan(body, maxDepth)) return { ok: false, reason: "too-deep" };
  try {
    return { ok: true, value: JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")) };
  } catch {
    // The parser's message quotes the input, which nobody may see.
    return { ok: false, reason: "not-json" };
  }
}

function nestsDeeperThan(body: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index];
    if (inString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) {
      inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > maxDepth) return true;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    }
  }
  return false;
}
