/** `npm run bridge -- <command> --local --json` against a stack of a test, in this process. */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { RegisterCommand } from "../../../cli/command";
import { readLocalSession } from "../../../cli/local-session";
import { operate } from "../../../cli/open-bridge";
import { runProgram } from "../../../cli/run-program";
import { writeOperatorFile } from "../../../local/cli/operator-file";
import type { LocalStack } from "../../../local/local-stack";

export interface CommandResult {
  exitCode: number;
  /** Each line of standard output. */
  printed: unknown[];
  /** Standard error. */
  noted: string;
}

/** @param stack the name the stack is configured under */
export async function runCommand(
  register: RegisterCommand,
  stack: string,
  local: LocalStack,
  args: readonly string[],
): Promise<CommandResult> {
  // Not where `npm start` has its own: a developer's stack of that name may be running.
  const folder = await mkdtemp(join(local.clouds.runDir, "operator-"));
  await writeOperatorFile(stack, local, folder);
  const printed: unknown[] = [];
  const noted: string[] = [];
  try {
    const exitCode = await runProgram([...args, "--stack", stack, "--local", "--json"], {
      commands: [register],
      open: async (options) => {
        const found = await readLocalSession(options.stack, folder);
        return { bridge: operate(found), access: found.access };
      },
      interrupt: { signal: new AbortController().signal, exitCode: () => undefined },
      print: (text) => void printed.push(...text.split("\n").map((line) => JSON.parse(line) as unknown)),
      note: (text) => void noted.push(text),
    });
    return { exitCode, printed, noted: noted.join("\n") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
