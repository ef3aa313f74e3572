/** The log: one JSON line per call, without credentials and presigned URLs. */
import type { Logger } from "../protocol/ports";
import { redact, redactText } from "./redact";

export interface LogDestination {
  /** @param line ends with a line feed */
  write(line: string): void;
}

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

export interface LoggerOptions {
  level: Level;
  /** The fields of every line, such as the role and the bridge. */
  fields?: Record<string, unknown>;
  /** @default stdout, which every platform collects */
  destination?: LogDestination;
}

/** One JSON line per call: `{"level":"info","time":"<ISO 8601>",...fields,"message":"..."}`, with credentials and the queries of URLs redacted. */
export function createLogger({ level, fields = {}, destination = stdout }: LoggerOptions): Logger {
  const lowest = LEVELS.indexOf(level);
  const write = (at: Level) => (message: string, details?: Record<string, unknown>) => {
    if (LEVELS.indexOf(at) < lowest) return;
    const time = new Date().toISOString();
    const line = { level: at, time, ...fields, ...(redact(details ?? {}) as object), message: redactText(message) };
    destination.write(`${JSON.stringify(line)}\n`);
  };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** `process.stdout`, not the file descriptor: platforms replace the stream. */
export const stdout: LogDestination = {
  write(line) {
    process.stdout.write(line);
  },
};
