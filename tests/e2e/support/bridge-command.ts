/** Runs `npm run bridge -- <command> --local` on a test's stack, in this process. */
import { setMaxListeners } from "node:events";
import { join } from "node:path";
import { writeOperatorFile } from "../../../local/cli/operator-file";
import type { LocalStack } from "../../../local/local-stack";
import type { RegisterCommand } from "../../../operator/command";
import { readLocalSession } from "../../../operator/local-session";
import { operate } from "../../../operator/open-bridge";
import type { OperatedBridge, StackToOperate } from "../../../operator/operated-bridge";
import { runProgram } from "../../../operator/run-program";

/** Exit code after Ctrl-C. */
export const INTERRUPTED = 130;

export interface CommandRun {
  exitCode: number;
  /** Lines of standard output. */
  printed: string[];
  /** Lines of standard error. */
  noted: string[];
}

export interface CommandOptions {
  /** Aborted by Ctrl-C. */
  interrupt?: AbortSignal;
  /** Called with each note. A test may abort `interrupt` here. */
  onNote?: (line: string) => void;
}

/** @param stack the name of the stack */
export async function runBridge(
  register: RegisterCommand,
  local: LocalStack,
  stack: string,
  args: readonly string[],
  { interrupt = new AbortController().signal, onNote }: CommandOptions = {},
): Promise<CommandRun> {
  // As for Ctrl-C: every call in progress listens to the signal.
  setMaxListeners(0, interrupt);
  const [printed, noted]: [string[], string[]] = [[], []];
  const exitCode = await runProgram([...args, "--stack", stack, "--local"], {
    version: "0.0.0",
    commands: [register],
    open: async () => {
      const found = await readSession(local, stack);
      return { bridge: operate(found), access: found.access };
    },
    interrupt: { signal: interrupt, exitCode: () => (interrupt.aborted ? INTERRUPTED : undefined) },
    print: (text) => void printed.push(...text.split("\n")),
    note(text) {
      noted.push(text);
      onNote?.(text);
    },
  });
  return { exitCode, printed, noted };
}

/** @returns the bridge as commands get it; the caller closes it */
export async function openBridge(local: LocalStack, stack: string): Promise<OperatedBridge> {
  return operate(await readSession(local, stack));
}

/** Uses another folder than `npm start`, because a developer's stack of that name may be running. */
export async function readSession(local: LocalStack, stack: string): Promise<StackToOperate> {
  const folder = join(local.clouds.runDir, "operator");
  // Written each time, because the settings may have changed since the last command.
  await writeOperatorFile(stack, local, folder);
  return readLocalSession(stack, folder);
}
