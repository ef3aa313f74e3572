/** Runs a command on a bridge in memory, and keeps what it prints. */
import type { CommandContext, ExitCode } from "../../operator/command";
import type { OperatedBridge } from "../../operator/operated-bridge";
import { ACCESS } from "./backfill/fixture";

export interface Ran {
  exitCode: ExitCode;
  printed: string[];
  noted: string[];
}

export async function runOn(
  bridge: OperatedBridge,
  work: (context: CommandContext) => Promise<ExitCode>,
  { json = false, signal = new AbortController().signal }: { json?: boolean; signal?: AbortSignal } = {},
): Promise<Ran> {
  const [printed, noted]: [string[], string[]] = [[], []];
  const exitCode = await work({
    bridge,
    access: { source: ACCESS, destination: ACCESS },
    local: false,
    json,
    signal,
    print: (text) => void printed.push(...text.split("\n")),
    note: (text) => void noted.push(text),
  });
  return { exitCode, printed, noted };
}
