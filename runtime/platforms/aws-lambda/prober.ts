/** AWS Lambda entry of the prober: requests of the probe command, and scheduled events of EventBridge. */
import { randomBytes } from "node:crypto";
import { Prober } from "../../roles/prober/prober";
import { createProberHandler, ruleTime } from "../prober-handler";
import { createMetrics } from "./metrics";
import { createHandler, openStore, startFunction } from "./start";

const base = startFunction("prober", process.env);
const { bridgeId, side, store } = base.config;
// The side is part of the dimension: both sides may be in one region, and in a two-way bridge both measure canaries.
const metrics = createMetrics({ bridgeId, role: `prober-${side}` });

const prober = new Prober({ ...base, store: openStore(store, process.env), metrics, randomBytes });

export const handler = createHandler(createProberHandler(prober, ruleTime, base.logger), metrics);
