/** The backfill command replicates objects that are older than the rule or scope that covers them, in every mode. */
import { ListObjectVersionsCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { clientConfig } from "../../local/aws/client-config";
import { ends, type LocalEnd } from "../../local/cli/ends";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { size } from "../support/sizes";
import { openPairEnd, type PairEnd } from "./pairs/pair-end";
import { type SourceEvents, sourceEvents } from "./pairs/source-events";
import { readCalls } from "./policy/calls";
import { type BackfillCommand, type BackfillRun, openBackfill } from "./support/backfill-command";
import { inBatches } from "./support/batches";
import { eventually } from "./support/eventually";
import { START_MS, started } from "./support/stack";

type Settings = Record<string, unknown>;

const PAGE = 1000;
const SIDE_BY_SIDE = 32;
/** `--concurrency`: the maximum number of requests in flight when the process is killed. */
const IN_FLIGHT = 16;

describe("S3's own replication, both ways", () => {
  const COUNT = size(4_000, 10_000);
  /** Keys in ten folders, in listing order. */
  const KEYS = Array.from({ length: COUNT }, (_, index) => `old/${Math.floor((10 * index) / COUNT)}/${padded(index)}`);
  const TENTH = KEYS.filter((key) => key.startsWith("old/0/"));
  const RUN_MS = 120_000 + 150 * COUNT;
  const rule = (prefix: string): Settings => ({
    "crossborderbridge:name": "backfill-native",
    "crossborderbridge:probe": { enabled: false },
    "crossborderbridge:replication": { rules: [{ id: "own", priority: 1, prefix }] },
  });

  let local: LocalStack | undefined;
  let source: Bucket;
  let destination: Bucket;
  let command: BackfillCommand | undefined;
  let tenth: BackfillRun;

  beforeAll(async () => {
    local = await startLocalStack({ stack: "two-way", settings: rule("new/") });
    const both = ends(local);
    source = openBucket(both.source);
    destination = openBucket(both.destination);
    await inBatches(KEYS, SIDE_BY_SIDE, (key) => source.put(key, `the bytes of ${key}`));
    await local.up(rule("old/"));
    command = await openBackfill(local);
  }, START_MS + RUN_MS);

  afterAll(async () => {
    await command?.close();
    source?.s3.destroy();
    destination?.s3.destroy();
    await local?.stop();
  });

  const backfill = (...options: string[]): Promise<BackfillRun> => started(command).run("--yes", ...options);

  test("a rule does not replicate objects that are older than the rule", async () => {
    expect(await destination.versions()).toEqual([]);
    expect((await source.versions()).map(({ Key }) => Key)).toEqual(KEYS);
  });

  test(
    "--prefix replicates only the keys with that prefix",
    async () => {
      tenth = await backfill("--prefix", "old/0/");
      expect(tenth).toMatchObject({ exitCode: 0, report: { engine: "copy", ended: "complete" } });
      expect(objects(tenth)).toEqual({ ...NONE, due: TENTH.length });
      expect((await destination.versions()).map(({ Key }) => Key)).toEqual(TENTH);
    },
    RUN_MS,
  );

  test(
    "killed in the middle of a page, it resumes from its checkpoint, and every object arrives once",
    async () => {
      const killed = started(command).start("--yes");
      const midway = KEYS[Math.floor(COUNT * 0.55)] ?? "";
      await eventually(async () => expect(await destination.versions(midway)).toHaveLength(1), {
        deadlineMs: RUN_MS,
        what: `${midway} has arrived`,
      });
      process.kill(killed.pid, "SIGKILL");
      expect((await killed.ended).exitCode).toBeNull();
      const checkpoint = await started(command).checkpoint();
      const checkpointed = KEYS.indexOf(checkpoint?.lastKey ?? "") + 1;
      // Checkpoints are written page by page. On a slow machine the kill comes later.
      expect(checkpointed % PAGE).toBe(0);
      expect(checkpointed).toBeGreaterThanOrEqual(COUNT / 2);
      const arrived = (await destination.versions()).length;
      expect(arrived).toBeGreaterThan(checkpointed);
      expect(arrived).toBeLessThan(COUNT);

      const resumed = await backfill();
      expect(resumed).toMatchObject({ exitCode: 0, notes: expect.stringContaining(`going on after ${checkpoint?.lastKey}`) });
      // The objects that the killed run copied after its checkpoint are already replicated.
      const { due, present, ...others } = objects(resumed);
      expect({ looked: due + present, ...others }).toEqual({ looked: COUNT, outOfScope: 0, archived: 0, gone: 0, failed: 0 });
      expect(present).toBeGreaterThanOrEqual(arrived - checkpointed + TENTH.length);
      expect(await started(command).checkpoint()).toBeUndefined();

      const copies = new Map<string, Version[]>();
      for (const version of await source.versions()) copies.set(version.Key, [...(copies.get(version.Key) ?? []), version]);
      expect([...copies.keys()]).toEqual(KEYS);
      // Each key has its old version and one copy. A request in flight at the kill may have copied an object without a trace, so such a key
      // has one copy more.
      const more = [...copies.values()].filter(({ length }) => length !== 2);
      expect(more.length).toBeLessThanOrEqual(IN_FLIGHT);
      const replicas = await destination.versions();
      const expected = [...copies].flatMap(([Key, versions]) =>
        versions.flatMap(({ ETag }, index) => (index < versions.length - 1 ? [{ Key, ETag }] : [])),
      );
      expect(replicas.map(({ Key, ETag }) => ({ Key, ETag }))).toEqual(expected);

      // Ten times the objects need the same memory.
      expect(resumed.peakBytes).toBeGreaterThan(0);
      expect(resumed.peakBytes).toBeLessThan(1.5 * tenth.peakBytes);
    },
    RUN_MS,
  );

  test(
    "run again, it finds all objects replicated and makes no version",
    async () => {
      const before = [await source.versions(), await destination.versions()];
      const again = await backfill();
      expect(again.exitCode).toBe(0);
      expect(objects(again)).toEqual({ ...NONE, present: COUNT });
      expect([await source.versions(), await destination.versions()]).toEqual(before);
    },
    RUN_MS,
  );
});

describe.each([
  { name: "backfill-pull", stack: "dev", asked: messagesEnqueued },
  { name: "backfill-push", stack: "oss-accelerated", asked: dispatchersInvoked },
])("a bridge's own engine: $name", ({ name, stack, asked }) => {
  const COUNT = 200;
  const SIZE = 100;
  const KEYS = Array.from({ length: COUNT }, (_, index) => `old/${padded(index)}`);
  /** Number of objects within `--max-bytes`. */
  const AFFORDABLE = 50;
  const scope = (...prefixes: string[]): Settings => ({
    "crossborderbridge:name": name,
    "crossborderbridge:probe": { enabled: false },
    "crossborderbridge:scope": { prefixes },
  });

  let local: LocalStack | undefined;
  let source: PairEnd;
  let destination: PairEnd;
  let events: SourceEvents;
  let command: BackfillCommand | undefined;

  beforeAll(async () => {
    local = await startLocalStack({ stack, settings: scope("new/"), recordCalls: true });
    const both = ends(local);
    source = openPairEnd(both.source);
    destination = openPairEnd(both.destination);
    events = sourceEvents(local);
    await inBatches([...KEYS, "never/in-scope"], SIDE_BY_SIDE, (key) => source.put(key, Buffer.from(key.padEnd(SIZE, "."))));
    await local.up(scope("new/", "old/"));
    command = await openBackfill(local);
  }, 2 * START_MS);

  afterAll(async () => {
    await command?.close();
    for (const one of [source, destination, events]) one?.close();
    await local?.stop();
  });

  /** Number of versions of each key at the destination. */
  async function arrivals(): Promise<number[]> {
    const versions = new Map<string, number>();
    await inBatches(KEYS, SIDE_BY_SIDE, async (key) => versions.set(key, await destination.versions(key)));
    return KEYS.map((key) => versions.get(key) ?? 0);
  }
  const first = (arrived: number): number[] => KEYS.map((_, index) => (index < arrived ? 1 : 0));

  test("a dry run counts objects and shows the cost, and moves nothing", async () => {
    const { exitCode, report } = await started(command).run("--dry-run");
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ engine: "bridge", dryRun: true, ended: "complete", cost: { lines: expect.any(Array) } });
    expect(report.counts).toMatchObject({ due: { objects: COUNT, bytes: COUNT * SIZE }, present: { objects: 0 } });
    expect(report.cost?.lines.length).toBeGreaterThan(0);
    expect(await started(command).checkpoint()).toBeUndefined();
    expect(await asked(started(local))).toBe(0);
    await events.settled();
    expect(await arrivals()).toEqual(first(0));
  }, 180_000);

  test("with --max-bytes it stops early, says so, and keeps its checkpoint", async () => {
    const { exitCode, report, notes } = await started(command).run("--yes", "--max-bytes", String(AFFORDABLE * SIZE + SIZE / 2));
    expect({ exitCode, ended: report.ended, lastKey: report.lastKey }).toEqual({
      exitCode: 1,
      ended: "budget",
      lastKey: KEYS[AFFORDABLE - 1],
    });
    expect(report.counts.due).toEqual({ objects: AFFORDABLE, bytes: AFFORDABLE * SIZE });
    expect(notes).toContain(`stopped before ${KEYS[AFFORDABLE]}`);
    expect(await started(command).checkpoint()).toMatchObject({ lastKey: KEYS[AFFORDABLE - 1], counts: report.counts });
    await events.settled();
    expect(await arrivals()).toEqual(first(AFFORDABLE));
  }, 180_000);

  test("run again, it replicates the rest, each object once and unchanged", async () => {
    const run = await started(command).run("--yes");
    expect(run).toMatchObject({ exitCode: 0, notes: expect.stringContaining(`going on after ${KEYS[AFFORDABLE - 1]}`) });
    // The counts of both runs together.
    expect(objects(run)).toEqual({ ...NONE, due: COUNT });
    expect(await started(command).checkpoint()).toBeUndefined();
    await events.settled();
    expect(await arrivals()).toEqual(first(COUNT));
    await inBatches(KEYS, SIDE_BY_SIDE, async (key) =>
      expect(await destination.look(key)).toEqual((await source.look(key)) ?? "an object"),
    );
    expect(await events.deadLetters()).toEqual([]);
  }, 180_000);

  test("run once more, it requests no replication", async () => {
    const before = await asked(started(local));
    expect(before).toBeGreaterThan(0);
    const again = await started(command).run("--yes");
    expect(again.exitCode).toBe(0);
    expect(objects(again)).toEqual({ ...NONE, present: COUNT });
    expect(await asked(started(local))).toBe(before);
    await events.settled();
    expect(await arrivals()).toEqual(first(COUNT));
    expect(await destination.versions("never/in-scope")).toBe(0);
  }, 180_000);
});

const NONE = { due: 0, present: 0, outOfScope: 0, archived: 0, gone: 0, failed: 0 };

function objects({ report: { counts } }: BackfillRun): typeof NONE {
  const { due, present, outOfScope, archived, gone, failed } = counts;
  return {
    due: due.objects,
    present: present.objects,
    outOfScope: outOfScope.objects,
    archived: archived.objects,
    gone: gone.objects,
    failed: failed.objects,
  };
}

function padded(index: number): string {
  return String(index).padStart(5, "0");
}

/** Number of the operator's requests that put messages into the bridge's queue. */
async function messagesEnqueued({ clouds }: LocalStack): Promise<number> {
  const isOperators = ({ principal, headers }: Awaited<ReturnType<typeof readCalls>>[number]) =>
    principal === "root" && headers["x-amz-target"] === "AmazonSQS.SendMessageBatch";
  return (await readCalls(clouds.aws)).filter(isOperators).length;
}

/** Number of function calls by the operator. */
async function dispatchersInvoked({ clouds: { alicloud } }: LocalStack): Promise<number> {
  const operator = `acs:ram::${alicloud.accountId}:root`;
  return alicloud.calls.filter(({ principal, action }) => principal?.arn === operator && action === "fc:InvokeFunction").length;
}

interface Bucket {
  s3: S3Client;
  put(key: string, body: string): Promise<void>;
  /** All versions by key, newest first. Fails if there is a delete marker. */
  versions(prefix?: string): Promise<Version[]>;
}

interface Version {
  Key: string;
  VersionId: string | undefined;
  ETag: string | undefined;
}

function openBucket(end: LocalEnd): Bucket {
  const s3 = new S3Client(clientConfig(end));
  return {
    s3,
    async put(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: end.bucket, Key: key, Body: Buffer.from(body) }));
    },
    async versions(prefix = "") {
      const found: Version[] = [];
      let position: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
      for (;;) {
        const page = await s3.send(new ListObjectVersionsCommand({ Bucket: end.bucket, Prefix: prefix, ...position }));
        expect(page.DeleteMarkers ?? []).toEqual([]);
        for (const { Key = "", VersionId, ETag } of page.Versions ?? []) found.push({ Key, VersionId, ETag });
        if (page.IsTruncated !== true) return found;
        position = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      }
    },
  };
}
