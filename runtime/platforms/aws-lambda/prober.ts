/** AWS Lambda entry of the prober: requests of the probe command, and scheduled events of EventBridge. */
import { randomBytes } from "node:crypto";
import { parseEnv } from "../../protocol/env";
import { systemClock } from "../../protocol/ports";
import { createProber } from "../../roles/prober/prober";
import { createLogger } from "../logger";
import { createProberHandler } from "../prober-handler";
import { openStore } from "./clients";
import { createMetrics } from "./metrics";
import { ruleTime } from "./schedule";
import type { LambdaTime } from "./sender-handler";

const config = parseEnv("prober", process.env);
const { bridgeId, side } = config;
const logger = createLogger({ level: config.logLevel, fields: { role: "prober", bridgeId } });
// Both sides may be of one region, and two-way both tell of canaries.
const metrics = createMetrics({ bridgeId, role: `prober-${side}` });

const prober = createProber({ config, store: openStore(config.store), clock: systemClock, logger, metrics, randomBytes });
const handle = createProberHandler({ prober, scheduledMs: ruleTime, logger, flush: () => metrics.flush() });

export const handler = (event: unknown, context: LambdaTime) =>
  handle(event, { remainingMs: () => context.getRemainingTimeInMillis() });
