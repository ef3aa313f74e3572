/** Measures a workload: starts its stores, counts the requests of each contender once, and then lets the contenders take turns. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { bridgeSchema } from "../components/config/schema";
import { createClosers } from "../local/closers";
import type { ClientJob, ClientOutcome, Driver } from "./client/job";
import { runMeasured, type Usage } from "./measured";
import { contentOf, crc64NvmeOf, digestOf, objectsOf, type PlannedObject } from "./objects";
import { PEERS, type PeerName } from "./peers";
import { startChild, stopChild } from "./servers/child";
import { startOss } from "./servers/oss";
import type { BucketAccess, RequestCounts, StoreServer } from "./servers/store-server";
import { startVersitygw } from "./servers/versitygw";
import type { Tools } from "./tools";
import type { DataWorkload, Own } from "./workload";

export interface Run extends Usage {
  /** Without the start of the process. Of the product only. */
  workSeconds?: number | undefined;
}

export interface ContenderResult {
  /** The name of the product's way or of the peer. */
  name: string;
  label: string;
  isOwn: boolean;
  integrity: string;
  /** In the order of the rounds. */
  runs: Run[];
  requests: { source: RequestCounts; destination: RequestCounts };
}

export interface RunnerOptions {
  tools: Tools;
  certificate: { certPath: string; keyPath: string };
  /** The bundle of the client. */
  clientPath: string;
  rounds: number;
  onProgress: (line: string) => void;
  signal: AbortSignal;
}

const SOURCE_REGIONS = { s3: "us-east-1", oss: "cn-shanghai" } as const;
const DESTINATION_REGIONS = { s3: "cn-north-1", oss: "us-west-1" } as const;
const RUN_DEADLINE_MS = 15 * 60_000;
const CONTROL_BUCKET = "control";

/** A way of the product, or a peer. */
type Contender = { own: Own } | { peer: PeerName };

const nameOf = (contender: Contender): string => ("own" in contender ? contender.own.name : contender.peer);

/** The order of the contenders turns round with each round, so that none always follows the same one. */
export function orderOfRound<T>(contenders: readonly T[], round: number): T[] {
  return round % 2 === 0 ? [...contenders] : [...contenders].reverse();
}

/** A folder in memory where the system has one. */
export const memoryFolder = async (): Promise<string> =>
  await mkdtemp(join("/dev/shm", "crossborderbridge-bench-")).catch(() => mkdtemp(join(tmpdir(), "crossborderbridge-bench-")));

/** The source, the destination, and the parts of the destination that its server joins. */
const COPIES_IN_MEMORY = 3;

/** @throws Error when the objects do not fit into the memory that is free */
export function assertFits({ name, objects: { count, sizeBytes } }: DataWorkload, freeBytes: number): void {
  const neededBytes = COPIES_IN_MEMORY * count * sizeBytes;
  if (neededBytes <= freeBytes) return;
  const [needed, free] = [neededBytes, freeBytes].map((bytes) => (bytes / 1024 ** 3).toFixed(1));
  throw new Error(`${name} needs ${needed} GiB of memory, and ${free} GiB are free: end other programs, or name other workloads`);
}

export async function measureData(workload: DataWorkload, options: RunnerOptions): Promise<ContenderResult[]> {
  assertFits(workload, freemem());
  const folder = await memoryFolder();
  try {
    const objects = objectsOf(workload.objects);
    const contenders: Contender[] = [...workload.owns.map((own) => ({ own })), ...workload.peers.map((peer) => ({ peer }))];
    const expected = new Map<string, string>();
    for (const object of objects) expected.set(object.key, await digestOf(contentOf(object)));
    const plan: Plan = { workload, objects, expected, folder, ...options };
    const requests = await withStage(plan, { logsRequests: true, uploads: true }, (stage) => countAll(plan, stage, contenders));
    const runs = await withStage(plan, { logsRequests: false, uploads: false }, (stage) => takeTurns(plan, stage, contenders));
    return contenders.map((contender, index) => ({
      name: nameOf(contender),
      ...("own" in contender
        ? { label: contender.own.label, integrity: contender.own.integrity, isOwn: true }
        : { label: PEERS[contender.peer].label, integrity: PEERS[contender.peer].integrity, isOwn: false }),
      runs: runs[index] as Run[],
      requests: requests[index] as ContenderResult["requests"],
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Plan extends RunnerOptions {
  workload: DataWorkload;
  objects: readonly PlannedObject[];
  /** SHA-256 by key. */
  expected: ReadonlyMap<string, string>;
  folder: string;
}

/** The two stores while they run. */
interface Stage {
  source: StoreServer;
  destination: StoreServer;
  /** The source as a client reaches it: over the long link, where there is one. */
  sourceAccess: BucketAccess;
  noticesPath: string;
}

const SOURCE_BUCKET = "source";

async function withStage<T>(
  plan: Plan,
  { logsRequests, uploads }: { logsRequests: boolean; uploads: boolean },
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const { workload, folder, tools, certificate, objects, onProgress } = plan;
  const closers = createClosers();
  const start = async (side: "source" | "destination"): Promise<StoreServer> => {
    const kind = workload[side];
    const region = (side === "source" ? SOURCE_REGIONS : DESTINATION_REGIONS)[kind];
    const own = join(folder, side);
    const server =
      kind === "oss"
        ? await startOss({ folder: own, region, certificate })
        : await startVersitygw({
            program: tools.versitygw.path,
            folder: own,
            region,
            certificate,
            tls: workload.transport === "tls",
            integrityEtags: side === "destination",
            logsRequests,
          });
    closers.add(() => server.stop());
    return server;
  };
  try {
    const source = await start("source");
    const destination = await start("destination");
    if (uploads) {
      onProgress(`${workload.name}: uploading ${objects.length} objects to the source`);
      await source.createBucket(SOURCE_BUCKET);
      await source.upload(SOURCE_BUCKET, objects);
      if (workload.destination === "oss") await destination.createBucket(CONTROL_BUCKET);
    }
    const access = source.access(SOURCE_BUCKET);
    const endpoint = workload.link === undefined ? access.endpoint : await openLink(access.endpoint, workload.link, closers);
    const sourceAccess = { ...access, endpoint };
    const stage: Stage = { source, destination, sourceAccess, noticesPath: join(folder, "notices.json") };
    await runClient(plan, stage, { name: "prepare", driver: "prepare" }, SOURCE_BUCKET);
    const result = await work(stage);
    await closers.closeAll();
    return result;
  } catch (error) {
    return await closers.closeAfter(error);
  }
}

async function openLink(
  endpoint: string,
  { roundTripMs, windowBytes }: NonNullable<DataWorkload["link"]>,
  closers: ReturnType<typeof createClosers>,
): Promise<string> {
  const { protocol, port } = new URL(endpoint);
  const file = join(__dirname, "servers", "delay-process.ts");
  const { child, hello } = await startChild<number>(file, [port, String(roundTripMs), String(windowBytes)]);
  closers.add(() => stopChild(child));
  return `${protocol}//127.0.0.1:${hello}`;
}

async function countAll(plan: Plan, stage: Stage, contenders: readonly Contender[]): Promise<ContenderResult["requests"][]> {
  const counts: ContenderResult["requests"][] = [];
  for (const contender of contenders) {
    plan.onProgress(`${plan.workload.name}: counting the requests of ${nameOf(contender)}`);
    await runOnce(plan, stage, contender, {
      before: () => Promise.all([stage.source.countRequests(), stage.destination.countRequests()]),
      after: async () => {
        counts.push({ source: await stage.source.countRequests(), destination: await stage.destination.countRequests() });
      },
    });
  }
  return counts;
}

async function takeTurns(plan: Plan, stage: Stage, contenders: readonly Contender[]): Promise<Run[][]> {
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < plan.rounds; round++) {
    for (const contender of orderOfRound(contenders, round)) {
      if (
        sitsOut(
          secondsOf(runs, contender),
          [...runs.keys()].map((other) => secondsOf(runs, other)),
        )
      )
        continue;
      const run = await runOnce(plan, stage, contender);
      runs.get(contender)?.push(run);
      const seconds = `${run.wallSeconds.toFixed(2)} s`;
      plan.onProgress(`${plan.workload.name}: round ${round + 1} of ${plan.rounds}, ${nameOf(contender)}: ${seconds}`);
    }
  }
  return [...runs.values()];
}

const secondsOf = (runs: ReadonlyMap<Contender, Run[]>, contender: Contender): number[] =>
  (runs.get(contender) ?? []).map(({ wallSeconds }) => wallSeconds);

const ROUNDS_OF_A_SLOW_ONE = 2;
const SLOW_FACTOR = 10;

/**
 * True if further runs of a contender would only cost time: it took {@link SLOW_FACTOR} times as long as the fastest one in each of its
 * first rounds.
 * @param own its seconds so far, in the order of the rounds
 * @param all those of every contender
 */
export function sitsOut(own: readonly number[], all: readonly (readonly number[])[]): boolean {
  if (own.length < ROUNDS_OF_A_SLOW_ONE) return false;
  const fastest = Math.min(...all.map((seconds) => Math.max(...seconds.slice(0, ROUNDS_OF_A_SLOW_ONE))));
  return Math.min(...own) >= SLOW_FACTOR * fastest;
}

const DESTINATION_BUCKET = "destination";

/** One run into an empty bucket, whose bytes are then compared with the source's. */
async function runOnce(
  plan: Plan,
  stage: Stage,
  contender: Contender,
  hooks: { before?(): Promise<unknown>; after?(): Promise<unknown> } = {},
): Promise<Run> {
  plan.signal.throwIfAborted();
  const { destination } = stage;
  await destination.createBucket(DESTINATION_BUCKET);
  await hooks.before?.();
  const run = "own" in contender ? await runOwn(plan, stage, contender.own) : await runPeer(plan, stage, contender.peer);
  await hooks.after?.();
  assertCopied(plan.expected, await destination.digests(DESTINATION_BUCKET), nameOf(contender));
  await destination.removeBucket(DESTINATION_BUCKET);
  return run;
}

function assertCopied(expected: ReadonlyMap<string, string>, found: ReadonlyMap<string, string>, name: string): void {
  for (const [key, digest] of expected)
    if (found.get(key) !== digest)
      throw new Error(`${name}: the destination's object ${key} is ${found.has(key) ? "another" : "absent"}`);
  if (found.size !== expected.size) throw new Error(`${name}: the destination holds ${found.size} objects, not ${expected.size}`);
}

async function runOwn(plan: Plan, stage: Stage, own: Own): Promise<Run> {
  const { outcome, usage } = await runClient(plan, stage, own, DESTINATION_BUCKET);
  const { results, reasons, workSeconds } = outcome;
  if (results.replicated !== plan.objects.length)
    throw new Error(`${own.name}: ${JSON.stringify(results)} of ${plan.objects.length} keys: ${reasons.join("; ")}`);
  return { ...usage, workSeconds };
}

/** Settings of a copy as they are deployed where the stack names none. */
const { partSizeBytes, partsAtOnce, timeoutSeconds: copierSeconds } = bridgeSchema.shape.copy.parse(undefined);

async function runClient(
  plan: Plan,
  { destination, sourceAccess, noticesPath }: Stage,
  own: Pick<Own, "name" | "batchSize" | "concurrency" | "inlineLimitBytes" | "mayStream"> & { driver: Driver },
  bucket: string,
): Promise<{ outcome: ClientOutcome; usage: Usage }> {
  const { workload, folder, objects, clientPath } = plan;
  const job: ClientJob = {
    driver: own.driver,
    source: sourceAccess,
    destination: destination.access(bucket),
    controlBucket: workload.destination === "oss" ? destination.access(CONTROL_BUCKET) : undefined,
    keys: objects.map(({ key }) => key),
    noticesPath,
    outcomePath: join(folder, "outcome.json"),
    batchSize: own.batchSize ?? 1,
    concurrency: own.concurrency ?? 1,
    inlineLimitBytes: own.inlineLimitBytes ?? Number.MAX_SAFE_INTEGER,
    partSizeBytes,
    partsAtOnce,
    copierSeconds,
    mayStream: own.mayStream ?? true,
  };
  const jobPath = join(folder, "job.json");
  await writeFile(jobPath, JSON.stringify(job));
  const usage = await run(plan, [[[process.execPath, clientPath, jobPath]]]);
  const outcome = JSON.parse(await readFile(job.outcomePath, "utf8")) as ClientOutcome;
  await rm(job.outcomePath);
  return { outcome, usage };
}

async function runPeer(plan: Plan, { destination, sourceAccess }: Stage, name: PeerName): Promise<Run> {
  const { tools, objects, certificate, folder, workload } = plan;
  const scratch = join(folder, "scratch");
  await mkdir(scratch);
  try {
    const [first] = objects;
    const isOne = first !== undefined && objects.length === 1 && workload.source === "s3";
    const steps = PEERS[name].steps({
      tools,
      source: sourceAccess,
      destination: destination.access(DESTINATION_BUCKET),
      objects,
      checksum: isOne ? await checksumOf(first) : undefined,
      caPath: certificate.certPath,
      folder: scratch,
    });
    return await run(plan, steps);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

const checksums = new Map<string, string>();

/** Computed once: it takes seconds for a large object. */
async function checksumOf(object: PlannedObject): Promise<string> {
  const id = `${object.key} ${object.sizeBytes}`;
  const known = checksums.get(id) ?? (await crc64NvmeOf(contentOf(object)));
  checksums.set(id, known);
  return known;
}

async function run(plan: Plan, steps: Parameters<typeof runMeasured>[0]): Promise<Usage> {
  const { tools, folder, certificate, signal } = plan;
  const { certPath } = certificate;
  const { stdout: _log, ...usage } = await runMeasured(steps, {
    measure: tools.measure,
    folder,
    env: {
      PATH: process.env.PATH ?? "",
      // Settings of the user must not change a contender.
      HOME: folder,
      // Node.js adds the certificate to its own; Go and AWS's SDK trust it instead of the system's.
      NODE_EXTRA_CA_CERTS: certPath,
      SSL_CERT_FILE: certPath,
      AWS_CA_BUNDLE: certPath,
    },
    timeoutMs: RUN_DEADLINE_MS,
    signal,
  });
  return usage;
}
