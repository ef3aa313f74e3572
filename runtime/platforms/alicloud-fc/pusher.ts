/** Function Compute entry of the pusher: the tasks of workflow executions. */
import { randomUUID } from "node:crypto";
import { parsePushState } from "../../protocol/push";
import { Pusher } from "../../roles/pusher/pusher";
import { logFailure, readEvent } from "../handlers";
import { createHandler } from "./handler";
import { openDeadLetters, startFunction } from "./start";
import { openControl, openStore } from "./stores";

const base = startFunction("pusher", process.env);
const { config, logger } = base;

const pusher = new Pusher({
  ...base,
  source: openStore(base, config.source),
  destination: openStore(base, config.destination),
  ...openControl(base, config),
  deadLetters: openDeadLetters(base, config),
  newId: randomUUID,
});

// The workflow repeats a step that fails.
export const handler = createHandler(base, (event, deadline) =>
  logFailure(logger, "the step failed", async () =>
    pusher.step(parsePushState(readEvent(event, "the workflow's state")), deadline),
  ),
);
