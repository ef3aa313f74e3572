import type { FunctionLog, LogLine } from "../../../operator/operated-bridge";
import { LogTail, Remembered } from "../../../operator/overview/remembered";

const line = (atMs: number, key: string): LogLine => ({ atMs, level: "info", message: "notice", fields: { key } });
const keys = ({ lines }: FunctionLog) => lines.map(({ fields }) => fields.key);

/** A log to which the test adds lines. It remembers since when it was asked. */
function logOf(held: LogLine[]) {
  const asked: number[] = [];
  let complete = true;
  return {
    asked,
    set complete(value: boolean) {
      complete = value;
    },
    read: async ({ sinceMs }: { sinceMs: number }): Promise<FunctionLog> => {
      asked.push(sinceMs);
      return { lines: held.filter(({ atMs }) => atMs >= sinceMs), complete };
    },
  };
}

test("reads only what is newer than the last look, with a minute for lines that come late", async () => {
  const held = [line(100_000, "a"), line(200_000, "b")];
  const log = logOf(held);
  let now = 300_000;
  const tail = new LogTail(log.read, () => now);
  expect(keys(await tail.read({ sinceMs: 0, limit: 10 }))).toEqual(["a", "b"]);
  held.push(line(250_000, "late"), line(310_000, "c"));
  now = 320_000;
  expect(keys(await tail.read({ sinceMs: 150_000, limit: 10 }))).toEqual(["b", "late", "c"]);
  expect(log.asked).toEqual([0, 240_000]);
});

test("after a look that was not complete it reads everything again", async () => {
  const log = logOf([line(1_000, "a")]);
  const tail = new LogTail(log.read, () => 200_000);
  log.complete = false;
  expect(await tail.read({ sinceMs: 0, limit: 10 })).toMatchObject({ complete: false });
  log.complete = true;
  expect(await tail.read({ sinceMs: 0, limit: 10 })).toMatchObject({ complete: true });
  expect(log.asked).toEqual([0, 0]);
});

test("keeps the newest lines up to the limit", async () => {
  const log = logOf([line(1, "a"), line(2, "b"), line(3, "c")]);
  const tail = new LogTail(log.read, () => 10);
  expect(keys(await tail.read({ sinceMs: 0, limit: 2 }))).toEqual(["b", "c"]);
});

test("a value is read again after its time, after a refresh, and after a failure", async () => {
  let now = 0;
  const answers = ["first", "second", "third"];
  const value = new Remembered(
    async () => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error("cannot be read");
      return answer;
    },
    () => now,
    10,
  );
  expect([await value.get(), await value.get()]).toEqual(["first", "first"]);
  now = 10;
  expect(await value.get()).toBe("second");
  value.forget();
  expect(await value.get()).toBe("third");
  value.forget();
  await expect(value.get()).rejects.toThrow("cannot be read");
  answers.push("fourth");
  expect(await value.get()).toBe("fourth");
});
