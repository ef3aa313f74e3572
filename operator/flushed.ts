/** Resolves once the stream has handed on all that was written to it, or cannot: process.exit() waits for no reader of a pipe. */
export function flushed(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
