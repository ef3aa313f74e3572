/** Prints one line a step. On a terminal it shows the engine's last line below. */
import type { WriteStream } from "node:tty";

export interface Progress {
  step(text: string): void;
  /** Prints a line that stays. */
  detail(line: string): void;
  /** Shows a line until the next one. An error or a warning stays. */
  engineLine(line: string): void;
  done(): void;
}

const DEFAULT_COLUMNS = 80;

export function createProgress(stream: WriteStream | NodeJS.WriteStream): Progress {
  const startedMs = Date.now();
  const seconds = () => `${((Date.now() - startedMs) / 1000).toFixed(1).padStart(6)} s`;
  // A terminal that does not know its width says 0.
  const columns = () => stream.columns || DEFAULT_COLUMNS;
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
      if (/^(error|warning):/.test(text)) print(`          ${text}`);
      else if (stream.isTTY && text !== "") stream.write(`\r\u001b[K          ${text.slice(0, columns() - 12)}`);
    },
    done: clear,
  };
}
