/** Function Compute entry of the receiver: an HTTP trigger. */
import { randomUUID } from "node:crypto";
import { createSourceReader } from "../../replication/source-reader";
import { createEndpoint } from "../../roles/receiver/endpoint";
import { Receiver } from "../../roles/receiver/receiver";
import { createSecrets } from "../auth";
import { createControlApi } from "./control-api";
import { createHandler } from "./handler";
import { createHttpHandler } from "./http";
import { createCopyLauncher, readParameters } from "./services";
import { startFunction } from "./start";
import { openControl, openStore } from "./stores";

const base = startFunction("receiver", process.env);
const { config, clock, logger, region } = base;
const { bridgeId, auth, allowedCidrs, rateLimit, allowedSources } = config;

const receiver = new Receiver({
  ...base,
  destination: openStore(base, config.destination),
  reader: createSourceReader({ allowedSources }),
  launcher: createCopyLauncher(createControlApi({ ...base, host: `fcv3.${region}.aliyuncs.com` }), config.copier.functionName),
  newId: randomUUID,
  ...openControl(base, config),
});

const readParameter = readParameters(createControlApi({ ...base, host: `oos.${region}.aliyuncs.com` }), region);
const secrets = createSecrets({ auth, clock, logger, readParameter });

export const handler = createHandler(
  base,
  createHttpHandler(
    createEndpoint({
      secrets,
      bridgeId,
      handle: (request, deadline) => receiver.handle(request, deadline),
      clock,
      logger,
      allowedCidrs,
      rateLimit,
    }),
  ),
);
