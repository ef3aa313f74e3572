/** Each change of the sender breaks what `outage.test.ts` asserts: the scenarios can fail. */
import { type OutageQueue, ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { Breaker } from "../../../runtime/replication/breaker";
import { LinkRate } from "../../../runtime/roles/sender/ask";
import type { SenderDeps } from "../../../runtime/roles/sender/sender";
import { down, LoadWorld } from "./load-world";

const HOUR_MS = 3_600_000;

interface Seen {
  posts: number;
  letters: number;
  recoverySeconds: number;
}

/** 200 keys, and a receiver that is down for six hours. */
async function story(sabotage?: (deps: SenderDeps) => SenderDeps): Promise<Seen> {
  const world = new LoadWorld({ instances: 3, requestMs: 300, sabotage });
  world.receiverDown = down;
  await world.write(Array.from({ length: 200 }, (_, index) => `k${index}`));
  const endMs = world.time.now() + 6 * HOUR_MS;
  await world.runUntil(() => world.time.now() >= endMs);
  const { posts } = world.counts;
  world.receiverDown = undefined;
  const limitMs = endMs + HOUR_MS;
  await world.runUntil(() => world.waiting === world.parked.length || world.time.now() > limitMs);
  return { posts, letters: world.parked.length, recoverySeconds: (world.time.now() - endMs) / 1000 };
}

/** What the bridge promises for this story. */
const isBroken = ({ posts, letters, recoverySeconds }: Seen): boolean =>
  posts > 6 * 60 + 30 || letters > 0 || recoverySeconds > 120;

test("without a change the promises hold", async () => {
  const seen = await story();
  expect([isBroken(seen), seen]).toEqual([false, seen]);
});

/** A part of the queue is replaced, the rest works. */
const outageWith = ({ outage }: SenderDeps, change: Partial<OutageQueue>): OutageQueue => ({
  isEmpty: () => outage.isEmpty(),
  add: (looks) => outage.add(looks),
  receive: () => outage.receive(),
  remove: (messages) => outage.remove(messages),
  ...change,
});

const withoutMemory = (clock: SenderDeps["clock"]): SenderDeps["memory"] => ({
  breaker: Object.assign(new Breaker({ outage: { isEmpty: async () => true }, clock }), { failed: () => undefined }),
  link: new LinkRate(),
});

test.each<[string, (deps: SenderDeps) => SenderDeps]>([
  ["the breaker never opens", (deps) => ({ ...deps, memory: withoutMemory(deps.clock) })],
  [
    "a request without an answer counts as a failure",
    (deps) => ({
      ...deps,
      receiver: {
        post: async (request) => {
          try {
            return await deps.receiver.post(request);
          } catch (error) {
            if (!(error instanceof ReceiverUnreachable)) throw error;
            return { version: 1, receipts: request.notices.map(({ key }) => ({ key, result: "retry" })) };
          }
        },
      },
    }),
  ],
  [
    "released keys are held again while the outage queue is not empty",
    (deps) => ({
      ...deps,
      queue: {
        ...deps.queue,
        enqueueAll: (looks) => deps.queue.enqueueAll(looks.map((look) => ({ ...look, released: undefined }))),
      },
      // Its count is old: it says that keys are left.
      outage: outageWith(deps, { isEmpty: async () => false }),
    }),
  ],
  ["the tick sees no key", (deps) => ({ ...deps, outage: outageWith(deps, { receive: async () => [] }) })],
])("%s: seen", async (_what, sabotage) => {
  expect(isBroken(await story(sabotage))).toBe(true);
});
