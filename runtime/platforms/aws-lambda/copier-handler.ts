import type { Logger } from "../../ports";
import type { Copier, CopierResult } from "../../workflow/copier";
import { parseCopyJob } from "./copy-job";
import type { LambdaTime } from "./sender-handler";

export interface CopierHandlerDeps {
  copier: Copier;
  logger: Logger;
}

/** Never throws: Lambda would run the same job again with a URL that has aged, while the sender asks anew with a fresh one. */
export function createCopierHandler({ copier, logger }: CopierHandlerDeps) {
  return async (event: unknown, context: LambdaTime): Promise<CopierResult | { result: "failed" }> => {
    try {
      return await copier(parseCopyJob(event), { remainingMs: () => context.getRemainingTimeInMillis() });
    } catch (error) {
      logger.error("the copier failed", { error });
      return { result: "failed" };
    }
  };
}
