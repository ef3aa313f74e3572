import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CheckpointIdentity, openCheckpoint } from "../../../operator/backfill/checkpoint";
import { noCounts } from "../../../operator/backfill/counts";
import { UsageError } from "../../../operator/command";
import { CLOCK, FakeBridge, pullRaw, run, withFolder } from "./fixture";

const OWN: CheckpointIdentity = {
  stack: "dev",
  source: "aws:us-east-1:from-here",
  destination: "aws-cn:cn-north-1:to-there",
  local: false,
  prefix: "data/",
  engine: "bridge",
};

test("reads the whole checkpoint that was written, and leaves nothing else in the folder", () =>
  withFolder(async (folder) => {
    const path = join(folder, "deeper", "c.json");
    const checkpoint = openCheckpoint(path, OWN, CLOCK.now);
    expect(await checkpoint.read()).toBeUndefined();
    for (const lastKey of ["data/1", "data/é😀 \u0001"]) {
      await checkpoint.write({ lastKey, counts: noCounts() });
      expect(await checkpoint.read()).toMatchObject({ ...OWN, lastKey, updatedAt: "2026-11-21T10:00:00.000Z" });
    }
    expect(await readdir(join(folder, "deeper"))).toEqual(["c.json"]);
    await checkpoint.remove();
    expect(await checkpoint.read()).toBeUndefined();
    await checkpoint.remove();
  }));

test("ignores the draft of a killed run", () =>
  withFolder(async (folder) => {
    const path = join(folder, "c.json");
    const checkpoint = openCheckpoint(path, OWN, CLOCK.now);
    await checkpoint.write({ lastKey: "data/5" });
    await writeFile(`${path}.draft`, '{"version":1,"stack":"de');
    expect((await checkpoint.read())?.lastKey).toBe("data/5");
    await checkpoint.write({ lastKey: "data/6" });
    expect((await checkpoint.read())?.lastKey).toBe("data/6");
  }));

test.each([
  ["stack", "prod", 'stack "prod" instead of "dev"'],
  ["prefix", "", 'prefix "" instead of "data/"'],
  ["engine", "copy", 'engine "copy" instead of "bridge"'],
  ["source", "aws:us-east-1:other", 'source "aws:us-east-1:other" instead of'],
  ["local", true, "local true instead of false"],
] as const)("refuses the checkpoint of another %s and leaves it as it is", (name, value, message) =>
  withFolder(async (folder) => {
    const path = join(folder, "c.json");
    await openCheckpoint(path, { ...OWN, [name]: value }, CLOCK.now).write({ lastKey: "data/5" });
    const before = await readFile(path, "utf8");
    await expect(openCheckpoint(path, OWN, CLOCK.now).read()).rejects.toThrow(message);
    await expect(openCheckpoint(path, OWN, CLOCK.now).read()).rejects.toThrow(
      /: finish the other backfill first, choose another file with --checkpoint, or delete this file$/,
    );
    await expect(openCheckpoint(path, OWN, CLOCK.now).read()).rejects.toBeInstanceOf(UsageError);
    expect(await readFile(path, "utf8")).toBe(before);
  }),
);

test.each([
  ["cut off", '{"version":1,"stack"', "it is not JSON"],
  ["empty", "", "it is not JSON"],
  ["of a later version", JSON.stringify({ version: 2 }), "version: "],
  ["of something else", JSON.stringify({ hello: 1 }), "is no checkpoint"],
  [
    "a checkpoint with a count below zero",
    corrupted({ counts: { ...noCounts(), due: { objects: -1, bytes: 0 } } }),
    "counts.due.objects",
  ],
  ["a checkpoint with a last key that is no text", corrupted({ lastKey: 7 }), "lastKey"],
])("refuses a file that is %s, and says what to do", (_name, content, message) =>
  withFolder(async (folder) => {
    const path = join(folder, "c.json");
    await writeFile(path, content);
    await expect(openCheckpoint(path, OWN, CLOCK.now).read()).rejects.toThrow(message);
    await expect(openCheckpoint(path, OWN, CLOCK.now).read()).rejects.toThrow(
      /: choose another file with --checkpoint, or delete this file$/,
    );
    const bridge = new FakeBridge(pullRaw());
    await bridge.put("a");
    await expect(run(bridge, { checkpoint: path })).rejects.toBeInstanceOf(UsageError);
    expect(bridge.enqueued).toEqual([]);
    expect(await readFile(path, "utf8")).toBe(content);
  }),
);

function corrupted(progress: object): string {
  return JSON.stringify({ version: 1, ...OWN, updatedAt: "2026-11-21T10:00:00.000Z", ...progress });
}
