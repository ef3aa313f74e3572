import type { Readable } from "node:stream";

/** A line beyond this is cut in pieces, so that one without end takes no endless memory. */
const MAX_LINE_CHARS = 64 * 1024;

/** The last lines that a function wrote. */
export class FunctionLog {
  private lines: string[] = [];

  constructor(private readonly capacity = 20_000) {}

  push(line: string): void {
    this.lines.push(line);
    // Twice the capacity, so that not every line moves all others.
    if (this.lines.length >= 2 * this.capacity) this.lines = this.lines.slice(-this.capacity);
  }

  all(): readonly string[] {
    return this.lines.slice(-this.capacity);
  }
}

/** Calls `onLine` for each line, and `onEnd` after the last. */
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
