import fc from "fast-check";
import { forEachBounded } from "../../operator/concurrency";

async function* numbers(count: number, onTaken: (index: number) => void = () => undefined) {
  for (let index = 0; index < count; index++) {
    onTaken(index);
    yield index;
  }
}

test("runs every item once, never more than the limit at once, and reads no item early", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(50), fc.integer({ min: 1, max: 8 }), fc.scheduler(), async (count, limit, scheduler) => {
      const done: number[] = [];
      let running = 0;
      let most = 0;
      let taken = 0;
      const all = forEachBounded(
        numbers(count, () => (taken += 1)),
        { limit },
        async (index) => {
          running += 1;
          most = Math.max(most, running);
          expect(taken - done.length).toBeLessThanOrEqual(limit);
          await scheduler.schedule(Promise.resolve());
          running -= 1;
          done.push(index);
        },
      );
      await scheduler.waitFor(all);
      expect([...done].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
      expect(most).toBeLessThanOrEqual(limit);
    }),
  );
});

test("after a failure starts nothing, waits for running work, and rejects with the failure", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (index: number) => {
    begun.push(index);
    await Promise.resolve();
    if (index === 1) throw new Error("the second");
    await new Promise(setImmediate);
    ended.push(index);
  };
  await expect(forEachBounded(numbers(100), { limit: 3 }, work)).rejects.toThrow("the second");
  expect(begun.length).toBeLessThan(6);
  expect(ended).toEqual(begun.filter((index) => index !== 1));
});

test("does not start an item that was requested before a failure and arrives after it", async () => {
  const begun: number[] = [];
  async function* slow() {
    yield 0;
    await new Promise(setImmediate);
    yield 1;
  }
  const work = async (index: number) => {
    begun.push(index);
    await Promise.resolve();
    throw new Error(`no. ${index}`);
  };
  await expect(forEachBounded(slow(), { limit: 3 }, work)).rejects.toThrow("no. 0");
  expect(begun).toEqual([0]);
});

test("rejects when the listing fails, after running work has ended", async () => {
  async function* broken() {
    yield 1;
    throw new Error("no more pages");
  }
  let ended = false;
  const work = async () => {
    await new Promise(setImmediate);
    ended = true;
  };
  await expect(forEachBounded(broken(), { limit: 3 }, work)).rejects.toThrow("no more pages");
  expect(ended).toBe(true);
});

test("an abort ends the run", async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const work = async (index: number) => {
    seen.push(index);
    if (index === 2) controller.abort(new Error("enough"));
  };
  await expect(forEachBounded(numbers(100), { limit: 1, signal: controller.signal }, work)).rejects.toThrow("enough");
  expect(seen).toEqual([0, 1, 2]);
});
