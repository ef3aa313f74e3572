/** What remains of an execution that is over: metrics, and the status tag for people. Neither can fail it. */

import type { PusherConfig } from "../../protocol/env";
import type { Clock, Logger, Metrics } from "../../protocol/ports";
import type { PushState } from "../../protocol/push";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import type { LeaseStore } from "../../replication/lease";
import { takeSnapshot } from "../../replication/snapshot";
import { type Status, setStatusTag } from "../../replication/status-tags";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { differenceOf, lookAtDestination } from "./look";

export interface RecordDeps {
  config: PusherConfig;
  source: ObjectStore;
  destination: ObjectStore;
  leases: LeaseStore;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

export function createRecord(deps: RecordDeps): {
  record(state: PushState): Promise<void>;
  tag(key: string, status: Status): Promise<void>;
} {
  const { config, source, clock, logger, metrics } = deps;

  return {
    async record({ key, result, bytesMoved }) {
      metrics.add("BytesMoved", bytesMoved);
      if (result === "skipped") return metrics.add("Skipped", 1);
      if (result === "unchanged") metrics.add("Unchanged", 1);
      if (result !== "replicated" && !config.statusTags) return;
      let snapshot: ObjectSnapshot | undefined;
      const seen = await quietly(key, async () => {
        snapshot = await takeSnapshot(source, key);
      });
      if (result === "replicated") metrics.add(seen && snapshot === undefined ? "Deleted" : "Replicated", 1);
      if (result === "replicated" && snapshot) metrics.add("LagMs", Math.max(0, clock.now() - Date.parse(snapshot.lastModified)));
      if (config.statusTags && snapshot) await tagAsCompleted(key, snapshot);
    },
    async tag(key, status) {
      if (!config.statusTags) return;
      await quietly(key, async () => {
        const snapshot = await takeSnapshot(source, key);
        if (snapshot) await setStatusTag(source, key, snapshot, status);
      });
    },
  };

  async function tagAsCompleted(key: string, snapshot: ObjectSnapshot): Promise<void> {
    await quietly(key, async () => {
      const { state } = await lookAtDestination(deps, key);
      // A newer state has an execution of its own, which will tell when that is done.
      if (differenceOf(snapshot, state, config) === undefined) await setStatusTag(source, key, snapshot, "COMPLETED");
    });
  }

  /** @returns whether it went well */
  async function quietly(key: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      logger.warn("not everything was recorded", { key, error });
      return false;
    }
  }
}
