/** AWS Lambda entry of the receiver: API Gateway REST proxy events. */
import { randomUUID } from "node:crypto";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { parseEnv } from "../../protocol/env";
import { systemClock } from "../../protocol/ports";
import { createSourceReader } from "../../replication/source-reader";
import { createEndpoint } from "../../roles/receiver/endpoint";
import { Receiver } from "../../roles/receiver/receiver";
import { createSecrets } from "../auth";
import { createLogger } from "../logger";
import { CLIENT_OPTIONS, openStore } from "./clients";
import { createCopyLauncher } from "./launcher";
import { createReceiverHandler } from "./receiver-handler";
import { readParameters } from "./secrets";

const config = parseEnv("receiver", process.env);
const { bridgeId, auth, allowedCidrs, allowedSources } = config;
const clock = systemClock;
const logger = createLogger({ level: config.logLevel, fields: { role: "receiver", bridgeId } });

const receiver = new Receiver({
  config,
  destination: openStore(config.destination),
  reader: createSourceReader({ allowedSources }),
  launcher: createCopyLauncher(new LambdaClient(CLIENT_OPTIONS), config.copier.functionName),
  clock,
  logger,
  newId: randomUUID,
});

export const handler = createReceiverHandler(
  createEndpoint({
    secrets: createSecrets({ auth, clock, logger, readParameter: readParameters() }),
    bridgeId,
    handle: (request, deadline) => receiver.handle(request, deadline),
    clock,
    logger,
    allowedCidrs,
  }),
);
