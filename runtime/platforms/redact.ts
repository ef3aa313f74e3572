/** Removes credentials from texts and values, so that they are safe to keep. */

const REDACTED = "[redacted]";
const SENSITIVE_NAME = /url|secret|authorization|password|credential|token|signature|cookie|private/i;
/** Each pattern begins with a text of its own and has no nested repetition, so the time grows with the length of the text alone. */
const PATTERNS: readonly [RegExp, string][] = [
  [/whsec_[A-Za-z0-9+/=]*/g, REDACTED],
  // Access key ids of AWS, and of Alibaba Cloud: permanent and temporary ones.
  [/(?:AKIA|ASIA)[A-Z0-9]{12,}|LTAI[A-Za-z0-9]{8,}|STS\.[A-Za-z0-9]{8,}/g, REDACTED],
  // `Authorization: AWS <id>:<signature>`, and `OSS` in the same form.
  [/\b(AWS|OSS) [^\s:"']{1,128}:[A-Za-z0-9+/=]+/g, `$1 ${REDACTED}`],
  // The webhooks of Lark have their secret in the path.
  [/\/hook\/[\w-]+/g, `/hook/${REDACTED}`],
  // In queries and in `Authorization: AWS4-HMAC-SHA256 Credential=..., Signature=...`.
  [
    /((?:signature|credential|security-?token|session-?token|access_token|access-?key-?(?:id|secret)|secret-?(?:access-?)?key)=)[^\s&"'<>,;]*/gi,
    `$1${REDACTED}`,
  ],
  // As a header or a property of JSON. A short word after a colon is prose.
  [
    /((?:signature|credential|security-?token|session-?token|access-?key-?(?:id|secret)|secret-?(?:access-?)?key)["']?: ?["']?)[^\s&"'<>;]{16,}/gi,
    `$1${REDACTED}`,
  ],
];

const MAX_DEPTH = 6;
const MAX_TEXT = 4096;

/** The text without credentials. Clips first: what is left out needs no search. */
export function redactText(text: string): string {
  const clipped = text.length <= MAX_TEXT ? text : text.slice(0, MAX_TEXT);
  const clean = PATTERNS.reduce(
    (rest, [pattern, replacement]) => rest.replace(pattern, replacement),
    clipped.replace(/[^\s"'<>]+/g, redactUrl),
  );
  return text.length <= MAX_TEXT ? clean : `${clean}...`;
}

/** The query of a presigned URL is a credential. */
function redactUrl(word: string): string {
  const at = word.search(/https?:\/\//i);
  const query = at < 0 ? -1 : word.indexOf("?", at);
  return query < 0 ? word : `${word.slice(0, query)}?${REDACTED}`;
}

/** Returns a copy that is safe to log. Errors become their name, kind, message and cause; cycles and great depth are cut. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  // A function named `toJSON` would be called when the value is written.
  if (typeof value === "function") return undefined;
  if (typeof value !== "object" || value === null) return value;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof URL) return redactText(value.href);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SENSITIVE_NAME.test(name) && typeof item !== "boolean" ? REDACTED : redact(item, depth + 1),
    ]),
  );
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { kind, op, code } = error as { kind?: unknown; op?: unknown; code?: unknown };
  const status = (error as { $metadata?: { httpStatusCode?: unknown } }).$metadata?.httpStatusCode;
  return {
    name: error.name,
    message: redactText(error.message),
    ...(typeof kind === "string" ? { kind } : {}),
    ...(typeof op === "string" ? { op } : {}),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof status === "number" ? { status } : {}),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
