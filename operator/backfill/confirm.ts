import { createInterface } from "node:readline/promises";

export interface Terminal {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/** Standard output is for what was asked for. */
const OWN: Terminal = { input: process.stdin, output: process.stderr };

/** Asks a person at the terminal; anything but a yes is a no, the end of the input included. */
export async function askAtTerminal(question: string, signal: AbortSignal, streams = OWN): Promise<boolean> {
  // Reading keys by itself, it would keep Ctrl-C from being a signal.
  const lines = createInterface({ ...streams, terminal: false });
  const ended = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `, { signal }), ended]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
