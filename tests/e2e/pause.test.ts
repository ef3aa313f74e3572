/** `pause` and `resume` where events invoke functions at once: they wait in the work queue, over ticks, and all of them arrive after the resume. */
import { ends } from "../../local/cli/ends";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import type { OperatedBridge } from "../../operator/operated-bridge";
import { registerPause } from "../../operator/pause/command";
import { registerStatus } from "../../operator/status/command";
import { arrives, openPairEnd, type PairEnd } from "./pairs/pair-end";
import { openBridge, runBridge } from "./support/bridge-command";
import { eventually } from "./support/eventually";
import { START_MS, started } from "./support/stack";

const ARRIVE_MS = 120_000;
/** A tick comes once in a real minute, or once in this time where AWS's schedule is faster. */
const TICK_MS = 100_000;
const KEYS = Array.from({ length: 12 }, (_, index) => `while-paused/${index}`);

describe.each(["oss-pull", "oss-accelerated", "minimal"])("%s", (stack) => {
  let local: LocalStack | undefined;
  let bridge: OperatedBridge;
  let [source, destination]: PairEnd[] = [];

  beforeAll(async () => {
    local = await startLocalStack({ stack, scheduleMinuteMs: 5_000 });
    const both = ends(local);
    source = openPairEnd(both.source);
    destination = openPairEnd(both.destination);
    bridge = await openBridge(local, stack);
  }, START_MS);
  afterAll(async () => {
    source?.close();
    destination?.close();
    await bridge?.close();
    await local?.stop();
  }, START_MS);

  const at = () => ({ from: started(source), to: started(destination) });
  const command = (name: "pause" | "resume") =>
    eventually(
      async () => {
        const run = await runBridge(registerPause, started(local), stack, [name]);
        expect(run).toMatchObject({ exitCode: 0 });
        return run.printed;
      },
      { deadlineMs: 60_000, what: `${name} has changed every way` },
    );

  test(
    "objects that are written while it is paused wait, and arrive after the resume",
    async () => {
      const { from, to } = at();
      await from.put("before", Buffer.from("1"));
      await arrives(from, to, "before", ARRIVE_MS);
      const closed = await command("pause");
      expect(closed.length).toBeGreaterThan(0);
      expect(closed.every((line) => line.startsWith("closed"))).toBe(true);

      await Promise.all(KEYS.map((key) => from.put(key, Buffer.from(key))));
      await eventually(async () => expect(await bridge.queued()).toBe(KEYS.length), {
        deadlineMs: ARRIVE_MS,
        what: "every key is in the work queue",
      });
      await ticked(started(local), stack);
      expect(await bridge.queued()).toBe(KEYS.length);
      expect(await Promise.all(KEYS.map((key) => to.look(key)))).toEqual(KEYS.map(() => undefined));
      const { printed } = await runBridge(registerStatus, started(local), stack, ["status", KEYS[0] ?? ""]);
      expect(printed[0]).toMatch(/^PENDING .*the bridge is paused/);

      expect((await command("resume")).every((line) => line.startsWith("open"))).toBe(true);
      await Promise.all(KEYS.map((key) => arrives(from, to, key, ARRIVE_MS)));
      await eventually(async () => expect(await bridge.queued()).toBe(0), {
        deadlineMs: ARRIVE_MS,
        what: "the work queue is empty",
      });
      expect((await bridge.deadLetters({ limit: 10 })).letters).toEqual([]);
    },
    5 * ARRIVE_MS,
  );
});

/** Waits for a tick of the timer. In AWS the pause switches it off, so nothing is to wait for. */
async function ticked({ clouds, settings }: LocalStack, stack: string): Promise<void> {
  const { cloud, region } = settings["crossborderbridge:source"] as { cloud: string; region: string };
  if (cloud !== "alicloud") return;
  const names = ["sender", "pusher"].map((role) => `crossborderbridge-${stack}-${role}`);
  const ticks = () =>
    names.flatMap((name) => clouds.alicloud.fc.logs(region, name)).filter((line) => line.includes("the tick does nothing"));
  await eventually(async () => expect(ticks().length).toBeGreaterThan(0), { deadlineMs: TICK_MS, what: "a tick came" });
}
