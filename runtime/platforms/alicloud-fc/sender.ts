/**
 * Function Compute entry of the sender: events of the source bucket, keys that waited, the timer, and dead letters that are redriven. It runs in a
 * custom runtime, so that one instance takes many events at once and asks the receiver about them together.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { systemRandom } from "../../protocol/ports";
import { answerTimeoutMs, createReceiverClient } from "../../roles/sender/receiver-client";
import { Sender } from "../../roles/sender/sender";
import { createInvokeSigner, createSecrets } from "../auth";
import { createEventHandler, type EventRole } from "../event-handler";
import { logFailure } from "../handlers";
import { isPaused, pausedRole } from "../paused";
import { inBatches, repeatThrottled } from "./batches";
import { createControlApi } from "./control-api";
import { serveInvocations } from "./custom-runtime";
import { createHandler } from "./handler";
import { createLookStarter, readParameters } from "./services";
import { openDeadLetters, openQueue, ownFunctionName, startFunction } from "./start";
import { openStore } from "./stores";
import { createOutageQueue, createWorkQueue, drainWorkQueue } from "./waiting-keys";

const base = startFunction("sender", process.env);
const { config, clock, logger, region } = base;

const { queueUrl, outageQueueUrl } = config;
const queue = openQueue(base, queueUrl);
const starter = createLookStarter(
  createControlApi({ ...base, host: `fcv3.${region}.aliyuncs.com` }),
  ownFunctionName(process.env),
);
const deadLetters = openDeadLetters(base, config);
const readParameter = readParameters(createControlApi({ ...base, host: `oos.${region}.aliyuncs.com` }), region);
const secretDeps = { auth: config.auth, clock, logger, readParameter };

const receiver = createReceiverClient({
  url: config.receiverUrl,
  secrets: createSecrets(secretDeps),
  clock,
  timeoutMs: answerTimeoutMs(config),
  newId: randomUUID,
  sign: createInvokeSigner(secretDeps),
});

const workQueue = createWorkQueue(queue);
const sender = new Sender({
  ...base,
  source: openStore(base, config.source),
  receiver: repeatThrottled(receiver, { random: systemRandom, sleep: async (ms) => void (await delay(ms)) }),
  queue: workQueue,
  outage: createOutageQueue(openQueue(base, outageQueueUrl), { ...base, deadLetters }),
  deadLetters,
});

const working: EventRole = {
  handle: (records, deadline) => sender.handle(records, deadline),
  async tick(deadline) {
    await logFailure(logger, "the tick failed", () => sender.tick(deadline)).catch(() => undefined);
    await drainWorkQueue({ queue, starter, logger }, deadline);
  },
};

const role = isPaused(process.env) ? pausedRole({ ...base, queue: workQueue, deadLetters }) : working;

export const handler = createHandler(base, createEventHandler(inBatches(role, clock), logger));

if (require.main === module) serveInvocations(handler, process.env);
