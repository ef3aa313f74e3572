/** Chooses the engine that replicates the objects. */
import { UsageError } from "../command";
import type { OperatedBridge } from "../operated-bridge";

/**
 * - `batch`: one S3 Batch Replication job. AWS only.
 * - `copy`: copies each object onto itself; the store's own replication replicates the new version.
 * - `bridge`: hands each key to the bridge, as an event would.
 */
export const ENGINES = ["batch", "copy", "bridge"] as const;
export type Engine = (typeof ENGINES)[number];

export interface ChosenEngine {
  engine: Engine;
  /** Notes for the operator before the run begins. */
  notices: string[];
}

type Chosen = Pick<OperatedBridge, "config" | "outputs">;

/** @throws UsageError if the stack has no such engine */
export function chooseEngine(bridge: Chosen, asked: Engine | "auto", { local }: { local: boolean }): ChosenEngine {
  const engine = asked === "auto" ? bestEngine(bridge, local) : asked;
  const refusal = refusalOf(engine, bridge, local);
  if (refusal !== undefined) throw new UsageError(`--engine ${engine}: ${refusal}`);
  return { engine, notices: noticesOf(engine, bridge) };
}

function bestEngine({ config, outputs }: Chosen, local: boolean): Engine {
  if (config.mode !== "native") return "bridge";
  return onAws(config) && outputs.backfillRoleArn !== undefined && !local ? "batch" : "copy";
}

function refusalOf(engine: Engine, { config, outputs }: Chosen, local: boolean): string | undefined {
  if (engine === "bridge")
    return config.mode === "native" ? "in mode native no function looks at keys; take --engine copy" : undefined;
  if (config.mode !== "native") return `mode ${config.mode} has no replication of the store's own; take --engine bridge`;
  if (engine === "copy") return undefined;
  if (!onAws(config)) return "S3 Batch Replication is of AWS alone; take --engine copy";
  if (local) return "the local cloud has no S3 Batch Operations; take --engine copy";
  return outputs.backfillRoleArn === undefined
    ? "the stack has no role for S3 Batch Operations; set existingObjects: replicate and deploy, or take --engine copy"
    : undefined;
}

function noticesOf(engine: Engine, { config }: Chosen): string[] {
  const notices: Record<Engine, string[]> = {
    batch: ["S3 Batch Replication replicates every version that a rule covers and that was not replicated yet, or has failed."],
    copy: [
      "Each object is copied onto itself at the source. The copy is a new version with a new Last-Modified; the version before stays and is billed.",
    ],
    bridge: ["Each key that is not there yet is handed to the bridge; its own limits decide the speed."],
  };
  const oss =
    config.existingObjects === "replicate"
      ? "existingObjects is replicate: OSS replicates existing objects by itself. This run copies only the objects that have not arrived yet."
      : "OSS can replicate existing objects by itself, without new versions: set existingObjects: replicate and deploy.";
  return [
    ...notices[engine],
    ...(engine === "copy" && !onAws(config) ? [oss] : []),
    ...(config.direction === "two-way" ? ["Only objects of the source are checked; the way back is left alone."] : []),
  ];
}

const onAws = ({ source }: Chosen["config"]): boolean => source.cloud === "aws" || source.cloud === "aws-cn";
