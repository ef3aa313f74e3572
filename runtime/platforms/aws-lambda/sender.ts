/** AWS Lambda entry of the sender: messages of the queue, events of the bucket itself with `buffer: none`, and ticks. */
import { randomUUID } from "node:crypto";
import { answerTimeoutMs, createReceiverClient } from "../../roles/sender/receiver-client";
import { Sender } from "../../roles/sender/sender";
import { createInvokeSigner, createSecrets } from "../auth";
import { createEventHandler } from "../event-handler";
import { isPaused, pausedRole } from "../paused";
import { COMPARED_METRICS, createMetrics } from "./metrics";
import { createDeadLetterQueue, createOutageQueue, createWorkQueue } from "./queues";
import { readParameters } from "./services";
import { createHandler, openStore, startFunction } from "./start";

const base = startFunction("sender", process.env);
const { config, clock, logger, credentials, api } = base;
const { bridgeId, auth } = config;
const metrics = createMetrics({ bridgeId, role: "sender", always: COMPARED_METRICS });
const secretDeps = { auth, clock, logger, readParameter: readParameters(api) };

const { queueUrl, outageQueueUrl } = config;
const deadLetters = createDeadLetterQueue(api, { queueUrl: config.deadLetterUrl, bridgeId, clock });

const queue = createWorkQueue(api, queueUrl);
const sender = new Sender({
  ...base,
  source: openStore(config.source, process.env),
  receiver: createReceiverClient({
    url: config.receiverUrl,
    secrets: createSecrets(secretDeps),
    clock,
    timeoutMs: answerTimeoutMs(config),
    newId: randomUUID,
    sign: createInvokeSigner(secretDeps, credentials),
  }),
  queue,
  outage: createOutageQueue(api, { queueUrl: outageQueueUrl, deadLetters, clock }),
  deadLetters,
  metrics,
});

// With a queue `pause` switches its mapping off, and the function never sees the variable.
const role = isPaused(process.env) ? pausedRole({ ...base, queue, deadLetters, metrics }) : sender;

export const handler = createHandler(createEventHandler(role, logger), metrics);
