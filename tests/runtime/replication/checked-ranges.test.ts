import fc from "fast-check";
import { createCheckedRanges } from "../../../runtime/replication/checked-ranges";
import { checksumOf } from "../../../runtime/stores/checksums";

const algorithm = "CRC64NVME";

test("parts in any order, over any number of runs, combine to the checksum of the whole", async () => {
  const cases = fc
    .record({ content: fc.uint8Array({ minLength: 1, maxLength: 60 }), partSize: fc.integer({ min: 1, max: 9 }) })
    .chain(({ content, partSize }) => {
      const starts = Array.from({ length: Math.ceil(content.length / partSize) }, (_, index) => index * partSize);
      const order = fc.shuffledSubarray(starts, { minLength: starts.length });
      return fc.record({ content: fc.constant(content), partSize: fc.constant(partSize), order, runEnds: fc.nat(starts.length) });
    });
  await fc.assert(
    fc.asyncProperty(cases, async ({ content, partSize, order, runEnds }) => {
      const remember = async () => undefined;
      let checked = createCheckedRanges({ algorithm, known: [], remember });
      for (const [index, start] of order.entries()) {
        if (index === runEnds) checked = createCheckedRanges({ algorithm, known: [...checked.all()], remember });
        const bytes = content.subarray(start, start + partSize);
        const range = { start, end: start + bytes.length - 1 };
        expect(checked.covers(range)).toBe(false);
        checked.add(range, bytes);
        expect(checked.covers(range)).toBe(true);
      }
      expect(checked.all()).toEqual([{ start: 0, end: content.length - 1, value: checksumOf(algorithm, content).value }]);
    }),
  );
});

test("stores its ranges after enough new bytes, and at the end only when there are new ones", async () => {
  const remember = jest.fn(async () => undefined);
  const checked = createCheckedRanges({ algorithm, known: [], remember });
  for (let start = 0; start < 15; start++) checked.add({ start, end: start }, Buffer.from("x"));
  await checked.rememberSometimes();
  expect(remember).not.toHaveBeenCalled();
  checked.add({ start: 15, end: 15 }, Buffer.from("x"));
  await checked.rememberSometimes();
  await checked.rememberSometimes();
  await checked.remember();
  expect(remember).toHaveBeenCalledTimes(1);
});

test("ranges that could not be stored are stored the next time", async () => {
  const remember = jest.fn(async () => undefined);
  const checked = createCheckedRanges({ algorithm, known: [], remember });
  checked.add({ start: 0, end: 0 }, Buffer.from("x"));
  remember.mockRejectedValueOnce(new Error("no answer"));
  await expect(checked.remember()).rejects.toThrow("no answer");
  await checked.remember();
  await checked.remember();
  expect(remember).toHaveBeenCalledTimes(2);
});
