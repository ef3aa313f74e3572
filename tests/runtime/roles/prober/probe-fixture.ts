import { randomBytes } from "node:crypto";
import type { ProberConfig } from "../../../../runtime/protocol/env";
import type { MetricName } from "../../../../runtime/protocol/ports";
import { Prober, type ProberDeps } from "../../../../runtime/roles/prober/prober";
import { MemoryStore } from "../../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../../runtime/stores/object-store";
import { VirtualTime } from "../../../support/virtual-time";
import { recordingLogger } from "../../support/recording-logger";

export { instead } from "../push-fixture";

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

/** The settings that only the destination has. */
export const AT_DESTINATION = { side: "destination", keyPrefix: "to/" } as const;

export interface ProberUnderTestOptions {
  config?: Partial<ProberConfig>;
  clock?: VirtualTime;
  store?: ObjectStore;
  deps?: Partial<ProberDeps>;
}

export function makeProber(options: ProberUnderTestOptions = {}) {
  const clock = options.clock ?? new VirtualTime();
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
  /** The deadline of one invocation of this many seconds. */
  const invocation = (seconds = config.timeoutSeconds) => {
    const endMs = clock.now() + seconds * 1000;
    return { remainingMs: () => endMs - clock.now() };
  };
  return { prober, config, clock, memory, logger, metrics, invocation };
}
