/** Runs the probe command and the probers of a deployed stack. */
import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { LocalStack } from "../../../local/local-stack";
import type { OperatedBridge } from "../../../operator/operated-bridge";
import { registerProbe } from "../../../operator/probe/command";
import type { ProbeSide } from "../../../runtime/roles/prober/names";
import { type CommandOptions, type CommandRun, openBridge, runBridge } from "./bridge-command";

export interface ProbeRun extends CommandRun {
  /** Content by name of the files that the run writes. */
  files: Record<string, Buffer>;
}

export interface OperatedStack {
  bridge: OperatedBridge;
  probe(args: readonly string[], options?: CommandOptions): Promise<ProbeRun>;
  /** Calls a side's prober with the operator's credentials. */
  ask(side: ProbeSide, payload: unknown): Promise<unknown>;
  /** Invokes a side's prober like its schedule. */
  wake(side: ProbeSide, event: object): Promise<void>;
  close(): Promise<void>;
}

export async function operateStack(local: LocalStack, stack: string): Promise<OperatedStack> {
  const bridge = await openBridge(local, stack);
  const names = proberNames(local);
  return {
    bridge,
    async probe(args, options) {
      const out = await mkdtemp(join(local.clouds.runDir, "probe-"));
      const run = await runBridge(registerProbe, local, stack, ["probe", "--out", out, ...args], options);
      return { ...run, files: await filesIn(out) };
    },
    ask: (side, payload) => bridge[side].functions.invoke(names[side], payload),
    wake: (side, event) => bridge[side].functions.invokeAsync(names[side], JSON.stringify(event)),
    close: () => bridge.close(),
  };
}

export function proberNames({ outputs: { proberFunctionNames } }: LocalStack): Record<ProbeSide, string> {
  if (proberFunctionNames === undefined) throw new Error("the stack was deployed without probe.enabled");
  return proberFunctionNames;
}

async function filesIn(folder: string): Promise<Record<string, Buffer>> {
  const names = (await readdir(folder)).sort();
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const)));
}
