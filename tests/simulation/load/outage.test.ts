/** Long outages of the receiver, in virtual time. The figures are in docs/guarantees.md. */
import { ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { down, LoadWorld } from "./load-world";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`);

/** @param waits how the receiver fails; ms of virtual time that it is down */
async function outage(world: LoadWorld, { keys, downMs }: { keys: number; downMs: number }, fails: () => never = down) {
  world.receiverDown = fails;
  await world.write(keysOf(keys));
  const endMs = world.time.now() + downMs;
  await world.runUntil(() => world.time.now() >= endMs);
  const during = { ...world.counts };
  world.receiverDown = undefined;
  await world.runUntil(() => world.waiting === 0);
  return { during, recoveryMs: world.time.now() - endMs };
}

test.each([
  ["SQS", false],
  ["OSS", true],
])(
  "events by %s, receiver down for 24 h, 10,000 keys: no letter, at most 3,000 requests, all proven within 30 minutes of the recovery",
  async (_what, dueByTick) => {
    const world = new LoadWorld({ instances: 5, requestMs: 300, dueByTick });
    const { during, recoveryMs } = await outage(world, { keys: 10_000, downMs: 24 * HOUR_MS });
    expect(world.parked).toEqual([]);
    expect(during.posts).toBeLessThanOrEqual(3_000);
    // Each key is delivered once, and the few that came before the breaker opened twice: almost no invocations during the outage.
    expect(during.invocations).toBeLessThanOrEqual(10_000 / 10 + 100);
    expect(recoveryMs).toBeLessThanOrEqual(30 * MINUTE_MS);
  },
);

test("writes go on during the outage: one probe a minute, whatever is written", async () => {
  const world = new LoadWorld({ instances: 5, requestMs: 300 });
  world.receiverDown = down;
  for (let hour = 0; hour < 24; hour++) {
    await world.write(keysOf(20).map((key) => `${hour}/${key}`));
    const endMs = world.time.now() + HOUR_MS;
    await world.runUntil(() => world.time.now() >= endMs);
  }
  expect(world.counts.posts).toBeLessThanOrEqual(24 * 60 + 50);
  expect(world.parked).toEqual([]);
  world.receiverDown = undefined;
  const startMs = world.time.now();
  await world.runUntil(() => world.waiting === 0);
  expect(world.time.now() - startMs).toBeLessThanOrEqual(2 * MINUTE_MS);
});

test("an outage of twenty seconds: the keys arrive within a minute and a half of its end", async () => {
  const world = new LoadWorld({ instances: 5, requestMs: 300 });
  const { recoveryMs } = await outage(world, { keys: 100, downMs: 20_000 });
  expect(recoveryMs).toBeLessThanOrEqual(1.5 * MINUTE_MS);
  expect(world.parked).toEqual([]);
});

test("a receiver that throttles is not down: keys wait as long as it says, and the outage queue stays empty", async () => {
  const world = new LoadWorld({ instances: 5, requestMs: 300 });
  const throttled = (): never => {
    throw new ReceiverUnreachable("429", { attemptMayRun: false, retryable: true, throttled: true, retryAfterSeconds: 600 });
  };
  world.receiverDown = throttled;
  await world.write(keysOf(100));
  const endMs = world.time.now() + HOUR_MS;
  await world.runUntil(() => world.time.now() >= endMs);
  expect(world.outage.keys).toEqual([]);
  expect(world.counts.posts).toBeLessThanOrEqual(10 * 7);
  world.receiverDown = undefined;
  await world.runUntil(() => world.waiting === 0);
  expect(world.parked).toEqual([]);
});

test("an outage longer than giveUpAfterHours: every key is parked with the reason, none is lost", async () => {
  const world = new LoadWorld({ instances: 5, requestMs: 300, settings: { giveUpAfterSeconds: 2 * 3600 } });
  world.receiverDown = down;
  await world.write(keysOf(200));
  await world.runUntil(() => world.parked.length === 200);
  const wanted = "given up after 2 hours of waiting, the last on the way to the receiver: the receiver cannot be connected to";
  for (const { reason } of world.parked) expect(reason).toBe(wanted);
  expect([world.outage.keys, world.queued]).toEqual([[], 0]);
});
