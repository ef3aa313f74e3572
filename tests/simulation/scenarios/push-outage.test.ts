/** Push mode over a day's outage: the work is bounded, nothing is parked, and every key is proven soon after it. */
import type { PushState } from "../../../runtime/protocol/push";
import { Breaker } from "../../../runtime/replication/breaker";
import { type OutageSabotage, PushOutage } from "../world/push-outage";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

interface Figures {
  requestsWhileDown: number;
  letters: number;
  unprovenAfter30Minutes: number;
  executions: number;
}

/** The destination is down for the hours. The keys are written in the first of them. */
async function outage({ keys, hours, sabotage }: { keys: number; hours: number; sabotage?: OutageSabotage }): Promise<Figures> {
  const world = new PushOutage(sabotage);
  const beginMs = world.time.now();
  world.down.destination = true;
  const perMinute = Math.ceil(keys / 60);
  for (let written = 0, minute = 1; written < keys; minute++) {
    for (let count = 0; count < perMinute && written < keys; count++, written++) await world.write(`k${written}`);
    await world.runUntil(beginMs + minute * MINUTE_MS);
  }
  await world.runUntil(beginMs + hours * HOUR_MS);
  const { whileDown } = world.requests;
  world.down.destination = false;
  await world.runUntil(beginMs + hours * HOUR_MS + 30 * MINUTE_MS);
  return {
    requestsWhileDown: whileDown,
    letters: world.letters.length,
    unprovenAfter30Minutes: world.unproven().length,
    executions: world.executions.size,
  };
}

test("a day without the destination, 10,000 keys: at most 3,000 requests to it, no letter, all proven within 30 minutes", async () => {
  const figures = await outage({ keys: 10_000, hours: 24 });
  expect(figures).toMatchObject({ letters: 0, unprovenAfter30Minutes: 0 });
  expect(figures.requestsWhileDown).toBeLessThanOrEqual(3_000);
  // One that ended in the outage queue, and one after it.
  expect(figures.executions).toBeLessThanOrEqual(2 * 10_000);
}, 300_000);

test("a week without the destination: keys are parked with the reason before SMQ would drop them", async () => {
  const world = new PushOutage();
  const beginMs = world.time.now();
  world.down.destination = true;
  for (let key = 0; key < 40; key++) await world.write(`k${key}`);
  await world.runUntil(beginMs + 155 * HOUR_MS);
  expect(world.letters).toEqual([]);
  await world.runUntil(beginMs + 157 * HOUR_MS);
  expect(world.letters).toHaveLength(40);
  expect(world.letters[0]?.reason).toBe(
    "given up after 156 hours of waiting, the last reason at the destination: the destination does not answer",
  );
  expect(world.outage.messages).toEqual([]);
}, 120_000);

test("a workflow service that is down for a day: the keys wait in the queue, and all are proven after it", async () => {
  const world = new PushOutage();
  const beginMs = world.time.now();
  world.down.flow = true;
  for (let key = 0; key < 20; key++) await world.write(`k${key}`);
  await world.runUntil(beginMs + 24 * HOUR_MS);
  expect([world.letters, world.waiting.length]).toEqual([[], 20]);
  world.down.flow = false;
  await world.runUntil(beginMs + 24 * HOUR_MS + 10 * MINUTE_MS);
  expect([world.unproven(), world.letters, world.waiting]).toEqual([[], [], []]);
}, 120_000);

test("a key that waited in the work queue, and comes back while the destination is down: it is proven after the outage", async () => {
  const world = new PushOutage();
  const beginMs = world.time.now();
  world.isThrottling = true;
  await world.write("throttled");
  await world.runUntil(beginMs + 21 * MINUTE_MS);
  expect(world.waiting.map(({ look }) => look.key)).toEqual(["throttled"]);
  world.isThrottling = false;
  world.down.destination = true;
  for (let key = 0; key < 10; key++) await world.write(`k${key}`);
  await world.runUntil(beginMs + HOUR_MS);
  expect(world.outage.keys).toContain("throttled");
  world.down.destination = false;
  await world.runUntil(beginMs + HOUR_MS + 10 * MINUTE_MS);
  expect([world.unproven(), world.letters, world.waiting]).toEqual([[], [], []]);
}, 120_000);

describe("the figures find a bridge that", () => {
  const small = { keys: 100, hours: 6 };
  const asWaited = (state: PushState) => state.next === "wait" || state.result === "waiting";

  test("holds (without a mutation)", async () => {
    const { requestsWhileDown, ...figures } = await outage(small);
    expect(figures).toMatchObject({ letters: 0, unprovenAfter30Minutes: 0 });
    expect(requestsWhileDown).toBeLessThanOrEqual(6 * 60 + 60);
  });

  test("counts waits as failures", async () => {
    let waits = 0;
    const after = (state: PushState): PushState =>
      asWaited(state) && ++waits > 50 ? { ...state, next: "park", waitSeconds: undefined, reason: "counted" } : state;
    expect((await outage({ ...small, sabotage: { after } })).letters).toBeGreaterThan(0);
  });

  test("asks for every key again and again", async () => {
    const pusher: OutageSabotage["pusher"] = (deps) => ({
      ...deps,
      // It never opens.
      breaker: Object.assign(new Breaker({ outage: { isEmpty: async () => true }, clock: deps.clock }), {
        failed: () => undefined,
      }),
    });
    expect((await outage({ ...small, sabotage: { pusher } })).requestsWhileDown).toBeGreaterThan(6 * 60 + 60);
  });

  test("loses a key between the end of its execution and the queue", async () => {
    let held = 0;
    const pusher: OutageSabotage["pusher"] = (deps) => ({
      ...deps,
      outage: {
        isEmpty: () => deps.outage.isEmpty(),
        receive: () => deps.outage.receive(),
        remove: (messages) => deps.outage.remove(messages),
        add: async (looks) => (++held % 10 === 0 ? undefined : await deps.outage.add(looks)),
      },
    });
    expect((await outage({ ...small, sabotage: { pusher } })).unprovenAfter30Minutes).toBeGreaterThan(0);
  });
});
