/** Function Compute entry of the prober: requests of the probe command, and time triggers. */
import { randomBytes } from "node:crypto";
import { Prober } from "../../roles/prober/prober";
import { createProberHandler, timerTime } from "../prober-handler";
import { createHandler } from "./handler";
import { startFunction } from "./start";
import { openStore } from "./stores";

const base = startFunction("prober", process.env);

const prober = new Prober({ ...base, store: openStore(base, base.config.store), randomBytes });

export const handler = createHandler(base, createProberHandler(prober, timerTime, base.logger));
