import fc from "fast-check";
import { forEachBounded } from "../../operator/concurrency";

async function* numbers(count: number, onTaken: (index: number) => void = () => undefined) {
  for (let index = 0; index < count; index++) {
    onTaken(index);
    yield index;
  }
}

test("every one once, never more than the limit at once, and no more taken than are at work", async () => {
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

test("after a failure nothing is begun, what runs is waited for, and the failure is told", async () => {
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

test("what comes after a failure is not begun, though it was asked for before", async () => {
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

test("a listing that fails is a failure, and what runs is waited for", async () => {
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

test("an abort ends it", async () => {
  const controller = new AbortController();
  const seen: number[] = [];
  const work = async (index: number) => {
    seen.push(index);
    if (index === 2) controller.abort(new Error("enough"));
  };
  await expect(forEachBounded(numbers(100), { limit: 1, signal: controller.signal }, work)).rejects.toThrow("enough");
  expect(seen).toEqual([0, 1, 2]);
});
