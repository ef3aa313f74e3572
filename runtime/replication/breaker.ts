/**
 * The circuit breaker. While the other side is down, keys wait in the outage queue, and nothing is sent but the probes of the tick. The state is
 * the queue itself: as long as it holds keys, the breaker is open. Each instance adds what it saw in the last seconds, because the queue's count
 * may be a minute old.
 */
import type { Clock, Deadline, Look, OutageQueue } from "../protocol/ports";

/** Failed requests in a row after which an instance takes the other side for down. One lost connection does not stop a bridge. */
const FAILURES_TO_OPEN = 3;
/** What the instance saw itself counts for this long. */
const OWN_KNOWLEDGE_MS = 60_000;
/** An instance that reached the other side in this time does not ask the queue. */
const FRESH_SUCCESS_MS = 30_000;
/** The longest use of one answer of the queue. */
const ANSWER_MS = 10_000;

export interface BreakerDeps {
  outage: Pick<OutageQueue, "isEmpty">;
  clock: Pick<Clock, "now">;
}

export class Breaker {
  readonly #deps: BreakerDeps;
  #failuresInARow = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #succeededAtMs = Number.NEGATIVE_INFINITY;
  #reason: string | undefined;
  #probe: "unknown" | "failed" | "succeeded" = "unknown";
  #answer: { atMs: number; isEmpty: boolean } | undefined;

  constructor(deps: BreakerDeps) {
    this.#deps = deps;
  }

  /** Whether keys must be held. Rejects with the failure of the queue. */
  async isOpen(): Promise<boolean> {
    const { outage, clock } = this.#deps;
    if (this.hasOpened) return true;
    const nowMs = clock.now();
    if (this.#failuresInARow === 0 && nowMs - this.#succeededAtMs < FRESH_SUCCESS_MS) return false;
    if (this.#answer === undefined || nowMs - this.#answer.atMs >= ANSWER_MS)
      this.#answer = { atMs: nowMs, isEmpty: await outage.isEmpty() };
    return !this.#answer.isEmpty;
  }

  /** Whether this instance itself saw the other side down a moment ago. */
  get hasOpened(): boolean {
    const isRecent = this.#deps.clock.now() - this.#failedAtMs < OWN_KNOWLEDGE_MS;
    return this.#failuresInARow >= FAILURES_TO_OPEN && isRecent;
  }

  /** Allows one request. Its outcome decides. */
  halfOpen(): void {
    this.#failuresInARow = FAILURES_TO_OPEN - 1;
    this.#failedAtMs = this.#deps.clock.now();
    this.#probe = "unknown";
  }

  /** The outcome of the requests since `halfOpen`; `unknown` where there was none. */
  get probe(): "unknown" | "failed" | "succeeded" {
    return this.#probe;
  }

  /** Why the last failed request of this instance failed. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** The other side answered. */
  succeeded(): void {
    this.#probe = "succeeded";
    this.#failuresInARow = 0;
    this.#succeededAtMs = this.#deps.clock.now();
  }

  /** A request failed because the other side is down. */
  failed(reason: string): void {
    this.#probe = "failed";
    this.#reason = reason;
    // What failed long ago does not belong to this row.
    if (this.#deps.clock.now() - this.#failedAtMs >= OWN_KNOWLEDGE_MS) this.#failuresInARow = 0;
    this.#failuresInARow += 1;
    this.#failedAtMs = this.#deps.clock.now();
  }
}

/** Loops that release keys at the same time. */
const LANES = 4;
/** No batch is started when less than this is left of the invocation. */
const LAST_BATCH_MS = 5_000;

export interface ReleaseDeps {
  outage: Pick<OutageQueue, "receive" | "remove">;
  /** Stores the keys where they are worked on. */
  release(looks: readonly Look[]): Promise<void>;
  deadline: Deadline;
}

/**
 * Hands the keys of the outage queue on, once the other side was reached. A key is stored before it is removed here, so that a crash repeats it
 * and loses nothing.
 * @returns the number of keys
 */
export async function releaseHeld({ outage, release, deadline }: ReleaseDeps): Promise<number> {
  let released = 0;
  const lane = async () => {
    while (deadline.remainingMs() > LAST_BATCH_MS) {
      const messages = await outage.receive();
      if (messages.length === 0) return;
      await release(messages.map(({ look }) => releasedLook(look)));
      await outage.remove(messages);
      released += messages.length;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return released;
}

/** A key that is sent at once: its waits begin anew. */
export function releasedLook(look: Look): Look {
  return { ...look, waits: 0, released: true };
}
