/** Ctrl-C and its relatives end a command in an orderly way: what it started is stopped before it exits. */

const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export interface Interrupt {
  signal: AbortSignal;
  /** By the custom of shells, 128 and the signal's number; undefined while none came. */
  exitCode(): number | undefined;
}

/** From now on the first of these signals aborts. A second one ends the process at once, as it would have without this. */
export function onInterrupt(): Interrupt {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
  const receive = (name: keyof typeof SIGNALS) => {
    exitCode = 128 + SIGNALS[name];
    for (const other of names) process.removeListener(other, receive);
    controller.abort();
  };
  for (const name of names) process.on(name, receive);
  return { signal: controller.signal, exitCode: () => exitCode };
}

/** Runs a command to its exit code: 0, that of the signal that ended it, or 1 with the reason on standard error. */
export async function runCli(command: (interrupt: Interrupt) => Promise<void>): Promise<void> {
  const interrupt = onInterrupt();
  try {
    await command(interrupt);
  } catch (error) {
    const exitCode = interrupt.exitCode();
    // What fails after an interruption fails because of it.
    console.error(exitCode === undefined ? `\n${error instanceof Error ? error.message : String(error)}` : "\ninterrupted");
    process.exitCode = exitCode ?? 1;
  }
}
