/** What a verification finds, what it does not take for a difference, and how it ends. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import type { ObjectSnapshot } from "../../../runtime/protocol/snapshot";
import { replicaMetadata } from "../../../runtime/replication/provenance";
import { takeSnapshot } from "../../../runtime/replication/snapshot";
import { BridgeError } from "../../../runtime/stores/errors";
import {
  CLOCK,
  FakeBridge,
  filled,
  keyOf,
  NO_ATTRIBUTES,
  nativeRaw,
  ossNativeRaw,
  pullRaw,
  withFolder,
} from "../backfill/fixture";
import { filesIn, findingsIn, kindsIn, run } from "./fixture";

const body = (text: string) => ({ attributes: NO_ATTRIBUTES, sizeBytes: text.length });
/** Puts an object at the destination that the bridge did not write. */
const putThere = (bridge: FakeBridge, key: string, text = "x") =>
  bridge.to.put(bridge.destination.keyPrefix + key, Buffer.from(text), body(text));

async function replicated(count: number, raw = pullRaw(), options?: { destinationPrefix?: string }): Promise<FakeBridge> {
  const bridge = options === undefined ? await filled(raw, count) : new FakeBridge(raw, options);
  for (let index = 0; index < count; index++) {
    if (options !== undefined) await bridge.put(keyOf(index));
    await bridge.replicate(keyOf(index));
  }
  return bridge;
}

test("two equal sides have no differences, and nothing is looked at or left behind", () =>
  withFolder(async (folder) => {
    const bridge = await replicated(2500);
    const heads = () => [bridge.from.calls.head, bridge.to.calls.head];
    const before = heads();
    const { exitCode, printed } = await run(bridge, { folder });
    expect(exitCode).toBe(0);
    expect(printed).toEqual(["compared      2,500  2.4 KiB", "proven equal  2,500", "no differences"]);
    expect(heads()).toEqual(before);
    expect(existsSync(filesIn(folder).checkpoint)).toBe(false);
  }));

test.each([
  ["", ""],
  [" below a destination prefix", "copies/"],
])("finds each kind of difference%s, with its reason", (_where, destinationPrefix) =>
  withFolder(async (folder) => {
    const bridge = await replicated(20, pullRaw({ deletes: "replicate" }), { destinationPrefix });
    await bridge.to.delete(`${destinationPrefix}${keyOf(1)}`);
    await bridge.put(keyOf(2), "longer than before");
    await bridge.put(keyOf(3), "y");
    await bridge.from.delete(keyOf(4));
    await putThere(bridge, "data/zzz");
    const { exitCode, printed } = await run(bridge, { folder });
    expect(exitCode).toBe(1);
    const found = await findingsIn(folder);
    expect(found.map(({ kind, key, reason }) => [kind, key, reason])).toEqual([
      ["missing", keyOf(1), "not at the destination"],
      ["different", keyOf(2), "18 bytes at the source, 1 at the destination"],
      ["different", keyOf(3), expect.stringMatching(/^the CRC64NVME of the bytes is /)],
      ["extra", keyOf(4), "the source's object was deleted, and its replica was not"],
      ["extra", "data/zzz", "not at the source, and this bridge did not write it"],
    ]);
    expect(found.at(-1)?.leftAlone).toBe(true);
    expect(printed.at(-1)).toBe("4 objects are not as they should be");
    expect(printed).toContain(`missing    ${keyOf(1)}  (not at the destination)`);
  }),
);

test("objects that only the destination has are left alone where deletes are ignored", () =>
  withFolder(async (folder) => {
    const bridge = await replicated(3, pullRaw({ deletes: "ignore" }));
    await bridge.from.delete(keyOf(1));
    const { exitCode } = await run(bridge, { folder });
    expect(exitCode).toBe(0);
    expect(await kindsIn(folder)).toEqual([`extra ${keyOf(1)} (left alone)`]);
  }));

test("an object of the other direction, an object out of scope and the bridge's own records are no differences", () =>
  withFolder(async (folder) => {
    const bridge = await replicated(3, pullRaw({ scope: { prefixes: ["data/"], tags: { ship: "yes" } } }));
    await bridge.put("other/1");
    await bridge.put("data/untagged");
    await bridge.put("data/returned");
    const snapshot = (await takeSnapshot(bridge.from, "data/returned")) as ObjectSnapshot;
    const metadata = replicaMetadata(snapshot, { bridgeId: "back", sourceId: "aws-cn:to-there" }, "data/returned");
    const attributes = { headers: {}, metadata, tags: { ship: "yes" } };
    await bridge.from.put("data/returned", Buffer.from("x"), { attributes, sizeBytes: 1 });
    await putThere(bridge, ".crossborderbridge/dev/lease");
    await putThere(bridge, "other/2");
    for (let index = 0; index < 3; index++) await bridge.from.putTags(keyOf(index), { ship: "yes" });
    const { exitCode } = await run(bridge, { folder });
    expect(await kindsIn(folder)).toEqual([]);
    expect(exitCode).toBe(0);
  }));

test("a difference of a fresh object is on its way; --grace 0 makes it a difference", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), 2);
    const justNow = { now: () => CLOCK.now() + 60_000 };
    const fresh = await run(bridge, { folder, deps: justNow });
    expect(fresh.exitCode).toBe(0);
    expect(fresh.printed.at(-1)).toMatch(/^no differences; 2 were written so shortly before/);
    const strict = await run(bridge, { folder, deps: justNow, grace: 0 });
    expect(strict.exitCode).toBe(1);
    expect(await kindsIn(folder)).toEqual([`missing ${keyOf(0)}`, `missing ${keyOf(1)}`]);
  }));

test("--prefix and --since bound what is compared", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), 3);
    await bridge.put("logs/1");
    await run(bridge, { folder, prefix: "logs/" });
    expect(await kindsIn(folder)).toEqual(["missing logs/1"]);
    const later = { text: "1m", atMs: () => CLOCK.now() + 1000 };
    const { printed } = await run(bridge, { folder, since: later });
    expect(printed[0]).toMatch(/^compared +0/);
    expect(await kindsIn(folder)).toEqual([]);
  }));

test("--json prints each difference on a line, then the summary", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), 2);
    const { printed } = await run(bridge, { folder, json: true });
    const lines = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.slice(0, 2)).toEqual([
      expect.objectContaining({ kind: "missing", key: keyOf(0), sizeBytes: 1 }),
      expect.objectContaining({ kind: "missing", key: keyOf(1) }),
    ]);
    expect(lines[2]).toMatchObject({ command: "verify", stack: "dev", faults: 2, counts: { missing: { objects: 2, bytes: 2 } } });
    expect(lines).toHaveLength(3);
  }));

test.each([
  ["source", "from"],
  ["destination", "to"],
] as const)("a listing of the %s that breaks off ends the run as an error, and reports nothing", (_side, name) =>
  withFolder(async (folder) => {
    const bridge = await replicated(1500);
    const list = bridge[name].listPages.bind(bridge[name]);
    bridge[name].listPages = async function* (prefix, options) {
      for await (const page of list(prefix, options)) {
        yield page;
        // The look at the bucket itself, which comes first, gets an empty page.
        if (page.length > 0) throw new BridgeError("PermissionDenied", "list", "AccessDenied");
      }
    };
    const printed: string[] = [];
    await expect(run(bridge, { folder }).then((ran) => printed.push(...ran.printed))).rejects.toThrow("AccessDenied");
    expect(printed).toEqual([]);
    expect(existsSync(filesIn(folder).checkpoint)).toBe(true);
  }),
);

test("a bucket that is gone ends the run before it compares anything", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), 1);
    bridge.to.list = () => {
      throw new BridgeError("NoSuchBucket", "list", "NoSuchBucket");
    };
    await expect(run(bridge, { folder })).rejects.toThrow(/the destination bucket to-there/);
    expect(existsSync(filesIn(folder).checkpoint)).toBe(false);
  }));

test("an object that cannot be looked at is unread, which is a fault", () =>
  withFolder(async (folder) => {
    const bridge = await filled(pullRaw(), 2);
    bridge.from.head = async () => {
      throw new BridgeError("PermissionDenied", "head", "AccessDenied");
    };
    const { exitCode } = await run(bridge, { folder });
    expect(exitCode).toBe(1);
    expect(await kindsIn(folder)).toEqual([`unread ${keyOf(0)}`, `unread ${keyOf(1)}`]);
  }));

describe("mode native", () => {
  test("on S3: what the store calls completed and the destination lacks is missing", () =>
    withFolder(async (folder) => {
      const bridge = await filled(nativeRaw(), 3);
      for (let index = 0; index < 3; index++) {
        bridge.from.setReplication(keyOf(index), "COMPLETED");
        if (index > 0) await bridge.to.put(keyOf(index), Buffer.from("x"), body("x"));
      }
      expect((await run(bridge, { folder })).exitCode).toBe(1);
      expect(await kindsIn(folder)).toEqual([`missing ${keyOf(0)}`]);
    }));

  test("other metadata is a difference where the key is looked at", () =>
    withFolder(async (folder) => {
      const bridge = await filled(ossNativeRaw(), 1);
      const attributes = { ...NO_ATTRIBUTES, metadata: { colour: "red" } };
      await bridge.to.put(keyOf(0), Buffer.from("x"), { attributes, sizeBytes: 1 });
      const fromFile = join(folder, "keys");
      await writeFile(fromFile, keyOf(0));
      await run(bridge, { folder, fromFile });
      expect((await findingsIn(folder)).map(({ reason }) => reason)).toEqual(["the metadata differs"]);
    }));
});

/** Buckets of few keys, with any difference at any of them. */
const states = fc.array(fc.constantFrom("same", "missing", "other size", "other bytes", "extra", "none"), {
  minLength: 1,
  maxLength: 60,
});

test("finds exactly the differences that were planted, whatever they are and however the keys are split", () =>
  fc.assert(
    fc.asyncProperty(
      states,
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 7 }),
      async (planted, parallel, pageSize) => {
        await withFolder(async (folder) => {
          const bridge = new FakeBridge(pullRaw({ deletes: "ignore" }));
          const expected: string[] = [];
          for (const [index, state] of planted.entries()) {
            const key = keyOf(index);
            if (state !== "none" && state !== "extra") await bridge.put(key);
            if (state === "same" || state.startsWith("other")) await bridge.replicate(key);
            if (state === "extra") await putThere(bridge, key);
            if (state === "other size") await bridge.put(key, "xyz");
            if (state === "other bytes") await bridge.put(key, "z");
            if (state === "missing") expected.push(`missing ${key}`);
            if (state.startsWith("other")) expected.push(`different ${key}`);
            if (state === "extra") expected.push(`extra ${key} (left alone)`);
          }
          for (const store of [bridge.from, bridge.to]) cutPages(store, pageSize);
          await run(bridge, { folder, parallel });
          expect(await kindsIn(folder)).toEqual(expected);
        });
      },
    ),
    { numRuns: 40 },
  ));

function cutPages(store: FakeBridge["from"], size: number): void {
  const list = store.listPages.bind(store);
  store.listPages = async function* (prefix, options) {
    for await (const page of list(prefix, options))
      for (let from = 0; from < page.length; from += size) yield page.slice(from, from + size);
  };
}
