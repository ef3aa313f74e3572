import { type Interrupt, onInterrupt } from "../../operator/interrupt";
import { DEFAULT_STATE_DIR } from "../paths";
import { explain } from "./room";

export type { Interrupt };

/** Sets the exit code: 0, that of the signal that ended the command, or 1 with the reason on standard error. */
export async function runCli(command: (interrupt: Interrupt) => Promise<void>): Promise<void> {
  const interrupt = onInterrupt();
  try {
    await command(interrupt);
  } catch (error) {
    const exitCode = interrupt.exitCode();
    // After an interruption any error is a consequence of it.
    console.error(exitCode === undefined ? `\n${await explain(error, DEFAULT_STATE_DIR)}` : "\ninterrupted");
    process.exitCode = exitCode ?? 1;
  }
}
