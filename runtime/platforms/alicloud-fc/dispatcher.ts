/** Function Compute entry of the dispatcher: events of the source bucket, and dead letters that are redriven. */
import { randomUUID } from "node:crypto";
import { Dispatcher } from "../../roles/dispatcher/dispatcher";
import { createEventHandler } from "../event-handler";
import { isPaused, pausedRole } from "../paused";
import { createControlApi } from "./control-api";
import { createFlowStarter } from "./flow-starter";
import { createHandler } from "./handler";
import { openDeadLetters, openQueue, startFunction } from "./start";
import { createWorkQueue } from "./waiting-keys";

const base = startFunction("dispatcher", process.env);
const { config, logger, region } = base;

const queue = createWorkQueue(openQueue(base, config.queueUrl));
const deadLetters = openDeadLetters(base, config);

const dispatcher = new Dispatcher({
  ...base,
  flow: createFlowStarter(createControlApi({ ...base, host: `${region}.fnf.aliyuncs.com` }), config.flowName),
  queue,
  deadLetters,
  newId: randomUUID,
});

const role = isPaused(process.env) ? pausedRole({ ...base, queue, deadLetters }) : dispatcher;

export const handler = createHandler(base, createEventHandler(role, logger));
