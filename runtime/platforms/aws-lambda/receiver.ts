/** AWS Lambda entry of the receiver: API Gateway REST proxy events. */
import { randomUUID } from "node:crypto";
import { createSourceReader } from "../../replication/source-reader";
import { createEndpoint } from "../../roles/receiver/endpoint";
import { Receiver } from "../../roles/receiver/receiver";
import { createSecrets } from "../auth";
import { createHttpHandler } from "./http";
import { createCopyLauncher, readParameters } from "./services";
import { createHandler, openStore, startFunction } from "./start";

const base = startFunction("receiver", process.env);
const { config, clock, logger, api } = base;
const { bridgeId, auth, allowedCidrs, allowedSources } = config;

const receiver = new Receiver({
  ...base,
  destination: openStore(config.destination, process.env),
  reader: createSourceReader({ allowedSources }),
  launcher: createCopyLauncher(api, config.copier.functionName),
  newId: randomUUID,
});
const secrets = createSecrets({ auth, clock, logger, readParameter: readParameters(api) });

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
