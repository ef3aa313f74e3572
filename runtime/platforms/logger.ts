/** The log: one JSON line per call, without credentials and presigned URLs. */
import { type DestinationStream, pino } from "pino";
import type { Logger } from "../protocol/ports";
import { redact, redactText } from "./redact";

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
