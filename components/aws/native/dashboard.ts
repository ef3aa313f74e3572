/** The dashboards of a bridge that leaves replication to S3. */
import * as pulumi from "@pulumi/pulumi";
import type { NativeBridge, Side, Sides } from "../../cloud";
import { dutiesOf, inSourceAccount } from "../../prober";
import { createDashboard } from "../dashboard";
import type { ReplicationFacts } from "../dashboard-body";
import type { NativeReplication } from "./replication";
import type { ReplicatedBucket } from "./rules";

export interface NativeDashboardArgs {
  ends: Record<Side, ReplicatedBucket>;
  /** Ids of the enabled rules. */
  ruleIds: string[];
  forward: NativeReplication;
  backward: NativeReplication | undefined;
}

/**
 * S3 reports the metrics of a direction to the account of its source. So there is one dashboard in one account, and one on each side in two.
 * A side with nothing to show has none: S3 has no metrics of replication without `replication.metrics`.
 */
export function createNativeDashboards(sides: Sides, args: NativeDashboardArgs): Pick<NativeBridge, "dashboardUrls"> {
  const { config } = sides.source;
  const { ends, forward, backward } = args;
  const forth = { alarmArns: forward.alarmArns, facts: directionOf(ends.source, ends.destination, args.ruleIds) };
  const back = backward && {
    alarmArns: backward.alarmArns,
    facts: directionOf(ends.destination, ends.source, args.ruleIds),
  };
  const isOneAccount = inSourceAccount(config, "destination");
  const shown: Record<Side, (typeof forth)[]> = {
    source: isOneAccount && back !== undefined ? [forth, back] : [forth],
    destination: isOneAccount || back === undefined ? [] : [back],
  };
  const watches = (side: Side) => config.probe.everyMinutes > 0 && dutiesOf(config, side).watches;
  const create = (side: Side, isWatched: boolean) => {
    const directions = config.replication.metrics ? shown[side] : [];
    if (directions.length === 0 && !isWatched) return undefined;
    return createDashboard(sides[side], sides.source.parent, side, {
      alarmArns: pulumi.all(directions.flatMap(({ alarmArns }) => alarmArns)),
      replications: pulumi.all(directions.map(({ facts }) => facts)),
    });
  };
  const source = create("source", watches("source") || (isOneAccount && watches("destination")));
  const destination = isOneAccount ? undefined : create("destination", watches("destination"));
  if (source === undefined && destination === undefined) return {};
  return {
    dashboardUrls: { ...(source === undefined ? {} : { source }), ...(destination === undefined ? {} : { destination }) },
  };
}

const directionOf = (
  source: ReplicatedBucket,
  destination: ReplicatedBucket,
  ruleIds: string[],
): pulumi.Output<ReplicationFacts> =>
  pulumi.all([source.bucketName, destination.bucketName]).apply(([from, to]) => ({
    source: { bucket: from, region: source.region },
    destination: { bucket: to, region: destination.region },
    ruleIds,
  }));
