/** Reads JSON of unknown shape without throwing, and writes JSON. */

const EXCERPT_CHARACTERS = 200;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Parses JSON. Undefined for other text: the schema check that follows then fails. */
export function parseJson(text: string): unknown {
  return parse(text)?.value;
}

/** Parses JSON, or JSON in base64, which SMQ clients write. Undefined for anything else. */
export function parseText(text: string): { value: unknown } | undefined {
  return parse(text) ?? (BASE64.test(text) ? parse(Buffer.from(text, "base64").toString("utf8")) : undefined);
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** JSON in printable ASCII, with any other character as `\u` and four digits. Function Compute takes no others in an environment variable. */
export function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The beginning of a value as JSON, so that an operator can find where a message came from. */
export function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= EXCERPT_CHARACTERS ? text : `${text.slice(0, EXCERPT_CHARACTERS)}...`;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function at(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

export function textAt(value: unknown, name: string): string | undefined {
  const found = at(value, name);
  return typeof found === "string" ? found : undefined;
}

export function arrayAt(value: unknown, name: string): unknown[] | undefined {
  const found = at(value, name);
  return Array.isArray(found) ? found : undefined;
}
