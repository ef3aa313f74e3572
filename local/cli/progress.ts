/** What a person sees while waiting: a line a step, and on a terminal the engine's last line under it. */
import type { WriteStream } from "node:tty";

export interface Progress {
  step(text: string): void;
  /** Kept on the screen. */
  detail(line: string): void;
  /** Shown only while it is the newest. */
  engineLine(line: string): void;
  done(): void;
}

export function createProgress(stream: WriteStream | NodeJS.WriteStream): Progress {
  const startedMs = Date.now();
  const seconds = () => `${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} s`;
  const clear = () => {
    if (stream.isTTY) stream.write("\r\u001b[K");
  };
  const print = (text: string) => {
    clear();
    stream.write(`${text}\n`);
  };
  return {
    step: (text) => print(`${seconds()}  ${text}`),
    detail: print,
    engineLine: (line) => {
      const text = line.trim();
      if (stream.isTTY && text !== "") stream.write(`\r\u001b[K          ${text.slice(0, (stream.columns ?? 80) - 12)}`);
      // Something a person should know of is kept.
      else if (/^(error|warning):/.test(text)) print(`          ${text}`);
    },
    done: clear,
  };
}
