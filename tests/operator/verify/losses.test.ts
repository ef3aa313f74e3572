/** What could hide a difference: a checkpoint that cannot be written, a file that somebody changes, keys or settings that are others by now. */

import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { BridgeError } from "../../../runtime/stores/errors";
import { FakeBridge, filled, keyOf, NO_ATTRIBUTES, pullRaw, withFolder } from "../backfill/fixture";
import { filesIn, findingsIn, kindsIn, LATER, run } from "./fixture";

const COUNT = 6_000;
const isMissing = (index: number) => index % 97 === 5;
const MISSING = Array.from({ length: COUNT }, (_, index) => index)
  .filter(isMissing)
  .map((index) => `missing ${keyOf(index)}`);

let bridge: FakeBridge;
beforeAll(async () => {
  bridge = await filled(pullRaw(), COUNT);
  for (let index = 0; index < COUNT; index++) if (!isMissing(index)) await bridge.replicate(keyOf(index));
});

/** Each reading of the clock is later than the next checkpoint is due. */
function ticking() {
  let nowMs = LATER.now();
  return {
    now: () => {
      nowMs += 10_000;
      return nowMs;
    },
  };
}

test("a checkpoint that cannot be written ends the run, and the resumed one has every difference", () =>
  withFolder(async (folder) => {
    const { listPages } = bridge.from;
    // A folder in the place of the file makes each write of a checkpoint fail, until the listing is closed.
    const obstacle = `${filesIn(folder).checkpoint}.draft`;
    mkdirSync(obstacle);
    bridge.from.listPages = async function* (prefix, options) {
      let pages = 0;
      try {
        for await (const page of listPages.call(bridge.from, prefix, options)) {
          pages += 1;
          // The write of a checkpoint, which the page before has begun, has failed by then.
          for (let count = 0; count < 40; count++) await stat(folder);
          yield page;
        }
      } finally {
        if (pages > 1) rmSync(obstacle, { recursive: true });
      }
    };
    try {
      await expect(run(bridge, { folder, parallel: 1, deps: ticking() })).rejects.toThrow(/EISDIR/);
    } finally {
      bridge.from.listPages = listPages;
    }
    const { noted, printed } = await run(bridge, { folder, parallel: 1 });
    expect(noted[0]).toMatch(/^resuming the run of/);
    expect(printed[0]).toMatch(/^compared +6,000 /);
    expect(await kindsIn(folder)).toEqual(MISSING);
  }));

/** Ends in the middle, and leaves a checkpoint. */
async function interrupted(folder: string): Promise<void> {
  const { head } = bridge.to;
  bridge.to.head = (key, options) => {
    if (key === keyOf(4_855)) throw new BridgeError("Unexpected", "head", "the middle");
    return head.call(bridge.to, key, options);
  };
  try {
    await expect(run(bridge, { folder, parallel: 1 })).rejects.toThrow("the middle");
  } finally {
    bridge.to.head = head;
  }
}

test("differences of an earlier run that were changed since are not taken for its own", () =>
  withFolder(async (folder) => {
    await interrupted(folder);
    const { out } = filesIn(folder);
    const text = readFileSync(out, "utf8");
    // As long as before.
    writeFileSync(out, text.replace(keyOf(5), keyOf(6)));
    await expect(run(bridge, { folder })).rejects.toThrow(/has lost differences that an earlier run found/);
    writeFileSync(out, text);
    expect((await run(bridge, { folder })).exitCode).toBe(1);
    expect(await kindsIn(folder)).toEqual(MISSING);
  }));

test("settings that have changed since the checkpoint begin no other comparison in its place", () =>
  withFolder(async (folder) => {
    await interrupted(folder);
    const other = new FakeBridge(pullRaw({ scope: { prefixes: ["data/", "more/"] } }));
    await expect(run(other, { folder })).rejects.toThrow(/is the checkpoint of another verification \(settings/);
  }));

test.each<[string, (out: string) => void]>([
  ["cut", (out) => truncateSync(out, 200)],
  ["written over", (out) => writeFileSync(out, "x".repeat(readFileSync(out).length))],
])("--repair hands over nothing when the file of differences was %s meanwhile", (_how, change) =>
  withFolder(async (folder) => {
    const confirm = async () => {
      change(filesIn(folder).out);
      return true;
    };
    const before = bridge.enqueued.length;
    await expect(run(bridge, { folder, repair: true, deps: { confirm, interactive: true } })).rejects.toThrow(
      /was changed by another program while this verification wrote to it/,
    );
    expect(bridge.enqueued.length).toBe(before);
  }),
);

test("a file of keys that was changed since the checkpoint is refused, and one that only became longer is not", () =>
  withFolder(async (folder) => {
    const fromFile = join(folder, "keys.txt");
    const keys = Array.from({ length: COUNT }, (_, index) => keyOf(index));
    writeFileSync(fromFile, keys.join("\n"));
    const { head } = bridge.to;
    bridge.to.head = (key, options) => {
      if (key === keyOf(2_500)) throw new BridgeError("Unexpected", "head", "the middle");
      return head.call(bridge.to, key, options);
    };
    try {
      await expect(run(bridge, { folder, fromFile })).rejects.toThrow("the middle");
    } finally {
      bridge.to.head = head;
    }
    for (const changed of [keys.slice(1), keys.slice(0, 1_500), ["other", ...keys.slice(1)]]) {
      writeFileSync(fromFile, changed.join("\n"));
      await expect(run(bridge, { folder, fromFile })).rejects.toThrow(
        /no longer begins with the keys that an earlier run compared/,
      );
    }
    writeFileSync(fromFile, [...keys, "never/there"].join("\n"));
    const { printed } = await run(bridge, { folder, fromFile });
    expect(printed[0]).toMatch(/^compared +6,001 /);
    expect(await kindsIn(folder)).toEqual(MISSING);
  }));

test("an object that a store lists and does not hand out is a finding, and not on its way", () =>
  withFolder(async (folder) => {
    const one = new FakeBridge(pullRaw());
    await one.put(keyOf(1), "abc");
    await one.to.put(keyOf(1), Buffer.from("xyz"), { attributes: NO_ATTRIBUTES, sizeBytes: 3 });
    for (const store of [one.from, one.to]) {
      const head = store.head.bind(store);
      store.head = async (key, options) => {
        const found = await head(key, options);
        return found && { ...found, etag: `no-md5-${found.etag}`, checksums: [] };
      };
    }
    one.to.get = async () => {
      throw new BridgeError("NotFound", "get", "S3 answered get with NoSuchKey (HTTP 404)");
    };
    one.from.get = one.to.get;
    const { exitCode } = await run(one, { folder, bytes: true });
    expect(exitCode).toBe(1);
    expect(await findingsIn(folder)).toEqual([
      { kind: "unread", key: keyOf(1), sizeBytes: 0, reason: expect.stringContaining("NoSuchKey") },
    ]);
  }));

test("a comparison of no key says so, instead of no differences", () =>
  withFolder(async (folder) => {
    const { printed } = await run(bridge, { folder, prefix: "reprots/" });
    expect(printed.at(-1)).toBe("no key was compared: neither side has one in scope that begins with the prefix");
  }));
