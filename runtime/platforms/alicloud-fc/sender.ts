/** Function Compute entry of the sender: events of the source bucket, and dead letters that are redriven. */
import { randomUUID } from "node:crypto";
import { answerTimeoutMs, createReceiverClient } from "../../roles/sender/receiver-client";
import { Sender } from "../../roles/sender/sender";
import { createInvokeSigner, createSecrets } from "../auth";
import { createEventHandler } from "../event-handler";
import { createControlApi } from "./control-api";
import { createHandler } from "./handler";
import { readParameters } from "./services";
import { openDeadLetters, startFunction } from "./start";
import { openStore } from "./stores";

const base = startFunction("sender", process.env);
const { config, clock, logger, region } = base;

const readParameter = readParameters(createControlApi({ ...base, host: `oos.${region}.aliyuncs.com` }), region);
const secretDeps = { auth: config.auth, clock, logger, readParameter };

const sender = new Sender({
  ...base,
  source: openStore(base, config.source),
  receiver: createReceiverClient({
    url: config.receiverUrl,
    secrets: createSecrets(secretDeps),
    clock,
    timeoutMs: answerTimeoutMs(config),
    newId: randomUUID,
    sign: createInvokeSigner(secretDeps),
  }),
  deadLetters: openDeadLetters(base, config),
});

export const handler = createHandler(base, createEventHandler(sender, logger));
