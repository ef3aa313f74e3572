/** A verification that is killed, and one of many keys in many parts. */
import { copyFileSync, existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { setImmediate } from "node:timers/promises";
import type { FakeBridge } from "../backfill/fixture";
import { filled, keyOf, pullRaw, withFolder } from "../backfill/fixture";
import { filesIn, kindsIn, LATER, run } from "./fixture";

const COUNT = 12_000;
const EVERY = 97;
const isPlanted = (index: number) => index % EVERY === 5;
const EXPECTED = Array.from({ length: COUNT }, (_, index) => index)
  .filter(isPlanted)
  .map((index) => `missing ${keyOf(index)}`);

async function planted(): Promise<FakeBridge> {
  const bridge = await filled(pullRaw(), COUNT);
  for (let index = 0; index < COUNT; index++) if (!isPlanted(index)) await bridge.replicate(keyOf(index));
  return bridge;
}

/** Every reading of the clock is later than the next checkpoint is due. */
function ticking() {
  let nowMs = LATER.now();
  return {
    now: () => {
      nowMs += 10_000;
      return nowMs;
    },
  };
}

let bridge: FakeBridge;
beforeAll(async () => {
  bridge = await planted();
});

test.each([1, 8])("finds every difference once, with the keys in %i parts", (parallel) =>
  withFolder(async (folder) => {
    const { exitCode, printed } = await run(bridge, { folder, parallel });
    expect(exitCode).toBe(1);
    expect(printed[0]).toMatch(/^compared +12,000 /);
    expect(await kindsIn(folder)).toEqual(EXPECTED);
  }),
);

/** Kills the run after so many pages of the destination, when a checkpoint is there: what it has written then is all that stays. */
async function crash(folder: string, afterPages: number): Promise<void> {
  const controller = new AbortController();
  const { listPages } = bridge.to;
  const files = Object.values(filesIn(folder));
  let left = afterPages;
  bridge.to.listPages = async function* (prefix, options) {
    for await (const page of listPages.call(bridge.to, prefix, options)) {
      if (--left === 0) {
        while (!existsSync(filesIn(folder).checkpoint)) await setImmediate();
        for (const file of files) copyFileSync(file, `${file}.kept`);
        controller.abort(new Error("killed"));
      }
      if (left <= 0) throw new Error("killed");
      yield page;
    }
  };
  try {
    await expect(run(bridge, { folder, parallel: 4, signal: controller.signal, deps: ticking() })).rejects.toThrow("killed");
  } finally {
    bridge.to.listPages = listPages;
  }
  for (const file of files) copyFileSync(`${file}.kept`, file);
}

test.each([3, 7, 11])("a run that is killed after %i pages resumes, and finds every difference once", (pages) =>
  withFolder(async (folder) => {
    await crash(folder, pages);
    const { noted, printed } = await run(bridge, { folder, parallel: 4, deps: ticking() });
    expect(noted.some((line) => line.startsWith("resuming the run of"))).toBe(true);
    expect(printed[0]).toMatch(/^compared +12,000 /);
    expect(await kindsIn(folder)).toEqual(EXPECTED);
  }),
);

test("refuses the checkpoint of another verification, and one whose differences are lost", () =>
  withFolder(async (folder) => {
    await crash(folder, 11);
    await expect(run(bridge, { folder, prefix: "data/" })).rejects.toThrow(/is the checkpoint of another verification \(prefix/);
    await writeFile(filesIn(folder).out, "");
    await expect(run(bridge, { folder })).rejects.toThrow(/has lost differences that an earlier run found/);
  }));
