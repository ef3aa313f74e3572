import type { Deadline, Logger } from "../protocol/ports";
import type { CopyResult } from "../replication/copy-under-lease";
import type { Copier } from "../roles/copier/copier";
import { parseCopyJob } from "./copy-job";

export interface CopierHandlerDeps {
  copier: Pick<Copier, "run">;
  logger: Logger;
}

/** Never throws: the platform would run the same job again with a URL that has aged, while the sender asks anew with a fresh one. */
export function createCopierHandler({ copier, logger }: CopierHandlerDeps) {
  return async (event: unknown, context: Deadline): Promise<CopyResult | { result: "failed" }> => {
    try {
      return await copier.run(parseCopyJob(event), context);
    } catch (error) {
      logger.error("the copier failed", { error });
      return { result: "failed" };
    }
  };
}
