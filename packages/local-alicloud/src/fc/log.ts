import type { Readable } from "node:stream";

/** Longer lines are split, so that a line without an end does not fill the memory. */
const MAX_LINE_CHARS = 64 * 1024;

/** A line, and when it was written; ms since the epoch. */
export interface WrittenLine {
  atMs: number;
  text: string;
}

/** The latest lines that a function wrote. */
export class FunctionLog {
  private lines: WrittenLine[] = [];

  constructor(private readonly capacity = 20_000) {}

  push(text: string): void {
    this.lines.push({ atMs: Date.now(), text });
    // Trim at twice the capacity, so that trimming is rare.
    if (this.lines.length >= 2 * this.capacity) this.lines = this.lines.slice(-this.capacity);
  }

  all(): readonly WrittenLine[] {
    return this.lines.slice(-this.capacity);
  }
}

/** Calls `onLine` for each line and `onEnd` after the last one. */
export function readLines(stream: Readable, onLine: (line: string) => void, onEnd: () => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
    while (rest.length > MAX_LINE_CHARS) {
      onLine(rest.slice(0, MAX_LINE_CHARS));
      rest = rest.slice(MAX_LINE_CHARS);
    }
  });
  stream.once("close", () => {
    if (rest !== "") onLine(rest);
    onEnd();
  });
}
