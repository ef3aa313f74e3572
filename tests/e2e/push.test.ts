/** Push mode: one workflow execution per object, with repeated events, crashes and flipped bits. */
import { randomBytes } from "node:crypto";
import type OSS from "ali-oss";
import type { OssEvent } from "local-alicloud";
import { ensureCertificate } from "../../local/aws/certificate";
import { ends } from "../../local/cli/ends";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { ossClient } from "../../local/oss-client";
import { DEFAULT_STATE_DIR } from "../../local/paths";
import { parsePushState } from "../../runtime/protocol/push";
import type { Lease } from "../../runtime/replication/lease";
import { size } from "../support/sizes";
import { arrives, openPairEnd, type PairEnd } from "./pairs/pair-end";
import { type SourceEvents, sourceEvents } from "./pairs/source-events";
import { inBatches } from "./support/batches";
import { eventually } from "./support/eventually";
import { START_MS } from "./support/stack";
import { type SeenRequest, startTlsProxy, type TlsProxy } from "./support/tls-proxy";
import { stopAt, treatOnce } from "./support/treat-once";

const MIB = 1024 * 1024;
const PART = 5 * MIB;
/** Four parts. */
const LARGE = 18 * MIB;
const ARRIVE_MS = 60_000;
const INTERNAL = "oss-cn-shanghai-internal.aliyuncs.com";
const ACCELERATED = "oss-accelerate.aliyuncs.com";

let clouds: LocalClouds;
let local: LocalStack;
let source: PairEnd;
let destination: PairEnd;
let events: SourceEvents;
let reads: TlsProxy;
let writes: TlsProxy;
/** Endpoints of OSS without the proxies. */
let direct: Record<string, string>;
/** Every event that the source sent. */
const sent: OssEvent[] = [];
/** Number of deliveries of each event. */
let deliveries = 1;

beforeAll(async () => {
  clouds = await startLocalClouds({ clouds: ["alicloud"] });
  const { alicloud } = clouds;
  const endpoints = alicloud.endpoints;
  const certificate = await ensureCertificate(DEFAULT_STATE_DIR);
  direct = { [INTERNAL]: endpoints[INTERNAL] ?? "", [ACCELERATED]: endpoints[ACCELERATED] ?? "" };
  // Proxies between the functions and OSS, for reads and for writes.
  reads = await startTlsProxy(endpoints[INTERNAL] ?? "", certificate);
  writes = await startTlsProxy(endpoints[ACCELERATED] ?? "", certificate);
  endpoints[INTERNAL] = reads.origin;
  endpoints[ACCELERATED] = writes.origin;
  const deliver = alicloud.fc.deliver.bind(alicloud.fc);
  alicloud.fc.deliver = (event) => {
    sent.push(event);
    for (let time = 0; time < deliveries; time++) deliver(event);
  };
  local = await startLocalStack({
    stack: "oss-accelerated",
    clouds,
    settings: {
      "crossborderbridge:inlineLimitBytes": MIB,
      "crossborderbridge:copy": { partSizeBytes: PART, partsAtOnce: 2, concurrency: 2, timeoutSeconds: 60 },
      "crossborderbridge:deletes": "replicate",
      "crossborderbridge:concurrency": 4,
      "crossborderbridge:logLevel": "info",
    },
  });
  const both = ends(local);
  source = openPairEnd(both.source);
  destination = openPairEnd(both.destination);
  events = sourceEvents(local);
}, START_MS);

afterAll(async () => {
  for (const one of [source, destination, events]) one?.close();
  await local?.stop();
  await reads?.close();
  await writes?.close();
  await clouds?.stop();
});

const arrived = (key: string): Promise<void> => arrives(source, destination, key, ARRIVE_MS);

const executionsFor = (key: string) =>
  clouds.alicloud.flow
    .executions("cn-shanghai", local.outputs.flowName ?? "")
    .filter(({ input }) => parsePushState(JSON.parse(input)).key === key);

const bucketOf = (side: "source" | "destination") => ends(local)[side].bucket;
const about = (side: "source" | "destination", key: string) => (request: SeenRequest) =>
  request.path.startsWith(`/${bucketOf(side)}/${encodeURIComponent(key)}`);
const partOf = (key: string) => (request: SeenRequest) =>
  about("destination", key)(request) && request.path.includes("partNumber=");

/** The vendor's client at the destination, for calls that a `PairEnd` does not have. */
const client = (): OSS => ossClient(ends(local).destination);

test("an object has one execution, if its event comes three times at once or again after the execution", async () => {
  deliveries = 3;
  await source.put("repeated", Buffer.from("once"));
  deliveries = 1;
  await arrived("repeated");
  await events.settled();
  expect(executionsFor("repeated").map(({ status }) => status)).toEqual(["Succeeded"]);

  const [event] = sent.filter(({ oss }) => oss.object.key === "repeated");
  if (event === undefined) throw new Error("the source sent no event");
  clouds.alicloud.fc.deliver(event);
  await events.settled();
  expect(executionsFor("repeated")).toHaveLength(1);
  expect(await destination.versions("repeated")).toBe(1);
});

test("reads use the internal endpoint, writes the accelerated one", async () => {
  await source.put("routed", Buffer.from("by two ways"));
  await arrived("routed");
  expect(reads.exchanges.some(({ method, path }) => method === "GET" && path.startsWith(`/${bucketOf("source")}/routed`))).toBe(
    true,
  );
  expect(
    writes.exchanges.some(({ method, path }) => method === "PUT" && path.startsWith(`/${bucketOf("destination")}/routed`)),
  ).toBe(true);
});

test.each([
  ["on its way out of the source, small", "flipped-read-small", 1000, "flip-answer"],
  ["on its way out of the source, large", "flipped-read-large", LARGE, "flip-answer"],
  ["on its way into the destination, small", "flipped-write-small", 1000, "flip-request"],
  ["on its way into the destination, large", "flipped-write-large", LARGE, "flip-request"],
] as const)(
  "a bit that flips %s is found, the wrong object is never visible, and the right one arrives",
  async (_, key, sizeBytes, kind) => {
    const body = randomBytes(sizeBytes);
    const large = sizeBytes > MIB;
    const isData = (request: SeenRequest) =>
      kind === "flip-answer"
        ? // Only an answer to a GET has bytes. A HEAD comes first.
          request.method === "GET" && about("source", key)(request) && !request.path.includes("tagging")
        : large
          ? partOf(key)(request)
          : about("destination", key)(request) && request.body.length === sizeBytes;
    const flipped = treatOnce(kind === "flip-answer" ? reads : writes, isData, () => ({ kind }));
    await source.put(key, body);
    await flipped;
    await arrived(key);
    await events.settled();
    expect((await destination.look(key))?.sizeBytes).toBe(sizeBytes);
    // The wrong bytes are not an older version either.
    expect(await destination.versions(key)).toBe(1);
    expect(await events.deadLetters()).toEqual([]);
  },
);

test("a copy that is killed resumes from the uploaded parts, and ends equal", async () => {
  const body = randomBytes(LARGE);
  const stop = stopAt(
    reads,
    (request) => about("source", "killed")(request) && request.range === `bytes=${2 * PART}-${3 * PART - 1}`,
    (until) => ({ kind: "pause", afterBytes: MIB, until }),
  );
  await source.put("killed", body);
  await stop.reached;
  await eventually(async () => expect(await partsOf("killed")).toEqual([1, 2, 4]), {
    deadlineMs: ARRIVE_MS,
    what: "three parts are uploaded",
  });
  const workers = clouds.alicloud.fc.workers().filter(({ functionName }) => functionName === local.outputs.pusherFunctionName);
  expect(workers.length).toBeGreaterThan(0);
  for (const { pid } of workers) process.kill(pid, "SIGKILL");
  stop.release();
  await endLease();
  await arrived("killed");
  const ranges = reads.exchanges
    .filter(({ path, range }) => path.startsWith(`/${bucketOf("source")}/killed`) && range !== undefined && range !== "bytes=0-0")
    .map(({ range }) => range);
  expect(ranges.filter((range) => range === `bytes=0-${PART - 1}`)).toHaveLength(1);
  expect(ranges.filter((range) => range === `bytes=${2 * PART}-${3 * PART - 1}`)).toHaveLength(2);
  expect(executionsFor("killed")).toHaveLength(1);
});

test("many objects at once all arrive, each by one execution", async () => {
  // Without the proxies, which take half of the machine. New workers read the new endpoints.
  Object.assign(clouds.alicloud.endpoints, direct);
  for (const { pid } of clouds.alicloud.fc.workers()) process.kill(pid, "SIGKILL");
  const keys = Array.from({ length: size(300, 1000) }, (_, index) => `many/${String(index).padStart(4, "0")}`);
  await inBatches(keys, 32, (key) => source.put(key, Buffer.from(key)));
  await eventually(
    async () => {
      await events.settled();
      const there = new Set(await listAll("many/"));
      expect(keys.filter((key) => !there.has(key))).toEqual([]);
    },
    { deadlineMs: 400_000, what: "all of them are at the destination" },
  );
  const runs = clouds.alicloud.flow
    .executions("cn-shanghai", local.outputs.flowName ?? "")
    .filter(({ input }) => parsePushState(JSON.parse(input)).key.startsWith("many/"));
  expect(runs).toHaveLength(keys.length);
  expect(runs.filter(({ status }) => status !== "Succeeded")).toEqual([]);
  expect(await events.deadLetters()).toEqual([]);
}, 420_000);

// Last: it leaves a dead letter behind.
test("of a symbolic link arrives what its reader gets; a link that leads nowhere is parked with its reason", async () => {
  const links = ossClient(ends(local).source);
  await source.put("original", Buffer.from("behind the link"), { metadata: { of: "original" } });
  await links.putSymlink("link", "original", { headers: { "x-oss-meta-of": "link" } } as unknown as OSS.PutSymlinkOptions);
  await arrived("link");
  expect(await destination.look("link")).toMatchObject({ sizeBytes: 15, metadata: { of: "link" } });
  await links.putSymlink("dangling", "nowhere", {} as unknown as OSS.PutSymlinkOptions);
  await events.settled();
  expect(await events.deadLetters()).toMatchObject([
    { key: "dangling", reason: expect.stringMatching(/the target of the symbolic link does not exist/) },
  ]);
});

async function partsOf(key: string): Promise<number[]> {
  const oss = client();
  const { uploads } = (await oss.listUploads({ prefix: key, "max-uploads": 10 } as never, {})) as unknown as {
    uploads: { name: string; uploadId: string }[];
  };
  const uploadId = uploads?.find(({ name }) => name === key)?.uploadId;
  if (uploadId === undefined) return [];
  const { parts } = await (
    oss as unknown as {
      listParts(name: string, id: string, query: object): Promise<{ parts: { PartNumber: string }[] }>;
    }
  ).listParts(key, uploadId, { "max-parts": 100 });
  return parts.map(({ PartNumber }) => Number(PartNumber));
}

/** Ends the only lease now. It lasts two minutes, and the test cannot change the functions' clock. */
async function endLease(): Promise<void> {
  const { alicloud } = clouds;
  const region = "cn-shanghai";
  const { accessKeyId, accessKeySecret } = alicloud.ram.root;
  const control = ossClient({
    endpoint: alicloud.endpointsOf(region).oss.public,
    region,
    bucket: `${bucketOf("source")}-oss-accelerated-bridge-control`,
    caPath: alicloud.caPath,
    credentials: { accessKeyId, secretAccessKey: accessKeySecret },
  });
  const held: { name: string; line: { lease: Lease; writer: string }; length: number }[] = [];
  const { objects = [] } = (await control.listV2({ "max-keys": "1000" } as never, {})) as { objects?: { name: string }[] };
  for (const { name } of objects) {
    const log = (await control.get(name)).content as Buffer;
    const line = JSON.parse(log.toString("utf8").trimEnd().split("\n").at(-1) ?? "") as (typeof held)[number]["line"];
    if (line.lease?.outcome === undefined && line.lease !== undefined) held.push({ name, line, length: log.length });
  }
  const [only, ...others] = held;
  if (only === undefined || others.length > 0) throw new Error(`${held.length} leases are held, not one`);
  expect(only.line.lease.leaseUntilMs).toBeGreaterThan(Date.now());
  const ended = { ...only.line, lease: { ...only.line.lease, leaseUntilMs: Date.now() - 1 } };
  await control.append(only.name, Buffer.from(`${JSON.stringify(ended)}\n`), { position: String(only.length) });
}

async function listAll(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = (await client().listV2(
      { prefix, "max-keys": "1000", ...(token ? { "continuation-token": token } : {}) } as never,
      {},
    )) as unknown as { objects?: { name: string }[]; nextContinuationToken?: string };
    for (const { name } of page.objects ?? []) keys.push(name);
    token = page.nextContinuationToken;
  } while (token);
  return keys;
}
