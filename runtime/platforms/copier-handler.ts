import type { Deadline, Logger } from "../protocol/ports";
import type { Copier, CopierResult } from "../roles/copier/copier";
import { parseCopyJob } from "./copy-job";

export interface CopierHandlerDeps {
  copier: Copier;
  logger: Logger;
}

/** Never throws: the platform would run the same job again with a URL that has aged, while the sender asks anew with a fresh one. */
export function createCopierHandler({ copier, logger }: CopierHandlerDeps) {
  return async (event: unknown, context: Deadline): Promise<CopierResult | { result: "failed" }> => {
    try {
      return await copier(parseCopyJob(event), context);
    } catch (error) {
      logger.error("the copier failed", { error });
      return { result: "failed" };
    }
  };
}
