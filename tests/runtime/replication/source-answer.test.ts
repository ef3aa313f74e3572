import { PassThrough, Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SourceBody } from "../../../runtime/replication/source-answer";
import { isBridgeError } from "../../../runtime/stores/errors";
import { readAll } from "../../../runtime/stores/read-all";

async function failure(body: Readable): Promise<unknown> {
  return readAll(body, 1000).then(
    () => "no failure",
    (error: unknown) => error,
  );
}

test("passes on exactly the announced bytes", async () => {
  const from = Readable.from([Buffer.from("he"), Buffer.from("llo")], { objectMode: false });
  expect(String(await readAll(new SourceBody(from, 5), 100))).toBe("hello");
});

test.each([
  [4, /sent more than 4 bytes/],
  [6, /ended after 5 of 6 bytes/],
])("5 bytes where %i were announced", async (expected, message) => {
  const from = Readable.from([Buffer.from("he"), Buffer.from("llo")], { objectMode: false });
  const error = await failure(new SourceBody(from, expected));
  expect(isBridgeError(error, "Unavailable")).toBe(true);
  expect(String(error)).toMatch(message);
});

test("a stream that breaks keeps its cause", async () => {
  const from = new PassThrough();
  const body = new SourceBody(from, 10);
  from.write("hello");
  const cause = new Error("socket hang up");
  const failing = failure(body);
  from.destroy(cause);
  expect(await failing).toMatchObject({ kind: "Unavailable", cause });
});

test("a stream that breaks before it is read does not end the process, and its reader gets the error", async () => {
  const from = new PassThrough();
  const body = new SourceBody(from, 10);
  from.destroy(new Error("socket hang up"));
  await nextTurn();
  expect(await failure(body)).toMatchObject({ kind: "Unavailable" });
});

test("a stream that closes early is an error", async () => {
  const from = new PassThrough();
  const failing = failure(new SourceBody(from, 10));
  from.destroy();
  expect(String(await failing)).toMatch(/closed after 0 of 10 bytes/);
});

test("a slow reader holds the sender back", async () => {
  const from = new PassThrough({ highWaterMark: 1024 });
  const body = new SourceBody(from, 2_000_000);
  body.read(0);
  let accepted = 0;
  const chunk = Buffer.alloc(64 * 1024);
  for (let turn = 0; turn < 100; turn++) {
    if (!from.writableNeedDrain) {
      from.write(chunk);
      accepted += chunk.length;
    }
    await new Promise(setImmediate);
  }
  expect(accepted).toBeGreaterThanOrEqual(256 * 1024);
  expect(accepted).toBeLessThan(512 * 1024);
  body.destroy();
});

test("destroying it destroys what it reads from", () => {
  const from = new PassThrough();
  new SourceBody(from, 10).destroy();
  expect(from.destroyed).toBe(true);
});
