/** AWS Lambda entry of the copier: asynchronous invocations by the receiver. */

import { parseEnv } from "../../protocol/env";
import { systemClock } from "../../protocol/ports";
import { createSourceReader } from "../../replication/source-reader";
import { Copier } from "../../roles/copier/copier";
import { createCopierHandler } from "../copier-handler";
import { createLogger } from "../logger";
import { openStore } from "./clients";
import type { LambdaTime } from "./sender-handler";

const config = parseEnv("copier", process.env);
const logger = createLogger({ level: config.logLevel, fields: { role: "copier", bridgeId: config.bridgeId } });

const copier = new Copier({
  config,
  destination: openStore(config.destination),
  reader: createSourceReader({ allowedSources: config.allowedSources, connections: config.concurrency }),
  clock: systemClock,
  logger,
});
const handle = createCopierHandler({ copier, logger });

export const handler = (event: unknown, context: LambdaTime) =>
  handle(event, { remainingMs: () => context.getRemainingTimeInMillis() });
