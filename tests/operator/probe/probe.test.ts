import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FAILED, FINE, UsageError } from "../../../operator/command";
import type { ProbeOptions } from "../../../operator/probe/probe";
import { BridgeError } from "../../../runtime/stores/errors";
import type { FakeOptions } from "./fake-bridge";
import { readPng } from "./png";
import { runProbe } from "./run-probe";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "probe-"));
});
afterEach(() => rm(folder, { recursive: true }));

const FILES = ["latency.png", "latency.svg", "records.csv", "records.json", "summary.txt"];

/** @param stopAt interrupts the command at the first note that begins so */
async function run(fake: Omit<FakeOptions, "time"> = {}, changes: Partial<ProbeOptions> = {}, stopAt?: string) {
  const out = join(folder, "out");
  const onNote = (text: string, stop: AbortController) => {
    if (stopAt !== undefined && text.startsWith(stopAt)) stop.abort();
  };
  const ran = await runProbe({ fake, out, onNote, ...changes });
  return { ...ran, out, read: (file: string) => readFile(join(out, file), "utf8") };
}

test("writes the records, the summary and the chart, and prints the summary", async () => {
  const { outcome, out, printed, noted, read } = await run({}, { direction: "forth" });
  expect(outcome).toEqual({ exitCode: FINE });
  expect((await readdir(out)).sort()).toEqual(FILES);
  const records = JSON.parse(await read("records.json"));
  expect(records.map((record: { duration_in_ms: number }) => record.duration_in_ms)).toEqual([1000, 1000, 1000, 1000]);
  expect(records[3].key).toBe("crossborderbridge-probe/run/from-source-2048-2");
  expect((await read("records.csv")).trimEnd().split("\n")).toHaveLength(5);
  expect(printed).toEqual([(await read("summary.txt")).trimEnd()]);
  expect(await read("latency.svg")).toContain("Replication latency of stack aws-to-china (mode pull)");
  expect(readPng(await readFile(join(out, "latency.png"))).width).toBe(1920);
  expect(noted).toEqual([
    "1/4  source->destination     1 KiB  1,000 ms",
    "2/4  source->destination     2 KiB  1,000 ms",
    "3/4  source->destination     1 KiB  1,000 ms",
    "4/4  source->destination     2 KiB  1,000 ms",
    `records, summary and chart are in ${out}`,
  ]);
});

test("says that there is no way back, and measures the way forth", async () => {
  const { outcome, noted } = await run();
  expect(outcome).toEqual({ exitCode: FINE });
  expect(noted[0]).toBe("stack aws-to-china is one-way: there is no way back to measure");
});

test("measures both ways of a two-way stack", async () => {
  const { outcome, read } = await run({ twoWay: true });
  expect(outcome).toEqual({ exitCode: FINE });
  const records: { direction: string }[] = JSON.parse(await read("records.json"));
  expect(records.filter(({ direction }) => direction === "destination->source")).toHaveLength(4);
});

test("with --json prints the records and nothing else", async () => {
  const { printed, read } = await run({}, { json: true });
  expect(printed.join("")).toBe((await read("records.json")).trimEnd());
});

test("an object that was given up is recorded and named, and the exit code is 1", async () => {
  const { outcome, noted, read } = await run({ lagMs: ({ name }) => (name.endsWith("2048-2") ? undefined : 1000) });
  expect(outcome).toEqual({ exitCode: FAILED });
  expect(JSON.parse(await read("records.json"))[3]).toMatchObject({
    gave_up: true,
    get_date: null,
    duration_in_ms: null,
    attempts: 20,
  });
  expect(noted).toEqual(
    expect.arrayContaining([
      "4/4  source->destination     2 KiB  gave up after 20 looks",
      "never seen; it may have arrived after the end, so check assets-cn: from-us/crossborderbridge-probe/run/from-source-2048-2",
    ]),
  );
});

test("keeps the records from before a failure, and names the objects that could not be removed", async () => {
  const failure = new BridgeError("PermissionDenied", "put", "no more");
  const { outcome, out, noted, read } = await run({
    onRequest: (side, request) => {
      if (request.action === "put" && request.objects[0]?.name.endsWith("-2")) throw failure;
      if (side === "source" && request.action === "clean" && request.names.length > 1)
        throw new BridgeError("Unavailable", "clean", "gone");
    },
  });
  expect(outcome).toEqual({ error: failure });
  expect((await readdir(out)).sort()).toEqual(FILES);
  expect(JSON.parse(await read("records.json"))).toHaveLength(2);
  expect(noted).toEqual(
    expect.arrayContaining(["not removed from assets-us: crossborderbridge-probe/run/from-source-1024-1 (gone)"]),
  );
});

test("keeps the records from before an interruption", async () => {
  const { outcome, calls, read } = await run({}, {}, "2/4");
  expect(outcome).toEqual({ error: expect.objectContaining({ name: "AbortError" }) });
  expect(JSON.parse(await read("records.json"))).toHaveLength(2);
  expect(calls.slice(-2)).toEqual([
    "destination clean run/from-source-1024-1,run/from-source-2048-1",
    "source clean run/from-source-1024-1,run/from-source-2048-1",
  ]);
});

test("draws nothing if nothing was measured", async () => {
  const failure = new BridgeError("NotFound", "invoke", "no function");
  const { outcome, out, printed } = await run({
    onRequest: () => {
      throw failure;
    },
  });
  expect(outcome).toEqual({ error: failure });
  expect(await readdir(out)).toEqual([]);
  expect(printed).toEqual([]);
});

test("leaves another run's files as they are, and sends nothing", async () => {
  await writeFile(join(folder, "records.csv"), "mine");
  const { outcome, calls } = await run({}, { out: folder });
  const message = `${join(folder, "records.csv")} is there already; name another folder with --out`;
  expect(outcome).toEqual({ error: new UsageError(message) });
  expect(calls).toEqual([]);
});
