/**
 * A paused bridge: what events name is kept in the work queue, and the timer starts nothing.
 * docs/adr/0054-a-pause-is-a-variable-of-the-functions.md
 */
import type { WorkQueue } from "../protocol/ports";
import { type AcceptedLook, Failures, Intake, type IntakeDeps, reasonOf } from "../replication/intake";
import { inScopeByKey } from "../replication/scope";
import type { EventRole } from "./event-handler";

/** The operator's `pause` sets it on the functions that events and the timer start; `resume` and a deployment remove it. */
export const PAUSED_VARIABLE = "BRIDGE_PAUSED";

export const isPaused = (env: Readonly<Record<string, string | undefined>>): boolean => env[PAUSED_VARIABLE] !== undefined;

export const PAUSED_REASON = "the bridge is paused: crossborderbridge resume goes on";

export interface PausedDeps extends IntakeDeps {
  queue: Pick<WorkQueue, "enqueueAll">;
}

/** Takes the place of a sender or a dispatcher. An event whose key cannot be stored is delivered again. */
export function pausedRole(deps: PausedDeps): EventRole {
  const { config, queue, clock, logger, metrics } = deps;
  const intake = new Intake(deps);
  return {
    async handle(records) {
      const failures = new Failures();
      const accepted = (await intake.accept(records, failures)).filter(({ look }) => {
        const verdict = inScopeByKey(config.scope, look.key);
        if (!verdict.inScope) intake.skip(look.key, verdict.reason);
        return verdict.inScope;
      });
      const last = { reason: PAUSED_REASON, place: "source", atMs: clock.now() } as const;
      // With a count of waits the next attempt knows that one may have been made before.
      const looks = accepted.map(({ look }) => ({ ...look, waits: look.waits ?? 0, released: undefined, last }));
      try {
        if (looks.length > 0) await queue.enqueueAll(looks);
      } catch (error) {
        logger.error("keys could not be kept", { keys: looks.length, error });
        failures.add(idsOf(accepted), `the key could not be kept: ${reasonOf(error, "paused function")}`);
        return { failures: failures.list() };
      }
      metrics.add("Waited", looks.length);
      for (const { key, firstSeenMs, failures: failed, waits } of looks)
        logger.info("put back", { key, firstSeenMs, failures: failed, waits, ...last });
      return { failures: failures.list() };
    },
    async tick() {
      logger.info("the tick does nothing: the bridge is paused");
    },
  };
}

const idsOf = (accepted: readonly AcceptedLook[]): string[] => accepted.map(({ messageId }) => messageId);
