/** A backfill reports every failure and never counts it as done. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { BridgeError } from "../../../runtime/stores/errors";
import { CLOCK, FakeBridge, filled, nativeRaw, pullRaw, run, withFolder } from "./fixture";

/** A clock that advances by `ms` each time it is read. */
function eachTime(ms: number): () => number {
  let now = CLOCK.now();
  return () => (now += ms);
}

test("reports refusals with their reasons and exits with 1; archived objects are listed apart", () =>
  withFolder(async (folder) => {
    const bridge = new FakeBridge(nativeRaw());
    for (const key of ["archived", "denied", "fine", "gone"]) await bridge.put(key);
    const { touch } = bridge.from;
    bridge.from.touch = async (key, options) => {
      if (key === "archived")
        throw new BridgeError("Unsupported", "touch", "S3 answered touch with InvalidObjectState (HTTP 403)");
      if (key === "denied") throw new BridgeError("PermissionDenied", "touch", "S3 answered touch with AccessDenied (HTTP 403)");
      if (key === "gone") await bridge.from.delete(key);
      return touch(key, options);
    };
    const { exitCode, printed, noted } = await run(bridge, { checkpoint: join(folder, "c.json"), json: true });
    expect(exitCode).toBe(1);
    expect(JSON.parse(printed[0] ?? "")).toMatchObject({
      ended: "complete",
      counts: { due: { objects: 1 }, archived: { objects: 1 }, failed: { objects: 1 }, gone: { objects: 1 } },
      failed: [{ key: "denied", reason: "S3 answered touch with AccessDenied (HTTP 403)" }],
    });
    expect(noted).toContain("  archived: S3 answered touch with InvalidObjectState (HTTP 403)");
  }));

test("escapes control characters in keys and reasons", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    const bridge = await filled(nativeRaw(), 1);
    await bridge.put("\u001b[2J");
    const { touch } = bridge.from;
    bridge.from.touch = async (key, options) => {
      if (key === "\u001b[2J") throw new BridgeError("PermissionDenied", "touch", "refused \u001b[31m");
      return touch(key, options);
    };
    const { noted, printed } = await run(bridge, { checkpoint });
    expect(noted).toContain('  "\\u001b[2J": refused \\u{1b}[31m');
    expect([...noted, ...printed].join("")).not.toContain("\u001b");
    const { printed: json } = await run(bridge, { checkpoint, json: true });
    expect(JSON.parse(json[0] ?? "")).toMatchObject({ failed: [{ key: "\u001b[2J", reason: "refused \u001b[31m" }] });
  }));

test("escapes control characters in the keys at which a run resumes and stops", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    const bridge = new FakeBridge(pullRaw());
    for (const key of ["\u001b[1J", "\u001b[2J"]) await bridge.put(key);
    const { noted } = await run(bridge, { checkpoint, maxBytes: 1, deps: { now: eachTime(10_000) } });
    expect(noted.some((line) => line.includes('up to "\\u001b[1J", '))).toBe(true);
    expect(noted.at(-1)).toMatch(/^stopped before "\\u001b\[2J" /);
    expect((await run(bridge, { checkpoint })).noted).toContainEqual(expect.stringMatching(/^going on after "\\u001b\[1J", /));
  }));

test("stops when every object is refused, keeps the checkpoint, and is not complete", () =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    const bridge = await filled(pullRaw(), 1100);
    bridge.to.head = () => Promise.reject(new BridgeError("PermissionDenied", "head", "S3 answered head\u001b with 403"));
    await expect(run(bridge, { checkpoint })).rejects.toThrow(
      /1000 objects were refused.*\n {2}data\/00000: S3 answered head\\u\{1b\} with 403/,
    );
    expect(bridge.enqueued).toEqual([]);
    expect(existsSync(checkpoint)).toBe(false);
  }));

test.each([
  ["without the right to list", 0],
  ["when the listing breaks off after two pages", 2000],
])("%s the run ends with the error, and counts only objects that were listed", (_name, until) =>
  withFolder(async (folder) => {
    const checkpoint = join(folder, "c.json");
    const bridge = await filled(pullRaw(), 3000);
    const { list } = bridge.from;
    bridge.from.list = async function* (prefix, options) {
      let left = until;
      for await (const object of list.call(bridge.from, prefix, options)) {
        if (left-- <= 0) throw new BridgeError("PermissionDenied", "list", "S3 answered list with AccessDenied");
        yield object;
      }
    };
    await expect(run(bridge, { checkpoint, json: true })).rejects.toThrow("S3 answered list with AccessDenied");
    expect(bridge.enqueued).toHaveLength(until);
    expect(existsSync(checkpoint)).toBe(until > 0);
    bridge.from.list = list;
    expect((await run(bridge, { checkpoint })).exitCode).toBe(0);
    expect(bridge.enqueued).toHaveLength(3000);
  }),
);

test("refuses a listing that is out of order, because its checkpoint would be wrong", async () => {
  const bridge = new FakeBridge(pullRaw());
  bridge.from.list = async function* () {
    for (const key of ["b\u001b", "a"]) yield { key, sizeBytes: 1, etag: "e", lastModified: new Date(0) };
  };
  await withFolder(async (folder) => {
    const message = 'not in order: a came after "b\\u001b"';
    await expect(run(bridge, { checkpoint: join(folder, "c.json") })).rejects.toThrow(message);
  });
});

test("retries retryable failures with growing pauses, and ends at others", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), 10);
    const { enqueue } = bridge;
    let failures = 3;
    bridge.enqueue = async (keys) => {
      if (failures-- > 0) throw new BridgeError("RateLimited", "enqueue", "slow down");
      await enqueue.call(bridge, keys);
    };
    const pauses: number[] = [];
    const deps = { sleep: async (ms: number) => void pauses.push(ms) };
    await run(bridge, { checkpoint: join(folder, "c.json"), deps });
    expect(bridge.enqueued).toHaveLength(10);
    expect(pauses).toEqual([375, 750, 1500]);

    failures = Number.POSITIVE_INFINITY;
    await expect(run(bridge, { checkpoint: join(folder, "c.json"), deps })).rejects.toThrow("slow down");
  }));

test("a destination that is gone ends the run before anything is handed over, also with --yes", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), 3);
    bridge.to.list = () => {
      throw new BridgeError("NoSuchBucket", "list", "S3 answered list with NoSuchBucket (HTTP 404)");
    };
    const checkpoint = join(folder, "c.json");
    await expect(run(bridge, { checkpoint, yes: true })).rejects.toMatchObject({
      name: "CannotLook",
      message: expect.stringMatching(/^the destination bucket .* NoSuchBucket .*; the bucket is gone/),
    });
    expect(bridge.enqueued).toEqual([]);
  }));
