/** The pusher's work of once a minute: it looks whether an outage of the destination is over, and starts the keys that waited for it. */
import type { PusherConfig } from "../../protocol/env";
import type {
  Clock,
  DeadLetterQueue,
  Deadline,
  HeldMessage,
  Logger,
  Look,
  LookStarter,
  Metrics,
  OutageQueue,
} from "../../protocol/ports";
import { encodeLook } from "../../protocol/queue-messages";
import { type Breaker, releasedLook, releaseHeld } from "../../replication/breaker";
import { BridgeError, DOWN_KINDS, isBridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { givenUp } from "./transitions";

/** No batch of overdue keys is begun when less than this is left to the function. */
const LAST_BATCH_MS = 20_000;

export interface PusherTickDeps {
  config: Pick<PusherConfig, "destinationPrefix" | "giveUpAfterSeconds">;
  destination: Pick<ObjectStore, "head">;
  outage: OutageQueue;
  starter: LookStarter;
  deadLetters: DeadLetterQueue;
  breaker: Breaker;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

export class PusherTick {
  constructor(private readonly deps: PusherTickDeps) {}

  /**
   * One look at the destination, at the first key that waits. If the destination answers, all keys go back to work; if not, they stay. Keys
   * that are too old are parked.
   */
  async run(deadline: Deadline): Promise<void> {
    const { logger, metrics, outage } = this.deps;
    try {
      const held = await this.receiveHeld(deadline);
      const isOpen = held.length > 0 || !(await outage.isEmpty());
      metrics.add("BreakerOpen", isOpen ? 1 : 0);
      const [first] = held;
      if (first === undefined) return;
      const ages = held.map(({ look }) => this.deps.clock.now() - look.firstSeenMs);
      metrics.add("OldestUnprovenAgeMs", Math.max(...ages));
      if (await this.answers(first.look.key)) await this.release(held, deadline);
      else logger.warn("breaker stays open", { keys: held.length });
    } catch (error) {
      // The next tick tries again. A rejection would make the platform repeat this one.
      logger.error("the tick failed", { error });
    }
  }

  /** The next keys that wait. Parks those that have waited too long, and goes on until it finds a batch with younger ones. */
  private async receiveHeld(deadline: Deadline): Promise<HeldMessage[]> {
    const { outage, config, clock } = this.deps;
    const policy = { giveUpAfterSeconds: config.giveUpAfterSeconds, now: () => clock.now() };
    for (;;) {
      const messages = await outage.receive();
      const young: HeldMessage[] = [];
      const overdue: HeldMessage[] = [];
      for (const message of messages) {
        const reason = givenUp(message.look, policy);
        if (reason === undefined) young.push(message);
        else overdue.push(message);
        if (reason !== undefined) await this.park(message.look, reason);
      }
      if (overdue.length > 0) await outage.remove(overdue);
      if (young.length > 0 || messages.length === 0 || deadline.remainingMs() < LAST_BATCH_MS) return young;
    }
  }

  private async park(look: Look, reason: string): Promise<void> {
    const { deadLetters, logger, metrics } = this.deps;
    logger.error("parked", { key: look.key, reason });
    await deadLetters.park(look, reason);
    metrics.add("Parked", 1);
  }

  /** Whether the destination answers, also with a refusal. */
  private async answers(key: string): Promise<boolean> {
    const { destination, config, breaker, logger } = this.deps;
    breaker.halfOpen();
    try {
      await destination.head(config.destinationPrefix + key);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      logger.info("probe of the destination", { key, error });
      return !isBridgeError(error, ...DOWN_KINDS);
    }
    return true;
  }

  private async release(held: readonly HeldMessage[], deadline: Deadline): Promise<void> {
    const { outage, starter, logger } = this.deps;
    const start = (looks: readonly Look[]) => starter.start(looks.map(encodeLook));
    await start(held.map(({ look }) => releasedLook(look)));
    await outage.remove(held);
    const drained = held.length + (await releaseHeld({ outage, release: start, deadline }));
    logger.info("breaker closed", { drained });
  }
}
