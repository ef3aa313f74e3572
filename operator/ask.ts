import { createInterface } from "node:readline/promises";

export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/** The question goes to standard error: standard output holds only the result. */
const SYSTEM_TERMINAL: Terminal = { input: process.stdin, output: process.stderr };

/** Asks at the terminal. Any answer but y or yes means no; so does the end of the input. */
export async function askAtTerminal(question: string, signal: AbortSignal, streams = SYSTEM_TERMINAL): Promise<boolean> {
  // With `terminal: true` readline would read Ctrl-C as a key, and no signal would come.
  const lines = createInterface({ ...streams, terminal: false });
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
