import * as pulumi from "@pulumi/pulumi";
import type { Prober, Side, Sides } from "./cloud";
import { CLOUD_COMPONENTS } from "./registry";

export type BySide = Record<Side, pulumi.Output<string>>;
type KeyStatements = Partial<BySide>;

export interface LatencyProbeArgs {
  buckets: BySide;
  /** What a canary that is sent on schedule travels by. */
  ready: pulumi.Resource[];
}

/**
 * Tells from outside, in every mode and on every cloud, how long objects take: a function on each side, next to its bucket, that
 * puts objects or watches for them and takes them away again. Nothing of it crosses the border but the objects. It is asked by
 * `npm run bridge -- probe`; with `probe.everyMinutes` a schedule on both sides sends a canary, and alarms say when it is late.
 * Each side's account pays for its own function.
 *
 * Part of a bridge: `new CrossBorderBridge("reports", { ..., probe: { enabled: true, everyMinutes: 5 } })`.
 */
export class LatencyProbe extends pulumi.ComponentResource {
  readonly functionNames: BySide;
  private readonly probers: Record<Side, Prober>;

  constructor(sides: Sides, { buckets, ready }: LatencyProbeArgs) {
    const { name, parent } = sides.source;
    super("crossborder:index:LatencyProbe", `${name}-probe`, {}, { parent });
    const prober = (side: Side): Prober => {
      const context = { ...sides[side], parent: this };
      return CLOUD_COMPONENTS[context.config[side].cloud].createProber(context, { side, bucketName: buckets[side], ready });
    };
    this.probers = { source: prober("source"), destination: prober("destination") };
    this.functionNames = { source: this.probers.source.functionName, destination: this.probers.destination.functionName };
    this.registerOutputs({ functionNames: this.functionNames });
  }

  /** What the policies of both keys must hold, each as a JSON list of statements, for the bridge and its probers. */
  withKeyStatements(bridges: KeyStatements): KeyStatements {
    const at = (side: Side): KeyStatements => {
      const found = [bridges[side], this.probers[side].kmsKeyStatement].filter((statement) => statement !== undefined);
      return found.length === 0 ? {} : { [side]: asOneList(found) };
    };
    return { ...at("source"), ...at("destination") };
  }
}

/** Of statements and lists of them. */
const asOneList = (found: pulumi.Output<string>[]): pulumi.Output<string> =>
  pulumi.all(found).apply((texts) => JSON.stringify(texts.flatMap((text) => JSON.parse(text) as unknown)));
