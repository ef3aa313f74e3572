import { once } from "node:events";
import { PassThrough, Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { WatchedBody, type Watcher } from "../../../runtime/replication/watched-body";
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
  expect(String(await readAll(new WatchedBody(from, 5), 100))).toBe("hello");
});

test.each([
  [4, /sent more than 4 bytes/],
  [6, /ended after 5 of 6 bytes/],
])("5 bytes where %i were announced", async (expected, message) => {
  const from = Readable.from([Buffer.from("he"), Buffer.from("llo")], { objectMode: false });
  const error = await failure(new WatchedBody(from, expected));
  expect(isBridgeError(error, "Unavailable")).toBe(true);
  expect(String(error)).toMatch(message);
});

test("a stream that breaks keeps its cause", async () => {
  const from = new PassThrough();
  const body = new WatchedBody(from, 10);
  from.write("hello");
  const cause = new Error("socket hang up");
  const failing = failure(body);
  from.destroy(cause);
  expect(await failing).toMatchObject({ kind: "Unavailable", cause });
});

test("a stream that breaks before it is read does not end the process, and its reader gets the error", async () => {
  const from = new PassThrough();
  const body = new WatchedBody(from, 10);
  from.destroy(new Error("socket hang up"));
  await nextTurn();
  expect(await failure(body)).toMatchObject({ kind: "Unavailable" });
});

test("a stream that closes early is an error", async () => {
  const from = new PassThrough();
  const failing = failure(new WatchedBody(from, 10));
  from.destroy();
  expect(String(await failing)).toMatch(/closed after 0 of 10 bytes/);
});

test("a slow reader holds the sender back", async () => {
  const from = new PassThrough({ highWaterMark: 1024 });
  const body = new WatchedBody(from, 2_000_000);
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
  expect(accepted).toBeGreaterThanOrEqual(64 * 1024);
  expect(accepted).toBeLessThan(256 * 1024);
  body.destroy();
});

test("destroying it destroys what it reads from", () => {
  const from = new PassThrough();
  new WatchedBody(from, 10).destroy();
  expect(from.destroyed).toBe(true);
});

describe("a watcher", () => {
  const pieces = () => Readable.from([Buffer.from("ab"), Buffer.from("cd"), Buffer.from("e")], { objectMode: false });

  test("sees every piece, and the end once", async () => {
    const seen: string[] = [];
    const body = new WatchedBody(pieces(), 5).watch({
      onPiece: (piece) => void seen.push(String(piece)),
      onEnd: () => void seen.push("end"),
      onBroken: () => void seen.push("broken"),
    });
    expect(String(await readAll(body, 100))).toBe("abcde");
    body.destroy();
    expect(seen).toEqual(["ab", "cd", "e", "end"]);
    expect(body.failure).toBeUndefined();
  });

  test("holds a piece and those after it back until its promise resolves", async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const asked: boolean[] = [];
    const body = new WatchedBody(pieces(), 5).watch({
      guard: (isLast) => {
        asked.push(isLast);
        return isLast ? held : undefined;
      },
    });
    let text = "";
    body.on("data", (piece: Buffer) => {
      text += String(piece);
    });
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect([text, body.readableEnded]).toEqual(["abcd", false]);
    const ended = once(body, "end");
    release();
    await ended;
    expect(text).toBe("abcde");
    expect(asked).toEqual([false, false, true]);
  });

  test.each<[string, Watcher]>([
    [
      "throws",
      {
        onPiece: () => {
          throw new Error("enough");
        },
      },
    ],
    ["refuses a piece later", { guard: () => Promise.reject(new Error("enough")) }],
  ])("that %s ends the body, and the body below", async (_how, watcher) => {
    const from = pieces();
    const ends: string[] = [];
    const body = new WatchedBody(from, 5).watch({
      ...watcher,
      onEnd: () => void ends.push("end"),
      onBroken: () => void ends.push("broken"),
    });
    await expect(readAll(body, 100)).rejects.toThrow("enough");
    expect(body.failure).toMatchObject({ message: "enough" });
    expect(from.destroyed).toBe(true);
    expect(ends).toEqual(["broken", "end"]);
  });

  test("a reader that gives the body up is no failure of the body", () => {
    const body = new WatchedBody(pieces(), 5).watch({});
    body.destroy();
    expect(body.failure).toBeUndefined();
  });
});
