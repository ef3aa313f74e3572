import fc from "fast-check";
import type { ByteRange } from "../../../runtime/protocol/ports";
import { type CheckedRanges, createCheckedRanges } from "../../../runtime/replication/checked-ranges";
import type { CheckedRange } from "../../../runtime/replication/lease";
import { checksumOf } from "../../../runtime/stores/checksums";

const algorithm = "CRC64NVME";
const { signal } = new AbortController();

/** A part whose bytes arrive in two pieces. */
async function add(checked: CheckedRanges, range: ByteRange, bytes: Uint8Array, ends = signal): Promise<void> {
  const part = checked.part(range);
  const half = Math.ceil(bytes.length / 2);
  part.update(bytes.subarray(0, half));
  part.update(bytes.subarray(half));
  await part.add(ends);
}

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
      let known: CheckedRange[] = [];
      const remember = async (ranges: CheckedRange[]) => {
        known = ranges;
      };
      const sent = "CRC32" as const;
      let checked = createCheckedRanges({ algorithm, sent, known, remember });
      for (const [index, start] of order.entries()) {
        await checked.remember();
        if (index === runEnds) checked = createCheckedRanges({ algorithm, sent, known, remember });
        const bytes = content.subarray(start, start + partSize);
        const range = { start, end: start + bytes.length - 1 };
        expect(checked.covers(range)).toBe(false);
        await add(checked, range, bytes);
        expect(checked.covers(range)).toBe(true);
      }
      await checked.remember();
      const [value, sentValue] = [checksumOf(algorithm, content).value, checksumOf(sent, content).value];
      expect(known).toEqual([{ start: 0, end: content.length - 1, value, sent: sentValue }]);
      expect([checked.whole(), checked.wholeSent()]).toEqual([value, sentValue]);
    }),
  );
});

test("stores its ranges after enough new bytes, and at the end only when there are new ones", async () => {
  const remember = jest.fn(async () => undefined);
  const checked = createCheckedRanges({ algorithm, known: [], remember });
  for (let start = 0; start < 15; start++) await add(checked, { start, end: start }, Buffer.from("x"));
  await checked.rememberSometimes();
  expect(remember).not.toHaveBeenCalled();
  await add(checked, { start: 15, end: 15 }, Buffer.from("x"));
  await checked.rememberSometimes();
  await checked.rememberSometimes();
  await checked.remember();
  expect(remember).toHaveBeenCalledTimes(1);
});

test("ranges that could not be stored are stored the next time", async () => {
  const remember = jest.fn(async () => undefined);
  const checked = createCheckedRanges({ algorithm, known: [], remember });
  await add(checked, { start: 0, end: 0 }, Buffer.from("x"));
  remember.mockRejectedValueOnce(new Error("no answer"));
  await expect(checked.remember()).rejects.toThrow("no answer");
  await checked.remember();
  await checked.remember();
  expect(remember).toHaveBeenCalledTimes(2);
});

describe.each(["SHA1", "SHA256"] as const)("%s", (sha) => {
  const content = Buffer.from("abcdefghijklmnopqrstuvwxyz");
  const part = (index: number) => {
    const bytes = content.subarray(index * 4, index * 4 + 4);
    return [{ start: index * 4, end: index * 4 + bytes.length - 1 }, bytes] as const;
  };

  test("parts that arrive in another order are hashed in the order of the object, over two runs", async () => {
    let known: CheckedRange[] = [];
    const remember = async (ranges: CheckedRange[]) => {
      known = ranges;
    };
    const sent = "CRC64NVME" as const;
    const first = createCheckedRanges({ algorithm: sha, sent, known, remember });
    const ended: number[] = [];
    await Promise.all(
      [2, 0, 3, 1].map(async (index) => {
        await add(first, ...part(index));
        ended.push(index);
      }),
    );
    expect(ended).toEqual([0, 1, 2, 3]);
    expect(first.whole()).toBe(checksumOf(sha, content.subarray(0, 16)).value);
    await first.remember();
    expect(known).toMatchObject([{ start: 0, end: 15 }]);
    const second = createCheckedRanges({ algorithm: sha, sent, known, remember });
    expect([3, 4].map((index) => second.covers(part(index)[0]))).toEqual([true, false]);
    for (const index of [4, 5, 6]) await add(second, ...part(index));
    expect(second.whole()).toBe(checksumOf(sha, content).value);
    expect(second.wholeSent()).toBe(checksumOf(sent, content).value);
  });

  test("a part whose turn never comes ends with the run", async () => {
    const run = new AbortController();
    const remember = jest.fn(async () => undefined);
    const checked = createCheckedRanges({ algorithm: sha, known: [], remember });
    const [range, bytes] = part(1);
    const waiting = add(checked, range, bytes, run.signal);
    run.abort(new Error("the run ends"));
    await expect(waiting).rejects.toThrow("the run ends");
    await expect(add(checked, range, bytes, run.signal)).rejects.toThrow("the run ends");
    await checked.remember();
    expect(remember).not.toHaveBeenCalled();
  });
});
