import { BridgeError } from "../../../../runtime/stores/errors";
import { openPusher } from "../push-fixture";

const down = async () => {
  throw new BridgeError("Unavailable", "head", "the store does not answer");
};

describe("the tick", () => {
  test.each(["Unavailable", "HostRefused"] as const)(
    "asks a destination that is %s once a minute, and keeps the keys",
    async (kind) => {
      let asked = 0;
      const { tick, outage, started, clock, counted } = openPusher({
        destination: {
          head: async () => {
            asked += 1;
            throw new BridgeError(kind, "head", "the store does not answer");
          },
        },
      });
      await outage.add(Array.from({ length: 30 }, (_, index) => ({ key: `${index}`, firstSeenMs: clock.now(), failures: 0 })));
      for (let minute = 0; minute < 10; minute++) {
        clock.advance(61_000);
        await tick();
      }
      expect([asked, outage.messages.length, started]).toEqual([10, 30, []]);
      expect(counted.BreakerOpen).toBe(10);
    },
  );

  test("starts every key when the destination answers; each is tried although the queue is not empty yet", async () => {
    const { tick, outage, started, clock, put, first, stateAt } = openPusher();
    await put("hello");
    await outage.add(
      Array.from({ length: 50 }, (_, index) => ({ key: `${index}`, firstSeenMs: clock.now(), failures: 1, waits: 9 })),
    );
    await tick();
    expect(started.map(({ key }) => key).sort()).toEqual(Array.from({ length: 50 }, (_, index) => `${index}`).sort());
    expect(started.every(({ released, failures, waits }) => released === true && failures === 1 && waits === 0)).toBe(true);
    expect(outage.messages).toEqual([]);
    const other = openPusher();
    await other.put("hello");
    await other.outage.add([{ key: "b.txt", firstSeenMs: 0, failures: 0 }]);
    expect((await other.first(other.stateAt("inspect"))).result).toBe("waiting");
    expect((await other.first(other.stateAt("inspect", { released: true }))).result).toBe("replicated");
    expect((await first(stateAt("inspect"))).result).toBe("replicated");
  });

  test("parks keys that are too old, with the reason, and asks for one that is not", async () => {
    const { tick, outage, parked, clock } = openPusher({ destination: { head: down } });
    const last = { reason: "no answer", place: "destination", store: "d", atMs: 1 } as const;
    const old = Array.from({ length: 25 }, (_, index) => ({ key: `old${index}`, firstSeenMs: 0, failures: 0, last }));
    await outage.add([...old, { key: "young", firstSeenMs: clock.now(), failures: 0 }]);
    await tick();
    expect(parked).toHaveLength(25);
    expect(parked[0]?.reason).toMatch(/^given up after \d+ hours of waiting, the last reason at the destination: no answer$/);
    expect(outage.keys).toEqual(["young"]);
  });

  test("does nothing without keys, and never rejects", async () => {
    const { tick, outage, counted, logger, destination } = openPusher();
    await tick();
    expect([counted, destination.calls]).toEqual([{ BreakerOpen: 0 }, {}]);
    outage.receive = async () => {
      throw new BridgeError("Unavailable", "receive", "no answer");
    };
    await tick();
    expect(logger.lines.at(-1)).toMatchObject({ level: "error", message: "the tick failed" });
  });
});
