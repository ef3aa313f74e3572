/** AWS Lambda entry of the sender: events of the queue, or of the bucket itself with `buffer: none`. */
import { randomUUID } from "node:crypto";
import { SQSClient } from "@aws-sdk/client-sqs";
import { parseEnv } from "../../protocol/env";
import { systemClock } from "../../protocol/ports";
import { answerTimeoutMs, createReceiverClient } from "../../roles/sender/receiver-client";
import { Sender } from "../../roles/sender/sender";
import { createInvokeSigner, createSecrets } from "../auth";
import { createLogger } from "../logger";
import { CLIENT_OPTIONS, openStore } from "./clients";
import { createMetrics } from "./metrics";
import { ownCredentials } from "./own-credentials";
import { createDeadLetterQueue, createWorkQueue } from "./queues";
import { readParameters } from "./secrets";
import { createSenderHandler } from "./sender-handler";

const config = parseEnv("sender", process.env);
const { bridgeId, auth } = config;
const clock = systemClock;
const logger = createLogger({ level: config.logLevel, fields: { role: "sender", bridgeId } });
const metrics = createMetrics({ bridgeId, role: "sender" });
const sqs = new SQSClient(CLIENT_OPTIONS);
const secretDeps = { auth, clock, logger, readParameter: readParameters() };
const sign = createInvokeSigner(secretDeps, () => ownCredentials(process.env));

const sender = new Sender({
  config,
  source: openStore(config.source),
  receiver: createReceiverClient({
    url: config.receiverUrl,
    secrets: createSecrets(secretDeps),
    clock,
    timeoutMs: answerTimeoutMs(config),
    newId: randomUUID,
    sign,
  }),
  queue: config.queueUrl === undefined ? undefined : createWorkQueue(sqs, config.queueUrl),
  deadLetters: createDeadLetterQueue(sqs, { queueUrl: config.deadLetterUrl, bridgeId, clock }),
  clock,
  logger,
  metrics,
});

export const handler = createSenderHandler({ sender, logger, flush: () => metrics.flush() });
