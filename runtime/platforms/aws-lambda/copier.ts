/** AWS Lambda entry of the copier: asynchronous invocations by the receiver. */
import { createSourceReader } from "../../replication/source-reader";
import { Copier } from "../../roles/copier/copier";
import { createCopierHandler } from "../copier-handler";
import { createHandler, openStore, startFunction } from "./start";

const base = startFunction("copier", process.env);
const { destination, allowedSources, partsAtOnce } = base.config;

const copier = new Copier({
  ...base,
  destination: openStore(destination, process.env),
  reader: createSourceReader({ allowedSources, connections: 2 * partsAtOnce }),
});

export const handler = createHandler(createCopierHandler(copier, base.logger));
