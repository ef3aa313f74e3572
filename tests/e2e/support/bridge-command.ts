/** `npm run bridge -- <command> --local` on a stack of a test, in this process: the whole program, from the operator's file on. */
import { join } from "node:path";
import { writeOperatorFile } from "../../../local/cli/operator-file";
import type { LocalStack } from "../../../local/local-stack";
import type { RegisterCommand } from "../../../operator/command";
import { readLocalSession } from "../../../operator/local-session";
import { operate } from "../../../operator/open-bridge";
import type { OperatedBridge } from "../../../operator/operated-bridge";
import { runProgram } from "../../../operator/run-program";
import type { StackToOperate } from "../../../operator/operated-bridge";

/** As a shell tells of Ctrl-C. */
export const INTERRUPTED = 130;

export interface CommandRun {
  exitCode: number;
  /** Lines of standard output, and of standard error. */
  printed: string[];
  noted: string[];
}

export interface CommandOptions {
  /** What Ctrl-C aborts. */
  interrupt?: AbortSignal;
  /** May be what presses it. */
  onNote?: (line: string) => void;
}

/** @param stack the name the stack is configured under */
export async function runBridge(
  register: RegisterCommand,
  local: LocalStack,
  stack: string,
  args: readonly string[],
  { interrupt = new AbortController().signal, onNote }: CommandOptions = {},
): Promise<CommandRun> {
  const [printed, noted]: [string[], string[]] = [[], []];
  const exitCode = await runProgram([...args, "--stack", stack, "--local"], {
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

/** @returns the bridge as every command has it; to be closed */
export async function openBridge(local: LocalStack, stack: string): Promise<OperatedBridge> {
  return operate(await readSession(local, stack));
}

/** Not where `npm start` has its own: a developer's stack of that name may be running. */
async function readSession(local: LocalStack, stack: string): Promise<StackToOperate> {
  const folder = join(local.clouds.runDir, "operator");
  // Anew each time: the stack may have been deployed with other settings since.
  await writeOperatorFile(stack, local, folder);
  return readLocalSession(stack, folder);
}
