/**
 * A paused bridge: what events name is kept in the work queue, and the timer starts nothing.
 * docs/adr/0054-a-pause-is-a-variable-of-the-functions.md
 */
import pLimit from "p-limit";
import type { WorkQueue } from "../protocol/ports";
import { type AcceptedLook, Failures, Intake, type IntakeDeps, reasonOf } from "../replication/intake";
import { inScopeByKey } from "../replication/scope";
import type { EventRole } from "./event-handler";

/** The operator's `pause` sets it on the functions that events and the timer start; `resume` and a deployment remove it. */
export const PAUSED_VARIABLE = "BRIDGE_PAUSED";

export const isPaused = (env: Readonly<Record<string, string | undefined>>): boolean => env[PAUSED_VARIABLE] !== undefined;

export const PAUSED_REASON = "the bridge is paused: crossborderbridge resume goes on";

export interface PausedDeps extends IntakeDeps {
  queue: Pick<WorkQueue, "enqueue">;
}

/** Takes the place of a sender or a dispatcher. An event whose key cannot be stored is delivered again. */
export function pausedRole(deps: PausedDeps): EventRole {
  const { config, logger } = deps;
  const intake = new Intake(deps);
  return {
    async handle(records) {
      const failures = new Failures();
      const accepted = (await intake.accept(records, failures)).filter(({ look }) => {
        const verdict = inScopeByKey(config.scope, look.key);
        if (!verdict.inScope) intake.skip(look.key, verdict.reason);
        return verdict.inScope;
      });
      const limit = pLimit(STORED_AT_ONCE);
      await Promise.all(accepted.map((one) => limit(() => keep(one, deps, failures))));
      return { failures: failures.list() };
    },
    async tick() {
      logger.info("the tick does nothing: the bridge is paused");
    },
  };
}

const STORED_AT_ONCE = 16;

/** One message each: a dispatcher may send no batches. */
async function keep(
  { messageId, look }: AcceptedLook,
  { queue, clock, logger, metrics }: PausedDeps,
  failures: Failures,
): Promise<void> {
  const last = { reason: PAUSED_REASON, place: "source", atMs: clock.now() } as const;
  const { key, firstSeenMs, failures: failed, waits = 0 } = look;
  try {
    // With a count of waits the next attempt knows that one may have been made before.
    await queue.enqueue({ ...look, waits, released: undefined, last }, 0);
  } catch (error) {
    logger.error("the key could not be kept", { key, error });
    failures.add([messageId], `the key could not be kept: ${reasonOf(error, "paused function")}`);
    return;
  }
  metrics.add("Waited", 1);
  logger.info("put back", { key, firstSeenMs, failures: failed, waits, ...last });
}
