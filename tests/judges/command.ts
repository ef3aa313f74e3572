/** Commands of clients, each with an environment of its own and a folder for its files. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, runCommand } from "../../local/run-command";

const COMMAND_DEADLINE_MS = 120_000;

export interface Command {
  /** The working folder. */
  folder: string;
  /** Runs the command and returns what it printed. @throws CommandError */
  run(...args: string[]): Promise<string>;
  /** The command must fail, and say this. */
  fails(pattern: RegExp, ...args: string[]): Promise<void>;
}

export interface CommandOptions {
  program: string;
  /** Before the arguments of each call. */
  args?: readonly string[];
  /** Only these and the PATH. */
  env: Readonly<Record<string, string>>;
}

export async function withCommand({
  program,
  args = [],
  env,
}: CommandOptions): Promise<{ command: Command; stop(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "judge-"));
  const options = { cwd: folder, env: { PATH: process.env.PATH, HOME: folder, ...env }, timeoutMs: COMMAND_DEADLINE_MS };
  const run = async (...more: string[]) => (await runCommand(program, [...args, ...more], options)).stdout;
  const command: Command = {
    folder,
    run,
    async fails(pattern, ...more) {
      await assert.rejects(run(...more), (error) => {
        assert(error instanceof CommandError);
        assert.match(`${error.stdout}${error.stderr}`, pattern);
        return true;
      });
    },
  };
  return { command, stop: () => rm(folder, { recursive: true, force: true }) };
}
