/** `pause` and `resume`. */
import { setWays } from "../../../operator/pause/command";
import { FakeBridge, nativeRaw, pullRaw } from "../backfill/fixture";
import { runOn } from "../context";

function pausable({ slow = false } = {}) {
  const bridge = new FakeBridge(pullRaw());
  const asked: boolean[] = [];
  let isOpen = true;
  bridge.ways = {
    read: async () => [
      { name: "the queue work", isOpen },
      { name: "the tick", isOpen: slow ? true : isOpen },
    ],
    set: async (wanted) => {
      asked.push(wanted);
      isOpen = wanted;
    },
  };
  return { bridge, asked };
}

test("closes every way, shows the state, and says how to go on", async () => {
  const { bridge, asked } = pausable();
  const paused = await runOn(bridge, (context) => setWays(context, false));
  expect(paused).toEqual({
    exitCode: 0,
    printed: ["closed  the queue work", "closed  the tick"],
    noted: ["the bridge is paused; go on with: npm run bridge -- resume --stack dev"],
  });
  const resumed = await runOn(bridge, (context) => setWays(context, true));
  expect(resumed).toEqual({ exitCode: 0, printed: ["open    the queue work", "open    the tick"], noted: [] });
  expect(asked).toEqual([false, true]);
});

test("a way that has not changed is a failure, and not a pause", async () => {
  const { exitCode, noted } = await runOn(pausable({ slow: true }).bridge, (context) => setWays(context, false));
  expect({ exitCode, noted }).toEqual({
    exitCode: 1,
    noted: ["not every way has changed yet: run the same command again in a minute"],
  });
});

test("--json prints the ways on one line", async () => {
  const { printed } = await runOn(pausable().bridge, (context) => setWays(context, false), { json: true });
  expect(printed.map((line) => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({ command: "pause", stack: "dev", paused: true, ways: expect.any(Array) }),
  ]);
});

test("refuses mode native, because what is written meanwhile would never be replicated", async () => {
  const bridge = new FakeBridge(nativeRaw());
  await expect(runOn(bridge, (context) => setWays(context, false))).rejects.toThrow(
    /cannot be paused: in mode native the store itself/,
  );
});
