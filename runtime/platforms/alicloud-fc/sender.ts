/** Function Compute entry of the sender: events of the source bucket, and dead letters that are redriven. */
import { randomUUID } from "node:crypto";
import { answerTimeoutMs, createReceiverClient } from "../../roles/sender/receiver-client";
import { Sender } from "../../roles/sender/sender";
import { createInvokeSigner, createSecrets } from "../auth";
import { createControlApi } from "./control-api";
import { createEventHandler } from "./event-handler";
import { createHandler } from "./handler";
import { readParameters } from "./secrets";
import { openDeadLetters, startFunction } from "./start";
import { openStore } from "./stores";

const base = startFunction("sender", process.env);
const { config, clock, logger, metrics, region } = base;

const readParameter = readParameters(createControlApi({ ...base, host: `oos.${region}.aliyuncs.com` }), region);
const secretDeps = { auth: config.auth, clock, logger, readParameter };
const sign = createInvokeSigner(secretDeps);

const sender = new Sender({
  config,
  source: openStore(base, config.source),
  receiver: createReceiverClient({
    url: config.receiverUrl,
    secrets: createSecrets(secretDeps),
    clock,
    timeoutMs: answerTimeoutMs(config),
    newId: randomUUID,
    sign,
  }),
  deadLetters: openDeadLetters(base, config),
  clock,
  logger,
  metrics,
});

export const handler = createHandler(
  base,
  createEventHandler({ work: (records, deadline) => sender.handle(records, deadline), logger, flush: () => metrics.flush() }),
);
