/** Reads a stack that `pulumi up` deployed, with Pulumi's own command, which decrypts its settings and outputs. */
// The command is an ECMAScript module, which does not find a folder of a package without the name of its file.
import { LocalWorkspace, StackNotFoundError } from "@pulumi/pulumi/automation/index.js";
import { UsageError } from "./command";
import { abortable } from "./concurrency";
import type { ConfiguredStack, StackToOperate } from "./operated-bridge";
import { projectDir } from "./places";
import { accessTo } from "./side-access";
import { configOf, outputsOf } from "./stack-settings";

export async function readDeployedStack(stack: string, signal: AbortSignal): Promise<StackToOperate> {
  const { settings, outputs } = await abortable(signal, readStack(stack));
  return { ...configured(stack, settings), outputs: outputsOf(stack, outputs) };
}

/** Reads a stack that may not be deployed yet. It has no outputs then. */
export async function readConfiguredStack(stack: string, signal: AbortSignal): Promise<ConfiguredStack> {
  const { settings, outputs } = await abortable(signal, readStack(stack));
  const isDeployed = Object.keys(outputs).length > 0;
  return { ...configured(stack, settings), outputs: isDeployed ? outputsOf(stack, outputs) : undefined };
}

function configured(stack: string, settings: Readonly<Record<string, unknown>>): Omit<StackToOperate, "outputs"> {
  const config = configOf(stack, settings);
  return { stack, config, access: { source: accessTo(config.source), destination: accessTo(config.destination) } };
}

async function readStack(stack: string) {
  try {
    const workspace = await LocalWorkspace.create({ workDir: projectDir() });
    const settings = await workspace.getAllConfig(stack);
    const outputs = await workspace.stackOutputs(stack);
    return { settings: values(settings), outputs: values(outputs) };
  } catch (error) {
    throw readable(stack, error);
  }
}

function values(named: Readonly<Record<string, { value: unknown }>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(named).map(([name, { value }]) => [name, value]));
}

/** Keeps the error lines of Pulumi's output, which its errors hold completely. */
function readable(stack: string, error: unknown): Error {
  if (error instanceof StackNotFoundError)
    return new UsageError(`there is no stack ${stack} in Pulumi's state; deploy it first, or add --local for one of npm start`);
  const message = error instanceof Error ? error.message : String(error);
  if (/ENOENT/.test(message)) return new Error("the command pulumi is not there: https://www.pulumi.com/docs/install/");
  const errors = message.split("\n").flatMap((line) => /^\s*error: (.+)$/.exec(line)?.[1] ?? []);
  return new Error(`the stack ${stack} cannot be read: ${errors.length > 0 ? [...new Set(errors)].join("; ") : message}`);
}
