import type { Logger } from "../../protocol/ports";
import { type PushState, parsePushState } from "../../protocol/push";
import type { Pusher } from "../../roles/pusher/pusher";
import type { Invocation } from "./handler";

export interface PusherHandlerDeps {
  pusher: Pick<Pusher, "step">;
  logger: Logger;
  flush(): void;
}

/** One step of a workflow execution: its state in, its state out. What it throws, the workflow tries again. */
export function createPusherHandler({ pusher, logger, flush }: PusherHandlerDeps) {
  return async ({ text, remainingMs }: Invocation): Promise<PushState> => {
    try {
      return await pusher.step(parsePushState(parseJson(text)), { remainingMs });
    } catch (error) {
      logger.error("the step failed", { error });
      throw error;
    } finally {
      flush();
    }
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("the workflow's state is not JSON");
  }
}
