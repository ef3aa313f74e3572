/** The handling of events that the sender and the dispatcher share: accept, inspect and park. */
import type { SenderConfig } from "../protocol/env";
import type { DecodedLook, DecodedRecord } from "../protocol/events";
import type { Clock, DeadLetterQueue, Logger, Look, Metrics } from "../protocol/ports";
import type { ObjectSnapshot } from "../protocol/snapshot";
import { BridgeError } from "../stores/errors";
import type { ObjectStore } from "../stores/object-store";
import { type EligibilityRules, eligible, inScopeByKey } from "./scope";
import { takeSnapshot } from "./snapshot";
import { echoReason } from "./status-tags";

export interface IntakeDeps {
  config: EligibilityRules & { source: { bucket: string } } & Partial<Pick<SenderConfig, "ownPrincipal" | "statusTags">>;
  deadLetters: DeadLetterQueue;
  clock: Pick<Clock, "now">;
  logger: Logger;
  metrics: Metrics;
}

/** A message that the platform must deliver again; empty `messageId` where the platform gave none. */
export interface Failure {
  messageId: string;
  reason: string;
}

/** The messages of one invocation that must be delivered again: one reason per message, the last one that was added. */
export class Failures {
  readonly #reasons = new Map<string, string>();

  add(messageIds: Iterable<string>, reason: string): void {
    for (const messageId of messageIds) this.#reasons.set(messageId, reason);
  }

  list(): Failure[] {
    return [...this.#reasons].map(([messageId, reason]) => ({ messageId, reason }));
  }
}

/** An event that is delivered later than this, and by no queue that counts deliveries, may be delivered again. */
const LATE_MS = 10_000;

/** A look at a key of this bridge's source, and the message that asked for it. */
export interface AcceptedLook {
  messageId: string;
  look: DecodedLook & { firstSeenMs: number };
}

export interface Inspected {
  snapshot: ObjectSnapshot | undefined;
  /** The object is a replica of the destination's own object, so it must not be sent back. */
  isReturned?: true;
}

export class Intake {
  readonly #deps: IntakeDeps;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  /**
   * Parks events of another bucket and records that cannot be read. A message that cannot be parked is a failure. Drops the events of status
   * tags that a bridge wrote.
   */
  async accept(records: readonly DecodedRecord[], failures: Failures): Promise<AcceptedLook[]> {
    const { clock, config, logger } = this.#deps;
    const accepted: AcceptedLook[] = [];
    for (const { messageId = "", uncounted = messageId === "", looks, problem, original } of records) {
      const refuse = async (look: Look, reason: string) => {
        try {
          await this.park(look, reason, original);
        } catch (error) {
          logger.error("parking failed", { key: look.key, error });
          failures.add([messageId], reason);
        }
      };
      for (const decoded of looks) {
        const look = { ...decoded, firstSeenMs: decoded.firstSeenMs ?? clock.now() };
        if (uncounted && this.#isLate(look)) look.redelivered = true;
        const refusal = foreignBucket(look, config.source.bucket);
        const echo = echoReason(look, config);
        if (echo !== undefined) this.skip(look.key, echo);
        else if (refusal === undefined) accepted.push({ messageId, look });
        else await refuse({ key: look.key, failures: 0, firstSeenMs: look.firstSeenMs }, refusal);
      }
      if (problem !== undefined) await refuse({ key: "", failures: 0, firstSeenMs: clock.now() }, problem);
    }
    return accepted;
  }

  /**
   * Takes a snapshot of the source object at `key`; a snapshot of undefined stands for absent.
   * @param asksAboutReturned whether the caller asks the receiver about replicas of the destination's own objects, instead of skipping them
   * @returns undefined for a key or object out of scope, which is logged and counted
   */
  async inspect(source: ObjectStore, key: string, { asksAboutReturned = false } = {}): Promise<Inspected | undefined> {
    const { config } = this.#deps;
    const byKey = inScopeByKey(config.scope, key);
    if (!byKey.inScope) return this.skip(key, byKey.reason);
    const snapshot = await takeSnapshot(source, key);
    const verdict = eligible(config, key, snapshot);
    if (asksAboutReturned && verdict.inScope === false && verdict.isReturned) return { snapshot, isReturned: true };
    return verdict.inScope ? { snapshot } : this.skip(key, verdict.reason);
  }

  /** @param original the unchanged message, where no look could be read from it */
  async park(look: Look, reason: string, original?: string): Promise<void> {
    this.#deps.logger.error("parked", { key: look.key, reason });
    this.#deps.metrics.add("Parked", 1);
    await this.#deps.deadLetters.park(look, reason, original);
  }

  /** Whether it may be the repeat of an asynchronous invocation, which no platform marks. */
  #isLate({ eventTimeMs, firstSeenMs }: AcceptedLook["look"]): boolean {
    return this.#deps.clock.now() - (eventTimeMs ?? firstSeenMs) > LATE_MS;
  }

  /** Logs and counts a key that is out of scope. */
  skip(key: string, reason: string): undefined {
    this.#deps.logger.debug("skipped", { key, reason });
    this.#deps.metrics.add("Skipped", 1);
  }
}

/** Whether an attempt for this look may have been made before: then a copy of an earlier state may be running. */
export function wasAsked({ redelivered, failures, waits, last, released }: DecodedLook): boolean {
  return redelivered === true || failures > 0 || waits !== undefined || last !== undefined || released === true;
}

function foreignBucket({ bucket }: DecodedLook, own: string): string | undefined {
  return bucket === undefined || bucket === own ? undefined : `the event is of bucket ${bucket}, this bridge serves ${own}`;
}

/** A reason for an operator. Only the bridge's own errors are quoted: others may hold a URL. */
export function reasonOf(error: unknown, role: string): string {
  return error instanceof BridgeError ? error.message : `unexpected failure in the ${role}`;
}
