/** Function Compute entry of the prober: requests of the probe command, and time triggers. */
import { randomBytes } from "node:crypto";
import { createProber } from "../../roles/prober/prober";
import { createProberHandler } from "../prober-handler";
import { createHandler } from "./handler";
import { timerTime } from "./schedule";
import { startFunction } from "./start";
import { openStore } from "./stores";

const base = startFunction("prober", process.env);
const { config, clock, logger, metrics } = base;

const prober = createProber({ config, store: openStore(base, config.store), clock, logger, metrics, randomBytes });
const handle = createProberHandler({ prober, scheduledMs: timerTime, logger, flush: () => metrics.flush() });

export const handler = createHandler(base, ({ text, remainingMs }) => handle(text, { remainingMs }));
