/** Splits an expression into tokens. */

export type Token =
  | { kind: "string"; value: string }
  | { kind: "number"; value: number }
  | { kind: "name"; value: string }
  | { kind: "symbol"; value: string }
  | { kind: "end" };

/** A problem of a definition. Callers put the place in front of the message with `at`. */
export class ExpressionError extends Error {}

/** Runs the work and puts the place in front of its ExpressionError. */
export function at<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new ExpressionError(`${place}${/^[.[]/.test(error.message) ? "" : ": "}${error.message}`);
  }
}

const SPACE = /\s+/y;
const NUMBER = /-?\d+(?:\.\d+)?/y;
const NAME = /\$?[A-Za-z_][A-Za-z0-9_-]*/y;
const SYMBOL = /==|!=|>=|<=|&&|\|\||[<>()[\].,]/y;
/** Strings have double quotes or backticks. The vendor's examples of built-in functions also have single quotes. */
const STRINGS: readonly [RegExp, (text: string) => string][] = [
  [/"(?:[^"\\]|\\.)*"/y, readQuoted],
  [/'[^'\\]*'/y, (text) => text.slice(1, -1)],
  [/`[^`]*`/y, (text) => text.slice(1, -1)],
];

function readQuoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw new ExpressionError(`${text} is not a string`);
  }
}

/** @throws ExpressionError */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const next = (): Token | undefined => {
    for (const [pattern, read] of STRINGS) {
      const found = match(pattern);
      if (found !== undefined) return { kind: "string", value: read(found) };
    }
    const number = match(NUMBER);
    if (number !== undefined) return { kind: "number", value: Number(number) };
    const name = match(NAME);
    if (name !== undefined) return { kind: "name", value: name };
    const symbol = match(SYMBOL);
    return symbol === undefined ? undefined : { kind: "symbol", value: symbol };
  };
  for (match(SPACE); at < text.length; match(SPACE)) {
    const token = next();
    if (token === undefined) throw new ExpressionError(`"${text}" has an unknown symbol at "${text.slice(at, at + 20)}"`);
    tokens.push(token);
  }
  return [...tokens, { kind: "end" }];
}
