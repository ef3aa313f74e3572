/** Starts a TypeScript file as a process of its own, which answers over the channel between the two. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** The child ends with its parent. */
export const endWithParent = (): void => void process.once("disconnect", () => process.exit());

/**
 * Resolves to the child and the first message that it sends.
 * @throws Error when the child ends before
 */
export async function startChild<T>(file: string, args: readonly string[]): Promise<{ child: ChildProcess; hello: T }> {
  const child = fork(file, args, {
    execArgv: ["--import", "tsx"],
    // A Ctrl-C reaches the parent only.
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(([code, signal]) => {
    throw new Error(`${file} ended with ${code ?? signal} before it had started`);
  });
  ended.catch(() => undefined);
  const [hello] = await Promise.race([once(child, "message"), ended]);
  return { child, hello: hello as T };
}

export async function stopChild(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.disconnect();
  await exited;
}
