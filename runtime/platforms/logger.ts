/** The log: one JSON line per call, without credentials and presigned URLs. */
import { type DestinationStream, pino } from "pino";
import type { Logger } from "../protocol/ports";

export interface LoggerOptions {
  level: "debug" | "info" | "warn" | "error";
  /** The fields of every line, such as the role and the bridge. */
  fields?: Record<string, unknown>;
  /** @default stdout, which every platform collects */
  destination?: DestinationStream;
}

/** One JSON line per call: `{"level":"info","time":"<ISO 8601>",...fields,"message":"..."}`, with credentials and the queries of URLs redacted. */
export function createLogger({ level, fields = {}, destination = stdout }: LoggerOptions): Logger {
  const log = pino(
    {
      level,
      base: fields,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const write = (at: LoggerOptions["level"]) => (message: string, details?: Record<string, unknown>) => {
    if (!log.isLevelEnabled(at)) return;
    log[at]((redact(details ?? {}) ?? {}) as object, redactText(message));
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** `process.stdout`, not the file descriptor: platforms replace the stream. */
const stdout: DestinationStream = {
  write(line) {
    process.stdout.write(line);
  },
};

const REDACTED = "[redacted]";
const SENSITIVE_NAME = /url|secret|authorization|password|credential|token|signature|cookie|private/i;
/** The query of a presigned URL is a credential. */
const QUERY = /(https?:\/\/[^\s"'<>?]*)\?[^\s"'<>]*/gi;
const SECRET_VALUE = /whsec_[A-Za-z0-9+/=]*/g;
const SIGNATURE_PARAMETER = /((?:x-amz|x-oss)-(?:signature|credential|security-token)=)[^&\s"'<>]*/gi;

const MAX_DEPTH = 6;
const MAX_TEXT = 4096;

function redactText(text: string): string {
  const clean = text
    .replace(QUERY, `$1?${REDACTED}`)
    .replace(SECRET_VALUE, REDACTED)
    .replace(SIGNATURE_PARAMETER, `$1${REDACTED}`);
  return clean.length <= MAX_TEXT ? clean : `${clean.slice(0, MAX_TEXT)}...`;
}

/** Returns a copy that is safe to log. Errors become their name, kind, message and cause; cycles and great depth are cut. */
function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
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
