/** Each change of the sender breaks what `outage.test.ts` asserts: the scenarios can fail. */
import { ReceiverUnreachable } from "../../../runtime/protocol/ports";
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

test.each<[string, (deps: SenderDeps) => SenderDeps]>([
  ["there is no breaker", (deps) => ({ ...deps, outage: undefined, memory: undefined })],
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
      queue: deps.queue && {
        ...deps.queue,
        enqueueAll: (looks) =>
          Promise.all(looks.map((look) => deps.queue?.enqueue({ ...look, released: undefined }, 0))).then(() => undefined),
      },
      // One of the held keys stays: the queue is never empty.
      outage: deps.outage && {
        ...deps.outage,
        isEmpty: async () => false,
        receive: () => deps.outage?.receive() ?? Promise.resolve([]),
        add: (looks) => deps.outage?.add(looks) ?? Promise.resolve(),
        remove: (messages) => deps.outage?.remove(messages) ?? Promise.resolve(),
      },
    }),
  ],
  [
    "the tick does not run",
    (deps) => ({
      ...deps,
      outage: deps.outage && {
        isEmpty: () => deps.outage?.isEmpty() ?? Promise.resolve(true),
        add: (looks) => deps.outage?.add(looks) ?? Promise.resolve(),
        receive: async () => [],
        remove: async () => undefined,
      },
    }),
  ],
])("%s: seen", async (_what, sabotage) => {
  expect(isBroken(await story(sabotage))).toBe(true);
});
