import { ByteLimit } from "../../../runtime/replication/byte-limit";

/** Work that ends when the test says so. */
function held(limit: ByteLimit) {
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const run = (bytes: number) =>
    limit.run(bytes, () => {
      begun.push(bytes);
      return new Promise<void>((resolve) => ends.push(resolve));
    });
  return { begun, ends, run };
}
const turn = () => new Promise(setImmediate);

test("work begins at once while its bytes fit", async () => {
  const { begun, run } = held(new ByteLimit(10));
  for (const bytes of [4, 4, 2, 1]) void run(bytes);
  await turn();
  expect(begun).toEqual([4, 4, 2]);
});

test("waiting work begins in its order: small work does not overtake large work", async () => {
  const { begun, ends, run } = held(new ByteLimit(10));
  for (const bytes of [6, 8, 1]) void run(bytes);
  await turn();
  expect(begun).toEqual([6]);
  ends[0]?.();
  await turn();
  expect(begun).toEqual([6, 8, 1]);
});

test("work above the limit runs alone", async () => {
  const { begun, ends, run } = held(new ByteLimit(10));
  for (const bytes of [1, 100, 1]) void run(bytes);
  await turn();
  expect(begun).toEqual([1]);
  ends[0]?.();
  await turn();
  expect(begun).toEqual([1, 100]);
  ends[1]?.();
  await turn();
  expect(begun).toEqual([1, 100, 1]);
});

test("failed work makes room, and its error is passed on", async () => {
  const limit = new ByteLimit(1);
  await expect(limit.run(1, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await limit.run(1, async () => "next")).toBe("next");
});

test("what is free counts the work that waits as well", async () => {
  const limit = new ByteLimit(10);
  const { ends, run } = held(limit);
  const all = [run(6), run(8)];
  await turn();
  expect(limit.freeBytes).toBe(0);
  ends[0]?.();
  await turn();
  expect(limit.freeBytes).toBe(2);
  ends[1]?.();
  await Promise.all(all);
  expect(limit.freeBytes).toBe(10);
});
