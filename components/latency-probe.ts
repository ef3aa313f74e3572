import * as pulumi from "@pulumi/pulumi";
import type { Prober, Side, Sides } from "./cloud";
import { CLOUD_COMPONENTS } from "./registry";

export type BySide = Record<Side, pulumi.Output<string>>;
type KeyStatements = Partial<BySide>;

export interface LatencyProbeArgs {
  buckets: BySide;
  /** Resources that must exist before the schedule sends a canary. */
  ready: pulumi.Resource[];
}

/**
 * Measures how long objects take to replicate, in every mode and on every cloud. On each side a function next to the bucket puts objects or
 * watches for them, and deletes them again. Only the objects cross the border. `npm run bridge -- probe` invokes the functions. With
 * `probe.everyMinutes` a schedule on both sides sends a canary, and alarms report a late one. Each side's account pays for its own
 * function.
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

  /** Addresses of the dashboards that show canaries alone. */
  get dashboardUrls(): { [Key in Side]: pulumi.Output<string> | undefined } {
    const { source, destination } = this.probers;
    return { source: source.dashboardUrl, destination: destination.dashboardUrl };
  }

  /** Statements that the policies of both keys need for the bridge and its probers, a JSON list for each key. */
  withKeyStatements(bridges: KeyStatements): KeyStatements {
    const at = (side: Side): KeyStatements => {
      const found = [bridges[side], this.probers[side].kmsKeyStatement].filter((statement) => statement !== undefined);
      return found.length === 0 ? {} : { [side]: asOneList(found) };
    };
    return { ...at("source"), ...at("destination") };
  }
}

/** Joins statements and lists of statements into one list. */
const asOneList = (found: pulumi.Output<string>[]): pulumi.Output<string> =>
  pulumi.all(found).apply((texts) => JSON.stringify(texts.flatMap((text) => JSON.parse(text) as unknown)));
