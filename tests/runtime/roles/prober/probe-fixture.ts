import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { ProberConfig } from "../../../../runtime/protocol/env";
import type { Clock, MetricName } from "../../../../runtime/protocol/ports";
import { Prober, type ProberDeps } from "../../../../runtime/roles/prober/prober";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../../runtime/stores/object-store";
import { recordingLogger } from "../../support/recording-logger";

export { instead } from "../push-fixture";

interface Alarm {
  atMs: number;
  ring(): void;
}

/** Time that passes only when all work waits for it. */
export class VirtualClock implements Clock {
  private alarms: Alarm[] = [];

  constructor(public nowMs = Date.parse("2026-03-01T00:00:00Z")) {}

  now = (): number => this.nowMs;

  after = (ms: number): AbortSignal => {
    const controller = new AbortController();
    this.alarms.push({ atMs: this.nowMs + ms, ring: () => controller.abort(new Error("time is up")) });
    return controller.signal;
  };

  sleep = (ms: number): Promise<void> => new Promise((ring) => this.alarms.push({ atMs: this.nowMs + ms, ring }));

  /** Time passes until the work is done. */
  async until<T>(work: Promise<T>): Promise<T> {
    let ended = false;
    const end = () => {
      ended = true;
    };
    work.then(end, end);
    for (;;) {
      // Let the running work go on until all of it waits.
      await setImmediate();
      if (ended) return work;
      this.alarms.sort((a, b) => a.atMs - b.atMs);
      const next = this.alarms.shift();
      if (next === undefined) throw new Error("no alarm is set, and the work is not done");
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.ring();
    }
  }
}

export const proberConfig: ProberConfig = {
  bridgeId: "bridge",
  sourceId: "aws:photos",
  destinationId: "aws-cn:copies",
  logLevel: "info",
  side: "source",
  store: { kind: "s3", bucket: "photos", region: "us-east-1" },
  keyPrefix: "",
  probePrefix: "in/crossborderbridge-probe/",
  suffix: ".jpg",
  tags: { team: "red" },
  timeoutSeconds: 900,
};

/** What the destination has of its own. */
export const AT_DESTINATION = { side: "destination", keyPrefix: "to/" } as const;

export interface ProberUnderTestOptions {
  config?: Partial<ProberConfig>;
  clock?: VirtualClock;
  store?: ObjectStore;
  deps?: Partial<ProberDeps>;
}

export function makeProber(options: ProberUnderTestOptions = {}) {
  const clock = options.clock ?? new VirtualClock();
  const memory = new MemoryStore({ clock, versioned: true });
  const store = options.store ?? memory;
  const logger = recordingLogger();
  const metrics: [MetricName, number][] = [];
  const config: ProberConfig = { ...proberConfig, ...options.config };
  const prober = new Prober({
    config,
    store,
    clock,
    logger,
    metrics: { add: (name, value) => void metrics.push([name, value]) },
    randomBytes,
    sleep: clock.sleep,
    ...options.deps,
  });
  /** One invocation of so many seconds. */
  const invocation = (seconds = config.timeoutSeconds) => {
    const endMs = clock.now() + seconds * 1000;
    return { remainingMs: () => endMs - clock.now() };
  };
  return { prober, config, clock, memory, logger, metrics, invocation };
}
