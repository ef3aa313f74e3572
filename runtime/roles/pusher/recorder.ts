/** Metrics and status tags of a key. A failure of a store here is logged, and the call of the pusher succeeds. */
import type { PusherConfig } from "../../protocol/env";
import type { Clock, Logger, Metrics } from "../../protocol/ports";
import type { PushState } from "../../protocol/push";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import { takeSnapshot } from "../../replication/snapshot";
import { type Status, setStatusTag } from "../../replication/status-tags";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { advance } from "./transitions";

/** A look at the source; undefined stands for absent. */
export interface SeenSource {
  snapshot: ObjectSnapshot | undefined;
}

export interface RecorderDeps {
  config: Pick<PusherConfig, "bridgeId" | "statusTags">;
  source: ObjectStore;
  clock: Pick<Clock, "now">;
  logger: Logger;
  metrics: Metrics;
}

export class Recorder {
  constructor(private readonly deps: RecorderDeps) {}

  /** Metrics at the end of an execution. @param known the source as the attempt saw it last; absent in a step of its own */
  async record(state: PushState, known?: SeenSource): Promise<PushState> {
    const { clock, metrics } = this.deps;
    const { key, result, reason, bytesMoved } = state;
    if (result === "waiting") return advance(state, "done", { result, reason });
    metrics.add("BytesMoved", bytesMoved);
    if (result === "skipped") metrics.add("Skipped", 1);
    if (result === "unchanged") metrics.add("Unchanged", 1);
    if (result === "replicated") {
      const seen = known ?? (await this.lookAtSource(key));
      metrics.add(seen && seen.snapshot === undefined ? "Deleted" : "Replicated", 1);
      if (seen?.snapshot) metrics.add("LagMs", Math.max(0, clock.now() - Date.parse(seen.snapshot.lastModified)));
    }
    return advance(state, "done", { result, reason });
  }

  /** Tags the object that the source has now. */
  async tagNow(key: string, status: Status): Promise<void> {
    const seen = this.deps.config.statusTags ? await this.lookAtSource(key) : undefined;
    if (seen?.snapshot) await this.tag(key, seen.snapshot, status);
  }

  async tag(key: string, snapshot: ObjectSnapshot, status: Status): Promise<void> {
    const { config, source } = this.deps;
    if (!config.statusTags) return;
    await this.unlessStoreFails(key, () => setStatusTag(source, { bridgeId: config.bridgeId, key, snapshot }, status));
  }

  private async lookAtSource(key: string): Promise<SeenSource | undefined> {
    return await this.unlessStoreFails(key, async () => ({ snapshot: await takeSnapshot(this.deps.source, key) }));
  }

  /** @returns undefined when the store failed */
  private async unlessStoreFails<T>(key: string, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      this.deps.logger.warn("not everything was recorded", { key, error });
      return undefined;
    }
  }
}
