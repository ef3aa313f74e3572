/**
 * Loads the stack of `npm start`: objects at a steady rate, and bursts. Prints the lag, the throughput, the processor time of each process, and
 * what the emulator alone carries: a bare client that makes the same calls.
 *
 *     npx tsx bench/local-stack.ts                     all workloads
 *     npx tsx bench/local-stack.ts rate:1 burst:1000   some of them
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { Agent } from "undici";
import { ends, type LocalEnd } from "../local/cli/ends";
import { type LocalStack, startLocalStack } from "../local/local-stack";
import { canonicalQuery, encodeRfc3986, presignQuery, sha256Hex, signHeaders, UNSIGNED_PAYLOAD } from "../runtime/http/sigv4";

export type Workload = { rate: number; seconds: number } | { burst: number };

export interface LocalStackOptions {
  /** @default 1, 10 and 100 objects/s for 20 s each, and bursts of 1,000 and 5,000 */
  workloads?: readonly Workload[] | undefined;
  /** @default 4 KiB */
  sizeBytes?: number | undefined;
  /** Reads `Pulumi.<stack>.yaml`. Both sides must be in AWS. @default dev */
  stack?: string | undefined;
  onProgress?: ((line: string) => void) | undefined;
}

export interface Quantiles {
  p50: number;
  p95: number;
  p99: number;
}

export interface LoadResult {
  workload: Workload;
  objects: number;
  /** From the first write at the source to the last one at the destination. */
  objectsPerSecond: number;
  /** From the write at the source to the write at the destination, by the emulators' clocks, which are one. */
  lagMs: Quantiles;
  /** Processor seconds of each kind of process during the workload. */
  cpuSeconds: Record<string, number>;
}

export interface LocalStackResults {
  loads: LoadResult[];
  /**
   * The same calls by one client, without functions, queues and gateway: many objects at once, and one after the other. `lagMs` adds one
   * invocation of each of the two functions that has nothing to do, the receiver's through the gateway.
   */
  bare: { objectsPerSecond: number; lagMs: Quantiles; cpuSeconds: Record<string, number> };
}

const DEFAULT_WORKLOADS: readonly Workload[] = [
  { rate: 1, seconds: 20 },
  { rate: 10, seconds: 20 },
  { rate: 100, seconds: 20 },
  { burst: 1_000 },
  { burst: 5_000 },
];
/** Writes of a burst at the same time: more would only wait inside the emulator. */
const CLIENT_CONNECTIONS = 16;
/** A load that has not arrived after this time has failed. */
const PATIENCE_MS = 300_000;

/** @throws Error when an object does not arrive. */
export async function measureLocalStack(options: LocalStackOptions = {}): Promise<LocalStackResults> {
  const { workloads = DEFAULT_WORKLOADS, sizeBytes = 4096, stack: name = "dev", onProgress = () => undefined } = options;
  const stack = await startLocalStack({ stack: name, onProgress });
  const client = BareClient.open(stack, sizeBytes);
  try {
    // The first objects start the functions.
    await runLoad(client, { burst: 40 }, "warm-up");
    const loads: LoadResult[] = [];
    for (const [index, workload] of workloads.entries()) {
      onProgress(`load: ${describe(workload)}`);
      loads.push(await runLoad(client, workload, `load-${index}`));
      onProgress(`${describe(workload)}: ${loads.at(-1)?.objectsPerSecond.toFixed(1)} objects/s`);
    }
    onProgress("the bare client");
    return { loads, bare: await runBare(client, stack) };
  } finally {
    await client.close();
    await stack.stop();
  }
}

export const describe = (workload: Workload): string =>
  "burst" in workload ? `burst of ${workload.burst}` : `${workload.rate} objects/s for ${workload.seconds} s`;

async function runLoad(client: BareClient, workload: Workload, prefix: string): Promise<LoadResult> {
  const before = cpuByProcess();
  const objects = "burst" in workload ? workload.burst : workload.rate * workload.seconds;
  const keys = Array.from({ length: objects }, (_, index) => `${prefix}/${String(index).padStart(6, "0")}`);
  if ("burst" in workload) await atOnce(CLIENT_CONNECTIONS, keys, (key) => client.write(client.source, key));
  else await atRate(workload.rate, keys, (key) => client.write(client.source, key));
  const arrived = await arrivals(client, prefix, objects);
  const written = await client.list(client.source, prefix);
  const lags = keys.map((key) => (arrived.get(key) as number) - (written.get(key) as number));
  const spanMs = Math.max(...arrived.values()) - Math.min(...written.values());
  return {
    workload,
    objects,
    objectsPerSecond: (objects * 1000) / Math.max(1, spanMs),
    lagMs: quantiles(lags),
    cpuSeconds: difference(before, cpuByProcess()),
  };
}

/** When each key was written at the destination. Looks rarely, so that the looking takes no time from the load. */
async function arrivals(client: BareClient, prefix: string, objects: number): Promise<Map<string, number>> {
  const endMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const arrived = await client.list(client.destination, prefix);
    if (arrived.size === objects) return arrived;
    if (Date.now() > endMs) throw new Error(`${objects - arrived.size} of ${objects} objects below ${prefix}/ have not arrived`);
    // The emulator tells nobody when an object arrives, and what listens in its place would be a part of the load.
    await delay(Math.min(5_000, 500 + (objects - arrived.size) * 2));
  }
}

async function atOnce<T>(limit: number, items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) await work(item);
  };
  await Promise.all(Array.from({ length: limit }, worker));
}

/** Open loop: an item begins at its time, whether or not the one before has ended. */
async function atRate<T>(perSecond: number, items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const startMs = Date.now();
  const running: Promise<unknown>[] = [];
  for (const [index, item] of items.entries()) {
    await delay(Math.max(0, startMs + (index * 1000) / perSecond - Date.now()));
    running.push(work(item));
  }
  await Promise.all(running);
}

/** The requests that the bridge makes for one small object. */
async function sameCalls(client: BareClient, key: string): Promise<void> {
  const { source, destination } = client;
  await client.head(source, key);
  await client.head(destination, key);
  const bytes = await client.readPresigned(source, key);
  await client.write(destination, key, bytes);
  await client.head(source, key);
}

const BARE_OBJECTS = 1_000;
const BARE_SAMPLES = 50;

async function runBare(client: BareClient, { outputs }: LocalStack): Promise<LocalStackResults["bare"]> {
  const bare = await client.withoutEvents();
  const keys = Array.from({ length: BARE_OBJECTS }, (_, index) => `bare/${index}`);
  const before = cpuByProcess();
  const startMs = performance.now();
  await atOnce(CLIENT_CONNECTIONS, keys, async (key) => {
    await bare.write(bare.source, key);
    await sameCalls(bare, key);
  });
  const ms = performance.now() - startMs;
  const cpuSeconds = difference(before, cpuByProcess());
  const samples: number[] = [];
  for (let index = 0; index < BARE_SAMPLES; index++) {
    const key = `alone/${index}`;
    await bare.write(bare.source, key);
    const sampleMs = performance.now();
    await bare.invoke(outputs.senderFunctionName as string);
    await bare.knock(outputs.receiverUrl as string);
    await sameCalls(bare, key);
    samples.push(performance.now() - sampleMs);
  }
  return { objectsPerSecond: (BARE_OBJECTS * 1000) / ms, lagMs: quantiles(samples), cpuSeconds };
}

/** Signs and sends requests, and nothing else. */
class BareClient {
  readonly #agent: Agent;

  private constructor(
    readonly source: LocalEnd,
    readonly destination: LocalEnd,
    private readonly body: Buffer,
  ) {
    const ca = readFileSync(source.caPath);
    this.#agent = new Agent({ connections: CLIENT_CONNECTIONS * 4, keepAliveTimeout: 60_000, connect: { ca } });
  }

  static open(stack: LocalStack, sizeBytes: number): BareClient {
    const { source, destination } = ends(stack);
    return new BareClient(source, destination, Buffer.alloc(sizeBytes, "x"));
  }

  /** The same client with a source bucket that sends no events. */
  async withoutEvents(): Promise<BareClient> {
    const other = new BareClient({ ...this.source, bucket: "bare-source" }, this.destination, this.body);
    await other.#send(other.source, "PUT", "");
    return other;
  }

  async write(end: LocalEnd, key: string, body = this.body): Promise<void> {
    await this.#send(end, "PUT", key, { body });
  }

  async head(end: LocalEnd, key: string): Promise<void> {
    await this.#send(end, "HEAD", key);
  }

  async readPresigned(end: LocalEnd, key: string): Promise<Buffer> {
    const { host } = new URL(end.endpoint);
    const path = pathOf(end, key);
    const scope = { service: "s3", region: end.region, nowMs: Date.now(), expiresInSeconds: 600 };
    const query = presignQuery({ method: "GET", host, path }, end.credentials, scope);
    return await this.#answer(end.endpoint, `${path}?${query}`, { method: "GET", headers: {} });
  }

  /** @returns the time of the last write of each key, ms */
  async list(end: LocalEnd, prefix: string): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (let token: string | undefined = ""; token !== undefined; ) {
      const query: Record<string, string> = { "list-type": "2", prefix: `${end.prefix}${prefix}/` };
      if (token !== "") query["continuation-token"] = token;
      const page = (await this.#send(end, "GET", "", { query })).toString("utf8");
      for (const [, key = "", time = ""] of page.matchAll(/<Key>([^<]*)<\/Key><LastModified>([^<]*)</g))
        found.set(key.slice(end.prefix.length), Date.parse(time));
      token = /<NextContinuationToken>([^<]*)</.exec(page)?.[1];
    }
    return found;
  }

  /** Invokes a function with an event that names no object. */
  async invoke(functionName: string): Promise<void> {
    const { endpoint, region, credentials } = this.source;
    const path = `/2015-03-31/functions/${encodeRfc3986(functionName)}/invocations`;
    const body = Buffer.from('{"Records":[]}');
    const request = { method: "POST", host: new URL(endpoint).host, path, payloadHash: sha256Hex(body) };
    const headers = signHeaders(request, credentials, { service: "lambda", region, nowMs: Date.now() });
    await this.#answer(endpoint, path, { method: "POST", headers, body });
  }

  /** Sends the receiver a request that it refuses, because it has no signature. */
  async knock(receiverUrl: string): Promise<void> {
    const { origin, pathname } = new URL(receiverUrl);
    await this.#answer(origin, pathname, { method: "POST", headers: {}, body: Buffer.from("{}") }, [401, 429]);
  }

  async #send(
    end: LocalEnd,
    method: "GET" | "HEAD" | "PUT",
    key: string,
    { body, query }: { body?: Buffer; query?: Record<string, string> } = {},
  ): Promise<Buffer> {
    const { endpoint, region, credentials } = end;
    const path = pathOf(end, key);
    const request = { method, host: new URL(endpoint).host, path, query, payloadHash: UNSIGNED_PAYLOAD };
    const headers = signHeaders(request, credentials, { service: "s3", region, nowMs: Date.now() });
    const fullPath = query === undefined ? path : `${path}?${canonicalQuery(query)}`;
    return await this.#answer(endpoint, fullPath, { method, headers, ...(body === undefined ? {} : { body }) }, [200, 404]);
  }

  async #answer(origin: string, path: string, request: BareRequest, accepted: readonly number[] = [200]): Promise<Buffer> {
    const { statusCode, body } = await this.#agent.request({ origin, path, ...request });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (!accepted.includes(statusCode)) throw new Error(`${request.method} ${path.split("?")[0]}: ${statusCode} ${bytes}`);
    return bytes;
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }
}

interface BareRequest {
  method: "GET" | "HEAD" | "PUT" | "POST";
  headers: Record<string, string>;
  body?: Buffer;
}

function pathOf({ bucket, prefix }: LocalEnd, key: string): string {
  return `/${bucket}${key === "" ? "" : `/${(prefix + key).split("/").map(encodeRfc3986).join("/")}`}`;
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Linux counts processor time in hundredths of a second. */
const TICKS_PER_SECOND = 100;

/** Processor seconds so far of this process and of those that it started, directly or not. */
function cpuByProcess(): Record<string, number> {
  const parents = new Map<number, { parent: number; seconds: number }>();
  for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    const stat = readProc(name, "stat");
    // The name of the program may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (stat !== "")
      parents.set(Number(name), {
        parent: Number(fields[1]),
        seconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      });
  }
  const isOurs = (pid: number): boolean =>
    pid === process.pid || (parents.has(pid) && isOurs(parents.get(pid)?.parent as number));
  const shares: Record<string, number> = {};
  for (const [pid, { seconds }] of parents) {
    if (!isOurs(pid)) continue;
    const kind = kindOf(pid);
    shares[kind] = (shares[kind] ?? 0) + seconds;
  }
  return shares;
}

function kindOf(pid: number): string {
  if (pid === process.pid) return "this script";
  const environment = Object.fromEntries(
    readProc(`${pid}`, "environ")
      .split("\0")
      .map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]),
  );
  const { AWS_LAMBDA_FUNCTION_NAME: functionName, MINISTACK_REGION: region } = environment;
  if (functionName !== undefined) return functionName.split("-").at(-1) as string;
  return region === undefined ? "others" : `emulator ${region}`;
}

/** Empty for a process that has ended. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return "";
    throw error;
  }
}

/** A process that has ended in between counts as nothing. */
function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([kind, seconds]) => [kind, Math.max(0, seconds - (before[kind] ?? 0))]));
}

function parseWorkload(text: string): Workload {
  const [kind, count, seconds = "20"] = text.split(":");
  if (kind === "rate") return { rate: Number(count), seconds: Number(seconds) };
  if (kind === "burst") return { burst: Number(count) };
  throw new Error(`a workload is rate:<objects/s>[:<seconds>] or burst:<objects>, not ${text}`);
}

async function main(): Promise<void> {
  const given = process.argv.slice(2).map(parseWorkload);
  const { loads, bare } = await measureLocalStack({
    workloads: given.length === 0 ? undefined : given,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const round = (numbers: object) =>
    JSON.stringify(numbers, (_, value) => (typeof value === "number" ? Math.round(value * 10) / 10 : value));
  for (const { workload, objectsPerSecond, lagMs, cpuSeconds } of loads)
    console.log(`${describe(workload)}: ${objectsPerSecond.toFixed(1)}/s, lag ms ${round(lagMs)}, CPU s ${round(cpuSeconds)}`);
  console.log(
    `the emulator alone: ${bare.objectsPerSecond.toFixed(1)}/s, lag ms ${round(bare.lagMs)}, CPU s ${round(bare.cpuSeconds)}`,
  );
}

if (require.main === module)
  main().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
