/** Deploys and destroys a stack with Pulumi's own command. */
import { join } from "node:path";
import { LocalWorkspace, type LocalWorkspaceOptions, type Stack, StackNotFoundError } from "@pulumi/pulumi/automation";
import { UsageError } from "../operator/command";
import { abortable } from "../operator/concurrency";

/** Resources by kind of change: `create`, `update`, `same`. */
export type ChangeSummary = Readonly<Record<string, number>>;

/**
 * - `none`: no resource.
 * - `deployed`: it exports a bridge.
 * - `partial`: it has resources, and exports no bridge.
 */
export type StackState = "none" | "deployed" | "partial";

export interface Deployment {
  /** Settings by their names in the stack's file. */
  settings(signal: AbortSignal): Promise<Record<string, unknown>>;
  outputs(signal: AbortSignal): Promise<Record<string, unknown>>;
  state(signal: AbortSignal): Promise<StackState>;
  up(onLine: (line: string) => void, signal: AbortSignal): Promise<ChangeSummary>;
  /** The changes that `up` would make, after a look at what is really there. */
  preview(signal: AbortSignal): Promise<ChangeSummary>;
  /** Deletes every resource. The stack stays, with its settings. */
  destroy(onLine: (line: string) => void, signal: AbortSignal): Promise<ChangeSummary>;
}

/** The folder of Pulumi.yaml. */
const PROJECT_DIR = join(__dirname, "..");

/** @param options where the program and Pulumi's command are. @default this checkout, and the command on the PATH */
export function pulumiDeployment(stackName: string, options: LocalWorkspaceOptions = {}): Deployment {
  const workDir = options.workDir ?? PROJECT_DIR;
  let selected: Promise<Stack> | undefined;
  const select = () => {
    selected ??= LocalWorkspace.selectStack({ stackName, workDir }, options);
    return selected;
  };
  const onStack = async <T>(signal: AbortSignal, work: (stack: Stack) => Promise<T>): Promise<T> => {
    try {
      return await work(await abortable(signal, select()));
    } catch (error) {
      signal.throwIfAborted();
      throw readable(stackName, error);
    }
  };
  const operation = (onLine: (line: string) => void, signal: AbortSignal) => ({
    onOutput: byLine(onLine),
    signal,
    color: "never" as const,
    suppressOutputs: true,
    suppressProgress: true,
  });
  return {
    settings: (signal) => onStack(signal, async (stack) => values(await abortable(signal, stack.getAllConfig()))),
    outputs: (signal) => onStack(signal, async (stack) => values(await abortable(signal, stack.outputs()))),
    state: (signal) =>
      onStack(signal, async (stack) => {
        const { deployment } = await abortable(signal, stack.exportStack());
        const { resources = [] } = (deployment ?? {}) as { resources?: { type: string; outputs?: object }[] };
        if (resources.length === 0) return "none";
        const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
        if (root?.outputs !== undefined && "sourceBucket" in root.outputs) return "deployed";
        // A destroy that found nothing else to delete leaves the root alone.
        return resources.length === 1 && root !== undefined ? "none" : "partial";
      }),
    up: (onLine, signal) =>
      onStack(signal, async (stack) => {
        const { summary } = await stack.up(operation(onLine, signal));
        return { ...summary.resourceChanges };
      }),
    preview: (signal) =>
      onStack(signal, async (stack) => {
        const { changeSummary } = await stack.preview({ signal, refresh: true, color: "never", suppressProgress: true });
        return { ...changeSummary };
      }),
    destroy: (onLine, signal) =>
      onStack(signal, async (stack) => {
        const { summary } = await stack.destroy(operation(onLine, signal));
        return { ...summary.resourceChanges };
      }),
  };
}

function values(named: Readonly<Record<string, { value: unknown }>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(named).map(([name, { value }]) => [name, value]));
}

/** The output of a command arrives in pieces that end anywhere. */
function byLine(onLine: (line: string) => void): (piece: string) => void {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") onLine(line.trimEnd());
  };
}

/** Keeps the error lines of Pulumi's output, which its errors hold completely. */
function readable(stack: string, error: unknown): Error {
  if (error instanceof StackNotFoundError)
    return new UsageError(
      `there is no stack ${stack}: write Pulumi.${stack}.yaml (docs/deploy.md), then run pulumi stack init ${stack}; or add --local for a stack of npm start`,
    );
  const message = error instanceof Error ? error.message : String(error);
  if (/ENOENT/.test(message)) return new Error("the command pulumi is not there: https://www.pulumi.com/docs/install/");
  const errors = message.split("\n").flatMap((line) => /^\s*(?:error|\* .*error): (.+)$/.exec(line)?.[1] ?? []);
  return new Error(errors.length > 0 ? [...new Set(errors)].join("; ") : message);
}
