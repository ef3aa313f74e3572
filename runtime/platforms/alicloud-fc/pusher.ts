/** Function Compute entry of the pusher: the tasks of workflow executions. */
import { randomUUID } from "node:crypto";
import { Pusher } from "../../roles/pusher/pusher";
import { createHandler } from "./handler";
import { createPusherHandler } from "./pusher-handler";
import { openDeadLetters, startFunction } from "./start";
import { openLeases, openStore } from "./stores";

const base = startFunction("pusher", process.env);
const { config, clock, logger, metrics } = base;

const pusher = new Pusher({
  config,
  source: openStore(base, config.source),
  destination: openStore(base, config.destination),
  leases: openLeases(base, config),
  deadLetters: openDeadLetters(base, config),
  clock,
  logger,
  metrics,
  newId: randomUUID,
});

export const handler = createHandler(base, createPusherHandler({ pusher, logger, flush: () => metrics.flush() }));
