/** The latency probe in each mode: measurements of the command, metrics of the canaries, and no object left. */

import { ends, type LocalEnd } from "../../local/cli/ends";
import { createClosers, settled } from "../../local/closers";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import type { ProbeRecord } from "../../operator/probe/records";
import { readPng } from "../operator/probe/png";
import { type SourceEvents, sourceEvents } from "./pairs/source-events";
import { INTERRUPTED } from "./support/bridge-command";
import { eventually } from "./support/eventually";
import { type OperatedStack, operateStack } from "./support/probe";
import { canaryMetrics, leaveOldCanary, scheduledEvent } from "./support/probe-canaries";
import { whileCut } from "./support/probe-cut";
import { everyVersion } from "./support/probe-remains";
import { START_MS } from "./support/stack";

const FORTH = "source->destination";
const BACK = "destination->source";
const PROBES = "crossborderbridge-probe/";
const CANARIES = `${PROBES}canary/`;
const QUICK = ["--sizes", "1KiB,96KiB", "--count", "2", "--interval-ms", "20"];
/** One object, for tests in which it does not arrive. */
const ONE_OBJECT = ["--sizes", "1KiB", "--count", "1", "--direction", "forth", "--interval-ms", "20"];

interface Way {
  stack: string;
  mode: string;
  directions: string[];
  settings: Record<string, unknown>;
}

const canaries = { enabled: true, everyMinutes: 1 };
const WAYS: readonly Way[] = [
  {
    stack: "two-way",
    mode: "native",
    directions: [FORTH, BACK],
    settings: { "crossborderbridge:probe": canaries },
  },
  {
    stack: "aws-to-aws",
    mode: "pull",
    directions: [FORTH],
    settings: { "crossborderbridge:probe": { enabled: true }, "crossborderbridge:egress": "shared" },
  },
  {
    stack: "oss-accelerated",
    mode: "push",
    directions: [FORTH],
    settings: { "crossborderbridge:probe": canaries },
  },
];

interface Deployed {
  local: LocalStack;
  operated: OperatedStack;
  source: LocalEnd;
  destination: LocalEnd;
  events: SourceEvents | undefined;
}

const closers = createClosers();
let clouds: LocalClouds;
const deployed = new Map<string, Deployed>();

/** The default of `probe.giveUpAfterSeconds`. */
const GIVE_UP_MS = 600_000;
/** A schedule may run up to a minute late, on both sides. */
const SCHEDULE_MS = 60_000;
/** Old canaries that are in both buckets before the first slot. */
const old = new Map<string, string>();

beforeAll(async () => {
  // The emulator checks schedules more often than by default. A minute of cron stays a minute.
  clouds = await startLocalClouds({ clouds: ["aws", "alicloud"], scheduleMinuteMs: 1_200 });
  closers.add(() => clouds.stop());
  await settled(
    ...WAYS.map(async ({ stack, mode, settings }) => {
      const local = await startLocalStack({ stack, clouds, settings });
      closers.add(() => local.stop());
      const events = mode === "native" ? undefined : sourceEvents(local);
      closers.add(() => events?.close());
      const operated = await operateStack(local, stack);
      closers.add(() => operated.close());
      deployed.set(stack, { local, operated, ...ends(local), events });
      if (settings["crossborderbridge:probe"] === canaries) old.set(stack, await leaveOldCanary(operated));
    }),
  );
}, 2 * START_MS);

afterAll(() => closers.closeAll(), START_MS);

describe.each(WAYS)("$mode", ({ stack, mode, directions }) => {
  test("measures how long each object takes, and leaves nothing in the buckets", async () => {
    const { source, destination, operated } = of(stack);
    const run = await operated.probe(QUICK);
    expect({ exitCode: run.exitCode, files: Object.keys(run.files), noted: run.noted }).toEqual({
      exitCode: 0,
      files: ["latency.png", "latency.svg", "records.csv", "records.json", "summary.txt"],
      noted: expect.any(Array),
    });
    const records = recordsOf(run.files);
    const sizes = [1024, 98_304];
    // Round by round.
    expect(records.map(({ direction, file_size_in_bytes }) => [direction, file_size_in_bytes])).toEqual(
      [1, 2].flatMap(() => sizes.flatMap((size) => directions.map((direction) => [direction, size]))),
    );
    const places = { [FORTH]: [source, destination], [BACK]: [destination, source] };
    for (const record of records) {
      const [from, to] = (places[record.direction] as LocalEnd[]).map(
        ({ cloud, region, bucket }) => `${cloud}/${region}/${bucket}`,
      );
      expect(record).toMatchObject({ mode, stack, from, to, gave_up: false, key: expect.stringContaining(PROBES) });
      const { post_date, get_date, clock_offset_in_ms, duration_in_ms } = record;
      const apart = Date.parse(get_date ?? "") - Date.parse(post_date) - (clock_offset_in_ms ?? 0);
      expect(duration_in_ms).toBe(Math.max(0, apart));
    }
    const [header, ...rows] = text(run.files["records.csv"]).trimEnd().split("\n");
    expect(header).toBe(Object.keys(records[0] ?? {}).join(","));
    expect(rows).toHaveLength(records.length);
    expect(run.printed.join("\n")).toBe(text(run.files["summary.txt"]).trimEnd());
    expect(text(run.files["latency.svg"])).toContain(`Replication latency of stack ${stack} (mode ${mode})`);
    expect(readPng(run.files["latency.png"] as Buffer).width).toBe(1920);
    await expectNothingLeft(stack);
  });

  test("gives up an object that does not arrive, says so, and deletes it", async () => {
    const { local, operated, source } = of(stack);
    const run = await whileCut(local, () => operated.probe([...ONE_OBJECT, "--attempts", "5"]));
    expect(run.exitCode).toBe(1);
    const [record] = recordsOf(run.files);
    expect(record).toMatchObject({ gave_up: true, get_date: null, duration_in_ms: null, attempts: 5 });
    expect(run.noted).toContainEqual(expect.stringMatching(/gave up after 5 looks/));
    expect(text(run.files["latency.svg"])).toContain("no object arrived");
    expect(await everyVersion(source, record?.key)).toEqual([]);
    // The events that have waited replicate nothing.
    await expectNothingLeft(stack);
  });

  test("deletes an object that has not arrived at Ctrl-C", async () => {
    const { local, operated, source } = of(stack);
    await whileCut(local, async () => {
      const ctrlC = new AbortController();
      const running = operated.probe([...ONE_OBJECT, "--attempts", "500"], { interrupt: ctrlC.signal });
      await eventually(async () => expect(await withoutCanaries(source)).toHaveLength(1), {
        deadlineMs: 30_000,
        what: "the object is put",
      });
      ctrlC.abort();
      const { exitCode, files, noted } = await running;
      expect({ exitCode, files: Object.keys(files), last: noted.at(-1) }).toEqual({
        exitCode: INTERRUPTED,
        files: [],
        last: "interrupted",
      });
      expect(await withoutCanaries(source)).toEqual([]);
    });
    await expectNothingLeft(stack);
  });
});

test("Ctrl-C between two objects: the measurements are kept, and no object is left", async () => {
  const { operated } = of("aws-to-aws");
  const ctrlC = new AbortController();
  const onNote = (line: string) => {
    if (line.startsWith("2/4")) ctrlC.abort();
  };
  const run = await operated.probe(QUICK, { interrupt: ctrlC.signal, onNote });
  expect(run.exitCode).toBe(INTERRUPTED);
  expect(recordsOf(run.files)).toHaveLength(2);
  expect(Object.keys(run.files)).toContain("latency.png");
  await expectNothingLeft("aws-to-aws");
});

describe.each([
  { stack: "two-way", watching: ["source", "destination"] },
  { stack: "oss-accelerated", watching: ["destination"] },
] as const)("canaries of $stack", ({ stack, watching }) => {
  test("each minute a canary reports its lag on the side that waits for it", async () => {
    const { local } = of(stack);
    for (const side of watching) {
      const first = await eventually(
        async () => {
          const arrived = (await canaryMetrics(local, side)).find(({ ProbeLagMs }) => ProbeLagMs !== undefined);
          expect(arrived).toBeDefined();
          return arrived;
        },
        { deadlineMs: 130_000, what: `a canary arrives at the ${side}` },
      );
      expect(first).toEqual({ ProbeLagMs: expect.any(Number), ProbeGaveUp: 0 });
      expect(first?.ProbeLagMs).toBeLessThan(60_000);
    }
  }, 300_000);

  test("a slot deletes the canaries of earlier slots", async () => {
    const { source, destination } = of(stack);
    const left = old.get(stack) ?? "";
    for (const end of [source, destination])
      await eventually(async () => expect((await everyVersion(end)).filter((key) => key.includes(left))).toEqual([]), {
        deadlineMs: 70_000,
        what: `${left} is gone from ${end.bucket}`,
      });
  });

  test("a canary that does not arrive in time is reported as given up", async () => {
    const { local, operated } = of(stack);
    // The event is so late that the prober gives up after seconds. The other side put nothing in this slot.
    const dueMs = Date.now() - SCHEDULE_MS - GIVE_UP_MS + 5_000;
    await operated.wake("destination", scheduledEvent(local, "destination", dueMs));
    await eventually(async () => expect(await canaryMetrics(local, "destination")).toContainEqual({ ProbeGaveUp: 1 }), {
      deadlineMs: 60_000,
      what: "the log of the destination reports it",
    });
  });
});

function of(stack: string): Deployed {
  const found = deployed.get(stack);
  if (found === undefined) throw new Error(`${stack} did not start: see beforeAll`);
  return found;
}

/** All versions except canaries. */
async function withoutCanaries(end: LocalEnd): Promise<string[]> {
  return (await everyVersion(end)).filter((key) => !key.startsWith(CANARIES));
}

async function expectNothingLeft(stack: string): Promise<void> {
  const { source, destination, events } = of(stack);
  await events?.settled();
  expect({ source: await withoutCanaries(source), destination: await withoutCanaries(destination) }).toEqual({
    source: [],
    destination: [],
  });
}

const text = (file: Buffer | undefined): string => (file ?? Buffer.alloc(0)).toString("utf8");
const recordsOf = (files: Record<string, Buffer>) => JSON.parse(text(files["records.json"])) as ProbeRecord[];
