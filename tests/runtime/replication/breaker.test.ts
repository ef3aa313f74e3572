import { Breaker, releaseHeld } from "../../../runtime/replication/breaker";
import { VirtualTime } from "../../support/virtual-time";
import { MemoryOutageQueue } from "../support/outage-queue";

function open() {
  const clock = new VirtualTime();
  const outage = new MemoryOutageQueue(clock);
  return { clock, outage, breaker: new Breaker({ outage, clock }) };
}
const fail = (breaker: Breaker, times: number) => {
  for (let time = 0; time < times; time++) breaker.failed("down");
};
const look = (key: string) => ({ key, failures: 0, firstSeenMs: 0 });

test("opens with the third failure in a row, with its reason", async () => {
  const { breaker } = open();
  fail(breaker, 2);
  expect(await breaker.isOpen()).toBe(false);
  breaker.failed("no answer");
  expect([await breaker.isOpen(), breaker.hasOpened, breaker.reason]).toEqual([true, true, "no answer"]);
});

test("a success between the failures, or a minute without one, begins a new row", () => {
  const { breaker, clock } = open();
  fail(breaker, 2);
  breaker.succeeded();
  fail(breaker, 2);
  expect(breaker.hasOpened).toBe(false);
  clock.advance(60_000);
  fail(breaker, 2);
  expect(breaker.hasOpened).toBe(false);
});

test("forgets what it saw itself after a minute: then the outage queue decides", async () => {
  const { breaker, clock, outage } = open();
  fail(breaker, 3);
  clock.advance(60_000);
  expect(await breaker.isOpen()).toBe(false);
  await outage.add([look("k")]);
  clock.advance(10_000);
  expect(await breaker.isOpen()).toBe(true);
});

test("asks the outage queue at most every ten seconds, and not at all after a fresh success", async () => {
  const { breaker, clock, outage } = open();
  for (let second = 0; second < 20; second++) {
    await breaker.isOpen();
    clock.advance(1_000);
  }
  expect(outage.calls.isEmpty).toBe(2);
  breaker.succeeded();
  await outage.add([look("k")]);
  expect(await breaker.isOpen()).toBe(false);
  clock.advance(30_000);
  expect(await breaker.isOpen()).toBe(true);
});

test.each([
  ["failed", true],
  ["succeeded", false],
] as const)("half open, one request decides: %s", (outcome, opened) => {
  const { breaker } = open();
  breaker.halfOpen();
  expect([breaker.probe, breaker.hasOpened]).toEqual(["unknown", false]);
  if (outcome === "failed") breaker.failed("down");
  else breaker.succeeded();
  expect([breaker.probe, breaker.hasOpened]).toEqual([outcome, opened]);
});

describe("releasing held keys", () => {
  test("stores each key before it removes it, and empties the queue", async () => {
    const { outage } = open();
    await outage.add(Array.from({ length: 95 }, (_, index) => look(`k${index}`)));
    const released: string[] = [];
    const count = await releaseHeld({
      outage,
      release: async (looks) => {
        for (const { key } of looks) expect(outage.keys).toContain(key);
        released.push(...looks.map(({ key }) => key));
      },
      deadline: { remainingMs: () => 60_000 },
    });
    expect([count, released.length, new Set(released).size, outage.keys]).toEqual([95, 95, 95, []]);
  });

  test("stops before the invocation ends, and loses nothing when a key cannot be stored", async () => {
    const { outage } = open();
    await outage.add([look("k")]);
    expect(await releaseHeld({ outage, release: async () => undefined, deadline: { remainingMs: () => 5_000 } })).toBe(0);
    const release = async () => {
      throw new Error("no queue");
    };
    await expect(releaseHeld({ outage, release, deadline: { remainingMs: () => 60_000 } })).rejects.toThrow("no queue");
    expect(outage.keys).toEqual(["k"]);
  });
});
