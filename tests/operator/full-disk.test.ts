/** A disk that is really full: one sentence, nothing half-written is left, and a later run with room goes on without a loss. */
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { explain, LEAST_FREE_BYTES, watchRoom } from "../../local/cli/room";
import { createRunDir } from "../../local/paths";
import { DiskFull } from "../../operator/disk";
import { onSmallDisk } from "../support/small-disk";
import { run as backfill, type FakeBridge, filled, keyOf, pullRaw } from "./backfill/fixture";
import { runProbe } from "./probe/run-probe";
import { filesIn, kindsIn, LATER, run as verify } from "./verify/fixture";

const KIB = 1024;
const MIB = 1024 * KIB;
const COUNT = 12_000;

/** Calls `act` once, before the page of the listing with this number, when the file is there. */
function beforePage(bridge: FakeBridge, number: number, file: string, act: () => void): void {
  const { listPages } = bridge.to;
  let seen = 0;
  bridge.to.listPages = async function* (prefix, options) {
    for await (const page of listPages.call(bridge.to, prefix, options)) {
      seen += 1;
      if (seen === number) {
        while (!existsSync(file)) await setImmediate();
        act();
      }
      yield page;
    }
  };
}

const sentence = (path: string) =>
  new DiskFull(`${path} cannot be written, its disk is full (ENOSPC): make room there, and run the same command again`);

onSmallDisk("backfill", 64 * KIB, async ({ folder, fill, makeRoom }) => {
  const bridge = await filled(pullRaw(), COUNT);
  const checkpoint = join(folder, "checkpoint.json");
  const { enqueue } = bridge;
  let calls = 0;
  bridge.enqueue = async (keys) => {
    calls += 1;
    if (calls === 5) fill();
    await enqueue.call(bridge, keys);
  };
  await expect(backfill(bridge, { checkpoint })).rejects.toEqual(sentence(checkpoint));
  expect(await readdir(folder)).toEqual(["ballast", "checkpoint.json"]);
  const { lastKey } = JSON.parse(await readFile(checkpoint, "utf8")) as { lastKey: string };
  expect(lastKey > keyOf(0) && lastKey < keyOf(COUNT - 1)).toBe(true);

  makeRoom();
  expect((await backfill(bridge, { checkpoint })).exitCode).toBe(0);
  expect(new Set(bridge.enqueued).size).toBe(COUNT);
  expect(await readdir(folder)).toEqual([]);
});

onSmallDisk("backfill on a disk that is full from the start enqueues at most a page", 64 * KIB, async ({ folder, fill }) => {
  const bridge = await filled(pullRaw(), COUNT);
  fill();
  const checkpoint = join(folder, "deeper", "checkpoint.json");
  await expect(backfill(bridge, { checkpoint })).rejects.toBeInstanceOf(DiskFull);
  expect(bridge.enqueued.length).toBeLessThanOrEqual(1_000);
});

onSmallDisk("verify: the differences and the checkpoint", 256 * KIB, async ({ folder, fill, makeRoom }) => {
  const bridge = await filled(pullRaw(), COUNT);
  const isMissing = (index: number) => index % 20 === 5;
  for (let index = 0; index < COUNT; index++) if (!isMissing(index)) await bridge.replicate(keyOf(index));
  beforePage(bridge, 6, filesIn(folder).checkpoint, fill);
  let nowMs = LATER.now();
  // Every reading of the clock is later than the next checkpoint is due.
  const now = () => {
    nowMs += 10_000;
    return nowMs;
  };
  const given = { folder, parallel: 1, deps: { now } };
  await expect(verify(bridge, given)).rejects.toThrow(
    /^\S+(findings\.jsonl|checkpoint\.json) cannot be written, its disk is full \(ENOSPC\): make room/,
  );
  const left = await readdir(folder);
  expect(left.filter((name) => name.endsWith(".draft"))).toEqual([]);
  expect(left).toContain("checkpoint.json");

  makeRoom();
  const { exitCode } = await verify(bridge, given);
  expect(exitCode).toBe(1);
  const expected = Array.from({ length: COUNT }, (_, index) => index).filter(isMissing);
  expect(await kindsIn(folder)).toEqual(expected.map((index) => `missing ${keyOf(index)}`));
  expect(await readdir(folder)).toEqual([filesIn(folder).out.slice(folder.length + 1)]);
});

onSmallDisk("probe: what was measured is printed, and no file is there in part", 16 * KIB, async ({ folder, fill, makeRoom }) => {
  const out = join(folder, "out");
  const full = await runProbe({ out, onNote: (text) => (text.startsWith("4/4") ? fill() : undefined) });
  expect(full.outcome).toEqual({ error: sentence(join(out, "records.json")) });
  expect(await readdir(out)).toEqual([]);
  expect(full.printed.join("\n")).toContain("source->destination");

  makeRoom();
  expect((await runProbe({ out: join(folder, "again"), json: true })).printed.join("")).toContain('"duration_in_ms"');
});

onSmallDisk(
  "npm start: its folder is watched, and the error of a full disk is the same sentence",
  40 * MIB,
  async ({ folder, fill }) => {
    const runs = join(folder, "run");
    await mkdir(runs);
    const watch = watchRoom(folder, undefined, 1);
    const alive = setInterval(() => undefined, 1_000);
    try {
      expect(watch.signal.aborted).toBe(false);
      const aborted = once(watch.signal, "abort");
      fill();
      await aborted;
      const text = /^the disk of \S+ is full: \d+ MiB of 40 MiB are free; make room there and start again$/;
      expect((watch.signal.reason as Error).message).toMatch(text);
      const error = await fillUntilRefused(runs);
      expect(await explain(error, folder)).toMatch(text);
    } finally {
      clearInterval(alive);
      watch.stop();
    }
    expect(LEAST_FREE_BYTES).toBeLessThan(40 * MIB);
  },
);

/** Folders of a tmpfs take no blocks, but what is written into them does. */
async function fillUntilRefused(runs: string): Promise<unknown> {
  const folder = await createRunDir(runs);
  return writeFile(join(folder, "bundle"), Buffer.alloc(8 * KIB)).catch((error: unknown) => error);
}
