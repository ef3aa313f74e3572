/**
 * Gathers the events of invocations that run side by side in one instance, so that the role gets them as one batch, as it gets messages of SQS.
 * docs/adr/0039-invocations-of-one-instance-share-a-batch.md
 */
import type { DecodedRecord } from "../../protocol/events";
import { type Clock, type Deadline, type Random, type ReceiverClient, ReceiverUnreachable } from "../../protocol/ports";
import type { Failure } from "../../replication/intake";
import type { EventRole } from "../event-handler";

/** A batch with this many keys is full: it waits for no others. */
const FULL_BATCH_KEYS = 32;
/** How long the first event waits for others while no batch runs. Events of one moment arrive within it. */
const IDLE_WINDOW_MS = 20;
/** How long an event waits at most while a batch runs. A batch whose objects are slow does not hold back the next keys. */
const BUSY_WINDOW_MS = 500;
/** Batches that run at the same time in one instance. The component starts fewer instances for it: `OSS_SENDER_LANES`. */
export const LANES = 2;

interface Member {
  records: readonly DecodedRecord[];
  deadline: Deadline;
  resolve(answer: { failures: Failure[] }): void;
  reject(error: unknown): void;
}

/**
 * Wraps a role whose `handle` is called once per invocation. Each call is answered with its own failures. A tick runs by itself.
 * @returns a role that calls `handle` of the wrapped role once per batch
 */
export function inBatches(role: EventRole, clock: Pick<Clock, "after">): EventRole {
  let gathered: Member[] = [];
  let running = 0;

  /** Starts a batch, and lets the events that did not fit gather on. */
  const start = (): void => {
    if (gathered.length === 0 || running === LANES) return;
    const { members } = takeBatch(gathered);
    gathered = gathered.slice(members.length);
    running += 1;
    void handleTogether(role, members).then(() => {
      const wereAllBusy = running === LANES;
      running -= 1;
      if (running === 0 || wereAllBusy) start();
    });
    if (gathered.length > 0) openWindow();
  };
  const openWindow = (): void => {
    const [first] = gathered;
    clock.after(running === 0 ? IDLE_WINDOW_MS : BUSY_WINDOW_MS).addEventListener("abort", () => {
      if (first === gathered[0]) start();
    });
  };

  return {
    ...(role.tick === undefined ? {} : { tick: role.tick.bind(role) }),
    handle: (records, deadline) =>
      new Promise((resolve, reject) => {
        gathered.push({ records, deadline, resolve, reject });
        if (running === 0 && takeBatch(gathered).isFull) start();
        else if (gathered.length === 1) openWindow();
      }),
  };
}

/** The first members that fill a batch, or all of them. */
function takeBatch(gathered: readonly Member[]): { members: Member[]; isFull: boolean } {
  const members: Member[] = [];
  let keys = 0;
  for (const member of gathered) {
    if (keys >= FULL_BATCH_KEYS) break;
    members.push(member);
    keys += member.records.reduce((sum, { looks }) => sum + looks.length, 0);
  }
  return { members, isFull: keys >= FULL_BATCH_KEYS };
}

/** Answers every member. Never rejects. */
async function handleTogether(role: EventRole, members: readonly Member[]): Promise<void> {
  const names = new Set(members.map((_, index) => String(index)));
  const records = members.flatMap(({ records: own }, index) =>
    own.map((record) => ({ ...record, messageId: String(index), uncounted: true as const })),
  );
  // An invocation must be answered before the earliest of them ends.
  const deadline = { remainingMs: () => Math.min(...members.map((member) => member.deadline.remainingMs())) };
  try {
    const { failures } = await role.handle(records, deadline);
    for (const [index, member] of members.entries()) {
      // A failure that names no member may concern any of them.
      const own = failures.filter(({ messageId }) => messageId === String(index) || !names.has(messageId));
      member.resolve({ failures: own.map(({ reason }) => ({ messageId: "", reason })) });
    }
  } catch (error) {
    for (const { reject } of members) reject(error);
  }
}

/** The waits before a request is repeated that was throttled, in ms. Together they fit into what a round may take beyond its request. */
const THROTTLED_WAITS_MS = [500, 1_000, 1_500] as const;

export interface ThrottleDeps {
  random: Random;
  sleep(ms: number): Promise<void>;
}

/**
 * Repeats a request that the receiver refused because too many arrive at once. A key that is put back goes on with the next tick, up to a
 * minute later, and senders of one burst need the receiver for a moment only.
 */
export function repeatThrottled(client: ReceiverClient, { random, sleep }: ThrottleDeps): ReceiverClient {
  return {
    async post(request, options) {
      for (const longestMs of THROTTLED_WAITS_MS) {
        try {
          return await client.post(request, options);
        } catch (error) {
          if (!(error instanceof ReceiverUnreachable) || !error.throttled) throw error;
          const askedMs = (error.retryAfterSeconds ?? 0) * 1000;
          if (askedMs > longestMs) throw error;
          await sleep(Math.max(askedMs, longestMs * (0.5 + random() / 2)));
        }
      }
      return await client.post(request, options);
    },
  };
}
