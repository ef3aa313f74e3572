import type { TriggerSpec } from "../../src/contracts";
import { parseTimerTrigger } from "../../src/fc/timer-trigger";
import { byTimer, startTimer } from "../../src/fc/timers";
import { type FcFixture, REGION, startFixture } from "./fc-fixture";

const specOf = (cronExpression: string, more: object = {}): TriggerSpec => ({
  triggerName: "trigger",
  triggerType: "timer",
  qualifier: "LATEST",
  triggerConfig: JSON.stringify({ cronExpression, enable: true, payload: "hello", ...more }),
});

/** Time that only a test moves on. */
class Waker {
  private readonly waiting = new Set<{ dueMs: number; wake: () => void }>();
  constructor(private readonly clock: { now: number }) {}

  readonly later = (wake: () => void, delayMs: number) => {
    const entry = { dueMs: this.clock.now + delayMs, wake };
    this.waiting.add(entry);
    return () => void this.waiting.delete(entry);
  };

  get count(): number {
    return this.waiting.size;
  }

  moveTo(iso: string): void {
    const endMs = Date.parse(iso);
    for (;;) {
      const [first] = [...this.waiting].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs);
      if (first === undefined) break;
      this.waiting.delete(first);
      this.clock.now = Math.max(this.clock.now, first.dueMs);
      first.wake();
    }
    this.clock.now = endMs;
  }
}

describe("when a trigger is due", () => {
  const since = "2026-11-21T10:07:30.500Z";
  test.each([
    ["CRON_TZ=UTC 0 * * * * *", "2026-11-21T10:07:59Z", "2026-11-21T10:08:00Z"],
    ["CRON_TZ=UTC 0 */5 * * * *", "2026-11-21T10:07:00Z", "2026-11-21T10:10:00Z"],
    ["CRON_TZ=UTC 0 */5 * * * *", "2026-11-21T10:10:00Z", "2026-11-21T10:15:00Z"],
    ["CRON_TZ=UTC 0 */30 * * * *", "2026-12-31T23:45:00Z", "2027-01-01T00:00:00Z"],
    ["0 0 * * * *", "2026-11-21T10:00:00.001Z", "2026-11-21T11:00:00Z"],
    ["0 0 */6 * * *", "2026-11-21T18:00:00Z", "2026-11-22T00:00:00Z"],
    ["15 30 4 * * *", "2026-11-21T04:30:15Z", "2026-11-22T04:30:15Z"],
    ["0 0 0 * * *", "2026-11-21T00:00:01Z", "2026-11-22T00:00:00Z"],
    ["@every 4m", "2026-11-21T10:07:30.500Z", "2026-11-21T10:11:30.500Z"],
    ["@every 2h", "2026-11-21T14:07:30.500Z", "2026-11-21T16:07:30.500Z"],
  ])("%s after %s: %s", (expression, after, due) => {
    const { next } = parseTimerTrigger(specOf(expression));
    expect(new Date(next(Date.parse(after), Date.parse(since)))).toEqual(new Date(due));
  });

  test.each([
    "CRON_TZ=Asia/Shanghai 0 */5 * * * *",
    "*/5 * * * *",
    "0 0 4 1 * *",
    "0 1-5 * * * *",
    "60 * * * * *",
    "0 60 * * * *",
    "0 */0 * * * *",
    "0 0 */24 * * *",
    "0 * ? * * *",
    "@every 5s",
    "@every 0m",
    "@hourly",
    "",
  ])("%p is refused, and the message lists the supported forms", (expression) => {
    expect(() => parseTimerTrigger(specOf(expression))).toThrow(
      `trigger 'trigger': cronExpression '${expression}' is not served here: @every`,
    );
  });

  test.each([
    ["{", "triggerConfig is not JSON"],
    ['{"cronExpression":"@every 1m"}', "enable"],
    ['{"cronExpression":"@every 1m","enable":true,"input":"x"}', "input"],
  ])("%s is refused", (triggerConfig, reason) => {
    expect(() => parseTimerTrigger({ ...specOf("@every 1m"), triggerConfig })).toThrow(reason);
  });
});

describe("a timer", () => {
  const minutely = (afterMs: number) => Math.floor(afterMs / 60_000) * 60_000 + 60_000;
  const start = Date.parse("2026-11-21T10:00:30Z");

  function started(next = minutely) {
    const clock = { now: start };
    const waker = new Waker(clock);
    const fired: string[] = [];
    const stop = startTimer({
      next,
      now: () => clock.now,
      later: waker.later,
      fire: (dueMs) => fired.push(new Date(dueMs).toISOString()),
    });
    return { clock, waker, fired, stop };
  }

  test("fires once at each due time", () => {
    const { waker, fired } = started();
    waker.moveTo("2026-11-21T10:02:59Z");
    expect(fired).toEqual(["2026-11-21T10:01:00.000Z", "2026-11-21T10:02:00.000Z"]);
  });

  test("skips the times that the machine slept through", () => {
    const { clock, waker, fired } = started();
    clock.now = Date.parse("2026-11-21T12:00:10Z");
    waker.moveTo("2026-11-21T12:01:00Z");
    expect(fired).toEqual(["2026-11-21T10:01:00.000Z", "2026-11-21T12:01:00.000Z"]);
  });

  test("waits again when it wakes too early, and longer than Node.js's timers can", () => {
    const due = start + 40 * 86_400_000;
    const { waker, fired } = started((afterMs) => (afterMs < due ? due : Number.MAX_SAFE_INTEGER));
    waker.moveTo(new Date(due - 1).toISOString());
    expect(fired).toEqual([]);
    waker.moveTo(new Date(due).toISOString());
    expect(fired).toEqual([new Date(due).toISOString()]);
  });

  test("stops, also from its own callback", () => {
    const { waker, fired, stop } = started();
    stop();
    waker.moveTo("2026-11-21T11:00:00Z");
    expect([fired, waker.count]).toEqual([[], 0]);

    const clock = { now: start };
    const other = new Waker(clock);
    let calls = 0;
    const end = startTimer({
      next: minutely,
      now: () => clock.now,
      later: other.later,
      fire: () => {
        calls++;
        end();
      },
    });
    other.moveTo("2026-11-21T11:00:00Z");
    expect([calls, other.count]).toEqual([1, 0]);
  });

  test("keeps no process alive", () => {
    const refs: boolean[] = [];
    const spy = jest
      .spyOn(globalThis, "setTimeout")
      .mockImplementation(() => ({ unref: () => refs.push(false), hasRef: () => true }) as unknown as NodeJS.Timeout);
    byTimer(() => undefined, 1000);
    spy.mockRestore();
    expect(refs).toEqual([false]);
  });
});

describe("a time trigger of a function", () => {
  let fixture: FcFixture;
  let waker: Waker;
  beforeEach(async () => {
    const clock = { now: Date.parse("2026-11-21T10:00:00.500Z") };
    waker = new Waker(clock);
    fixture = await startFixture({ later: waker.later, now: () => clock.now });
    await fixture.create("timed", "exports.handler = async (event) => process.stdout.write(event.toString() + '\\n');");
  });
  afterEach(() => fixture.stop());

  async function eventsAt(iso: string): Promise<unknown[]> {
    waker.moveTo(iso);
    await fixture.fc.idle();
    const lines = fixture.fc.logs(REGION, "timed").filter((line) => line.startsWith("{"));
    return lines.map((line) => JSON.parse(line) as unknown);
  }
  const event = (triggerTime: string, payload = "hello") => ({ triggerTime, triggerName: "trigger", payload });

  test("invokes it asynchronously with the due time", async () => {
    const record = fixture.fc.createTrigger(REGION, "timed", specOf("CRON_TZ=UTC 0 */5 * * * *"));
    expect(record).toMatchObject({ functionName: "timed", triggerType: "timer", triggerId: expect.any(String) });
    expect(record.httpTrigger).toBeUndefined();
    expect(await eventsAt("2026-11-21T10:05:00Z")).toEqual([event("2026-11-21T10:05:00Z")]);
    expect(await eventsAt("2026-11-21T10:14:59Z")).toEqual([event("2026-11-21T10:05:00Z"), event("2026-11-21T10:10:00Z")]);
  });

  test("does not fire while it is disabled, and follows its configuration", async () => {
    fixture.fc.createTrigger(REGION, "timed", specOf("0 * * * * *", { enable: false }));
    expect(await eventsAt("2026-11-21T10:05:30Z")).toEqual([]);
    const { triggerConfig } = specOf("@every 2m", { payload: "changed" });
    fixture.fc.updateTrigger(REGION, "timed", "trigger", { triggerConfig });
    expect(await eventsAt("2026-11-21T10:07:30Z")).toEqual([event("2026-11-21T10:07:30Z", "changed")]);
    expect(waker.count).toBe(1);
    const odd = { triggerConfig: specOf("@never").triggerConfig };
    expect(() => fixture.fc.updateTrigger(REGION, "timed", "trigger", odd)).toThrow("is not served here");
    expect(fixture.fc.getTrigger(REGION, "timed", "trigger")?.triggerConfig).toBe(triggerConfig);
    expect(await eventsAt("2026-11-21T10:09:30Z")).toHaveLength(2);
  });

  test("ends with the trigger", () => {
    fixture.fc.createTrigger(REGION, "timed", specOf("0 * * * * *"));
    expect(waker.count).toBe(1);
    fixture.fc.deleteTrigger(REGION, "timed", "trigger");
    expect(waker.count).toBe(0);
  });

  test("ends with the cloud", async () => {
    const other = new Waker(fixture.clock);
    const { fc, create, stop } = await startFixture({ later: other.later });
    await create("timed", "exports.handler = async () => undefined;");
    fc.createTrigger(REGION, "timed", specOf("0 * * * * *"));
    expect(other.count).toBe(1);
    await stop();
    expect(other.count).toBe(0);
  });

  test("with a payload that is too large is dropped and reported", async () => {
    fixture.fc.createTrigger(REGION, "timed", specOf("0 * * * * *", { payload: "x".repeat(200_000) }));
    expect(await eventsAt("2026-11-21T10:01:00Z")).toEqual([]);
    expect(fixture.failures).toEqual([
      expect.objectContaining({ message: expect.stringContaining("the time trigger did not start acs:fc:") }),
    ]);
  });
});
