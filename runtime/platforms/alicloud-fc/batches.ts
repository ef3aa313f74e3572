/**
 * Gathers the events of invocations that run side by side in one instance, so that the role gets them as one batch, as it gets messages of SQS.
 * docs/adr/0039-invocations-of-one-instance-share-a-batch.md
 */
import type { DecodedRecord } from "../../protocol/events";
import type { Clock, Deadline } from "../../protocol/ports";
import type { Failure } from "../../replication/intake";
import type { EventRole } from "../event-handler";

/** A batch with this many keys starts at once. Most keys share a request then, and a request that breaks repeats few of them. */
const FULL_BATCH_KEYS = 32;
/** How long the first event waits for others while no batch runs. Events of one moment arrive within it. */
const IDLE_WINDOW_MS = 20;
/** How long an event waits at most while a batch runs. A batch whose objects are slow does not hold back the next keys. */
const BUSY_WINDOW_MS = 500;

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

  const start = (): void => {
    const members = gathered;
    gathered = [];
    running += 1;
    void handleTogether(role, members).then(() => {
      running -= 1;
      if (running === 0 && gathered.length > 0) start();
    });
  };

  return {
    ...(role.tick === undefined ? {} : { tick: role.tick.bind(role) }),
    handle: (records, deadline) =>
      new Promise((resolve, reject) => {
        gathered.push({ records, deadline, resolve, reject });
        if (keysOf(gathered) >= FULL_BATCH_KEYS) return start();
        if (gathered.length > 1) return;
        const batch = gathered;
        clock.after(running === 0 ? IDLE_WINDOW_MS : BUSY_WINDOW_MS).addEventListener("abort", () => {
          if (batch === gathered) start();
        });
      }),
  };
}

const keysOf = (members: readonly Member[]): number =>
  members.reduce((sum, { records }) => sum + records.reduce((keys, { looks }) => keys + looks.length, 0), 0);

/** Answers every member. Never rejects. */
async function handleTogether(role: EventRole, members: readonly Member[]): Promise<void> {
  const names = new Set(members.map((_, index) => String(index)));
  const records = members.flatMap((member, index) => member.records.map((record) => ({ ...record, messageId: String(index) })));
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
