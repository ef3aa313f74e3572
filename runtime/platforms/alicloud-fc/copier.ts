/** Function Compute entry of the copier: asynchronous invocations by the receiver. */
import { createSourceReader } from "../../replication/source-reader";
import { Copier } from "../../roles/copier/copier";
import { createCopierHandler } from "../copier-handler";
import { createHandler } from "./handler";
import { startFunction } from "./start";
import { openControl, openStore } from "./stores";

const base = startFunction("copier", process.env);
const { config } = base;

const copier = new Copier({
  ...base,
  destination: openStore(base, config.destination),
  reader: createSourceReader({ allowedSources: config.allowedSources, connections: 2 * config.partsAtOnce }),
  ...openControl(base, config),
});

export const handler = createHandler(base, createCopierHandler(copier, base.logger));
