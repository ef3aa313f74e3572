/** Function Compute entry of the pusher: the tasks of workflow executions, and the timer once a minute. */
import { randomUUID } from "node:crypto";
import { parsePushCall, Unfinished } from "../../protocol/push";
import { isTick } from "../../protocol/queue-messages";
import { Pusher } from "../../roles/pusher/pusher";
import { readEvent } from "../handlers";
import { isPaused } from "../paused";
import { createControlApi } from "./control-api";
import { createHandler } from "./handler";
import { createLookStarter } from "./services";
import { openDeadLetters, openQueue, startFunction } from "./start";
import { openControl, openStore } from "./stores";
import { createOutageQueue, createWorkQueue, drainWorkQueue } from "./waiting-keys";

const base = startFunction("pusher", process.env);
const { config, logger, region } = base;

const queue = openQueue(base, config.queueUrl);
const starter = createLookStarter(
  createControlApi({ ...base, host: `fcv3.${region}.aliyuncs.com` }),
  config.dispatcherFunctionName,
);
const deadLetters = openDeadLetters(base, config);

const pusher = new Pusher({
  ...base,
  source: openStore(base, config.source),
  destination: openStore(base, config.destination),
  ...openControl(base, config),
  queue: createWorkQueue(queue),
  outage: createOutageQueue(openQueue(base, config.outageQueueUrl), { ...base, deadLetters }),
  starter,
  deadLetters,
  newId: randomUUID,
});

export const handler = createHandler(base, async (event, deadline) => {
  try {
    const message = readEvent(event, "the workflow's state");
    if (!isTick(message)) return await pusher.answer(parsePushCall(message), deadline);
    if (isPaused(process.env)) {
      logger.info("the tick does nothing: the bridge is paused");
      return undefined;
    }
    await pusher.tick(deadline);
    await drainWorkQueue({ queue, starter, logger }, deadline);
    return undefined;
  } catch (error) {
    // The workflow goes on after an unfinished call, and repeats one that fails.
    if (!(error instanceof Unfinished)) logger.error("the step failed", { error });
    throw error;
  }
});
