/** AWS Lambda entry of the receiver: API Gateway REST proxy events. */
import { randomUUID } from "node:crypto";
import { LambdaClient } from "@aws-sdk/client-lambda";
import { createSourceReader } from "../../replication/source-reader";
import { createEndpoint } from "../../roles/receiver/endpoint";
import { Receiver } from "../../roles/receiver/receiver";
import { createSecrets } from "../auth";
import { createHttpHandler } from "./http";
import { createCopyLauncher, readParameters } from "./services";
import { CLIENT_OPTIONS, createHandler, openStore, startFunction } from "./start";

const base = startFunction("receiver");
const { config, clock, logger } = base;
const { bridgeId, auth, allowedCidrs, allowedSources } = config;

const receiver = new Receiver({
  ...base,
  destination: openStore(config.destination),
  reader: createSourceReader({ allowedSources }),
  launcher: createCopyLauncher(new LambdaClient(CLIENT_OPTIONS), config.copier.functionName),
  newId: randomUUID,
});
const secrets = createSecrets({ auth, clock, logger, readParameter: readParameters() });

export const handler = createHandler(
  createHttpHandler(
    createEndpoint({
      secrets,
      bridgeId,
      handle: (request, deadline) => receiver.handle(request, deadline),
      clock,
      logger,
      allowedCidrs,
    }),
  ),
);
