import { type Interrupt, onInterrupt } from "../../operator/interrupt";

export type { Interrupt };

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
