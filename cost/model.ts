/** What a bridge costs: its requests, calls and bytes, times the prices. Pure: it reads nothing but its arguments. */
import type { Mode } from "../components/config";
import {
  BILLED,
  BILLS_DELETES,
  BILLS_MISSES,
  type Billed,
  type Cloud,
  CNY_PER_USD,
  type Currency,
  type PriceBook,
} from "./prices";
import {
  BATCH_SIZE,
  INLINE_LIMIT_BYTES,
  LARGE_OBJECT,
  LARGE_REFERENCE,
  OSS_EVENTS,
  type Path,
  PUSH_STEPS,
  type RequestName,
  type Requests,
  SMALL_OBJECT,
  sum,
  times,
  WINDOW_BATCH_SIZE,
} from "./requests";
import { ASSUMED, BUSY_MS, type FunctionRole, functionSize, LOG_BYTES } from "./times";

export interface Side {
  cloud: Cloud;
  region: string;
  acceleration?: "none" | "global" | "overseas" | undefined;
}

export interface Scenario {
  mode: Mode;
  source: Side;
  destination: Side;
  /** Objects that arrive. */
  objects: number;
  /** Of one object, on average. */
  sizeBytes: number;
  /** Many at once, so that one request asks about ten; or each alone. @default "batches" */
  arrival?: "batches" | "singly" | undefined;
  /** How long an event waits for others, at a source in AWS. @default 0 */
  batchSeconds?: number | undefined;
  /** The part of the objects that the destination has already, from 0 to 1. @default 0 */
  unchanged?: number | undefined;
  /** The part of the objects that have tags, from 0 to 1. @default 0 */
  tagged?: number | undefined;
  /** @default 64 MiB */
  inlineLimitBytes?: number | undefined;
  /** @default 16 MiB */
  partSizeBytes?: number | undefined;
  /** S3's replication time control. @default false */
  timeControl?: boolean | undefined;
}

/** What a line of the bill is for. `egress` and `write` are paid with every tool that copies objects. */
export type Group = "egress" | "write" | "read" | "queue" | "functions" | "endpoint" | "workflow" | "acceleration" | "logs";

export interface Usage {
  item: string;
  group: Group;
  cloud: Cloud;
  billed: Billed;
  quantity: number;
}

export interface CostLine extends Omit<Usage, "group"> {
  group?: Group | undefined;
  unit: string;
  /** Undefined if no price is known. */
  cost: number | undefined;
  currency: Currency | undefined;
  source: string;
}

export interface Cost {
  lines: CostLine[];
  /** Sums by currency. Lines without a price are left out. */
  totals: Partial<Record<Currency, number>>;
  /** Whether every line has a price. */
  complete: boolean;
}

/** Bills are in decimal gigabytes. */
export const GB = 1e9;

export function pathOf({ mode, destination }: Pick<Scenario, "mode" | "destination">): Path | undefined {
  if (mode === "native") return undefined;
  if (mode === "push") return "push";
  return destination.cloud === "alicloud" ? "pull-to-oss" : "pull-to-s3";
}

/** What the scenario uses, in the order of the object's way. Items of which nothing is used are left out. */
export function usageOf(scenario: Scenario): Usage[] {
  const path = pathOf(scenario);
  const usage = path === undefined ? nativeUsage(scenario) : bridgeUsage(scenario, path);
  return usage.filter(({ quantity }) => quantity > 0);
}

export const estimate = (scenario: Scenario, prices: PriceBook): Cost => priced(usageOf(scenario), prices);

export function priced(usage: readonly (Omit<Usage, "group"> & { group?: Group })[], prices: PriceBook): Cost {
  const lines = usage.map((line): CostLine => {
    const price = prices[line.cloud][line.billed];
    if (price === undefined)
      return {
        ...line,
        unit: BILLED[line.billed],
        cost: undefined,
        currency: undefined,
        source: "no price known: give it with --prices",
      };
    const { amount, currency, per, unit, source } = price;
    return { ...line, unit, cost: (line.quantity / per) * amount, currency, source };
  });
  return { lines, totals: totalsOf(lines), complete: lines.every(({ cost }) => cost !== undefined) };
}

export function totalsOf(lines: readonly CostLine[]): Cost["totals"] {
  const totals: Cost["totals"] = {};
  for (const { cost, currency } of lines)
    if (cost !== undefined && currency !== undefined) totals[currency] = (totals[currency] ?? 0) + cost;
  return totals;
}

/** Both currencies in dollars. Who prints the result names the rate. */
export const inUsd = ({ USD = 0, CNY = 0 }: Cost["totals"], cnyPerUsd = CNY_PER_USD): number => USD + CNY / cnyPerUsd;

/** In dollars, without what every tool pays: egress, and the write at the destination. */
export const beyondCopying = ({ lines }: Cost): number =>
  inUsd(totalsOf(lines.filter(({ group }) => group !== "egress" && group !== "write")));

/** In dollars, with the write at the destination. */
export const beyondEgress = ({ lines }: Cost): number => inUsd(totalsOf(lines.filter(({ group }) => group !== "egress")));

function bridgeUsage(scenario: Scenario, path: Path): Usage[] {
  const { objects, sizeBytes, inlineLimitBytes = INLINE_LIMIT_BYTES } = scenario;
  const isLarge = sizeBytes > inlineLimitBytes;
  const fresh = objects * (1 - (scenario.unchanged ?? 0));
  const work: Work = { scenario, path, fresh, unchanged: objects - fresh, isLarge, bytes: fresh * sizeBytes };
  return [...transferUsage(work), ...requestUsage(work), ...(path === "push" ? pushUsage(work) : pullUsage(work))];
}

interface Work {
  scenario: Scenario;
  path: Path;
  /** Objects that are copied. */
  fresh: number;
  unchanged: number;
  isLarge: boolean;
  /** Of the objects that are copied. */
  bytes: number;
}

function transferUsage({ scenario: { source, destination }, path, bytes }: Work): Usage[] {
  const accelerated = path === "push" ? destination : source;
  const isAccelerated = (accelerated.acceleration ?? "none") !== "none";
  return [
    {
      item: "bytes out",
      group: "egress",
      cloud: source.cloud,
      billed: isAws(source) && source.cloud === destination.cloud ? "replicationGb" : "internetGb",
      quantity: isSameRegion(source, destination) ? 0 : bytes / GB,
    },
    {
      item: "bytes out, accelerated",
      group: "acceleration",
      cloud: accelerated.cloud,
      billed: "acceleratedGb",
      quantity: isAccelerated ? bytes / GB : 0,
    },
  ];
}

const isAws = ({ cloud }: Side): boolean => cloud !== "alicloud";

/** Inside a region the bytes cost nothing. */
const isSameRegion = (source: Side, destination: Side): boolean =>
  source.cloud === destination.cloud && source.region === destination.region;

const WRITES: ReadonlySet<RequestName> = new Set(["put", "createUpload", "uploadPart", "completeUpload", "append"]);
const MISSES: ReadonlySet<RequestName> = new Set(["headMissing", "getMissing", "readTailMissing"]);

/** The requests of one object that is copied, or of one that the destination has already. */
export function requestsOfObject(scenario: Scenario, path: Path, what: "new" | "unchanged"): Requests {
  const {
    sizeBytes,
    inlineLimitBytes = INLINE_LIMIT_BYTES,
    partSizeBytes = LARGE_REFERENCE.partSizeBytes,
    tagged = 0,
  } = scenario;
  const tags = times(SMALL_OBJECT[path].tags, tagged);
  if (what === "unchanged" || sizeBytes <= inlineLimitBytes) return sum([SMALL_OBJECT[path][what], tags]);
  const { object, part } = LARGE_OBJECT[path];
  return sum([object, times(part, Math.ceil(sizeBytes / partSizeBytes)), tags]);
}

function requestUsage({ scenario, path, fresh, unchanged }: Work): Usage[] {
  const all = sum([
    times(requestsOfObject(scenario, path, "new"), fresh),
    times(requestsOfObject(scenario, path, "unchanged"), unchanged),
  ]);
  const { source, destination } = scenario;
  return [
    ...storeUsage("source", source.cloud, all.source, "read"),
    ...storeUsage("destination", destination.cloud, all.destination, "write"),
    ...storeUsage("records", (path === "push" ? source : destination).cloud, all.records, "read"),
  ];
}

const NAMES = { source: "source", destination: "destination", records: "records of the bridge" } as const;

/** @param writes whether writes are what every tool pays, or part of the bridge's own work */
function storeUsage(
  place: keyof typeof NAMES,
  cloud: Cloud,
  requests: Requests[typeof place],
  writes: "read" | "write",
): Usage[] {
  const billed = (Object.entries(requests) as [RequestName, number][]).filter(
    ([name]) => (BILLS_MISSES[cloud] || !MISSES.has(name)) && (BILLS_DELETES[cloud] || name !== "delete"),
  );
  const isWrite = (name: RequestName) => WRITES.has(name) || name === "delete";
  const count = (wanted: boolean) =>
    billed.filter(([name]) => isWrite(name) === wanted).reduce((total, [, quantity]) => total + quantity, 0);
  return [
    { item: `${NAMES[place]}: writes`, group: writes, cloud, billed: "writeRequest", quantity: count(true) },
    { item: `${NAMES[place]}: reads`, group: "read", cloud, billed: "readRequest", quantity: count(false) },
  ];
}

/** The seconds that the bytes of all objects take in one instance. */
const copySeconds = ({ bytes }: Work): number => bytes / ASSUMED.instanceBytesPerSecond;

/** How many objects meet in the sender, and what they take together. */
export interface Arrival {
  objects: number;
  /** Invocations of the sender. */
  calls: number;
  /** To the receiver. */
  requests: number;
  busyMs: Record<"new" | "unchanged", { sender: number; receiver: number }>;
}

export function arrivalOf({
  source,
  arrival = "batches",
  batchSeconds = 0,
}: Pick<Scenario, "source" | "arrival" | "batchSeconds">): Arrival {
  if (arrival === "singly") return { objects: 1, calls: 1, requests: 1, busyMs: BUSY_MS.single };
  const one = { calls: 1, requests: 1 };
  if (source.cloud !== "alicloud")
    return batchSeconds === 0
      ? { ...one, objects: BATCH_SIZE, busyMs: BUSY_MS.batch }
      : { ...one, objects: WINDOW_BATCH_SIZE, busyMs: BUSY_MS.window };
  const { events, calls, requests } = OSS_EVENTS;
  return { objects: events, calls, requests, busyMs: BUSY_MS.ossEvents };
}

function pullUsage(work: Work): Usage[] {
  const { scenario, fresh, unchanged, isLarge } = work;
  const { source, destination, objects } = scenario;
  const { busyMs, ...together } = arrivalOf(scenario);
  // A large object is asked about again while its copy runs, and by itself.
  const questions = isLarge ? fresh * (LARGE_REFERENCE.questions - 1) : 0;
  const calls = (objects * together.calls) / together.objects + questions;
  const requests = (objects * together.requests) / together.objects + questions;
  const seconds = (role: "sender" | "receiver") => {
    const copied = isLarge ? fresh * BUSY_MS.large[role] : (fresh / together.objects) * busyMs.new[role];
    return (copied + (unchanged / together.objects) * busyMs.unchanged[role]) / 1000;
  };
  const copies = isLarge ? fresh : 0;
  const bytesSeconds = copySeconds(work);
  const isEndpointBilled = destination.cloud !== "alicloud";
  return [
    ...queueUsage(source.cloud, objects + questions, objects / (scenario.arrival === "singly" ? 1 : BATCH_SIZE) + questions),
    ...functionUsage("sender", source.cloud, calls, seconds("sender")),
    {
      item: "receiver's endpoint",
      group: "endpoint",
      cloud: destination.cloud,
      billed: "apiRequest",
      quantity: isEndpointBilled ? requests : 0,
    },
    ...functionUsage("receiver", destination.cloud, requests, seconds("receiver") + (isLarge ? 0 : bytesSeconds)),
    ...functionUsage("copier", destination.cloud, copies, isLarge ? (copies * BUSY_MS.large.copier) / 1000 + bytesSeconds : 0),
    ...logUsage(source.cloud, calls, objects * LOG_BYTES.pull.sender),
    ...logUsage(destination.cloud, requests + copies, objects * LOG_BYTES.pull.receiver),
  ];
}

/** Each message is sent. A call receives or deletes ten at most, also where Lambda makes larger batches of them. */
function queueUsage(cloud: Cloud, messages: number, batches: number): Usage[] {
  if (cloud === "alicloud") return [];
  return [{ item: "queue", group: "queue", cloud, billed: "queueRequest", quantity: messages + 2 * batches }];
}

function pushUsage(work: Work): Usage[] {
  const { scenario, fresh, unchanged, isLarge } = work;
  const { cloud } = scenario.source;
  const objects = fresh + unchanged;
  const count = (what: "steps" | "pusher") => fresh * PUSH_STEPS.new[what] + unchanged * PUSH_STEPS.unchanged[what];
  const seconds = (role: "dispatcher" | "pusher") =>
    (fresh * (isLarge ? BUSY_MS.large : BUSY_MS.push.new)[role] + unchanged * BUSY_MS.push.unchanged[role]) / 1000;
  const { dispatcher, pusher } = LOG_BYTES.push;
  return [
    ...functionUsage("dispatcher", cloud, objects, seconds("dispatcher")),
    { item: "workflow", group: "workflow", cloud, billed: "workflowStep", quantity: count("steps") },
    ...functionUsage("pusher", cloud, count("pusher"), seconds("pusher") + copySeconds(work)),
    ...logUsage(cloud, 0, objects * (dispatcher + pusher)),
  ];
}

function functionUsage(role: FunctionRole, cloud: Cloud, calls: number, seconds: number): Usage[] {
  const { memoryMb, vcpus } = functionSize(cloud, role);
  const at = { group: "functions", cloud } as const;
  return [
    { ...at, item: `${role}: calls`, billed: "functionCall", quantity: calls },
    { ...at, item: `${role}: memory`, billed: "functionGbSecond", quantity: seconds * (memoryMb / 1024) },
    {
      ...at,
      item: `${role}: processor`,
      billed: "functionVcpuSecond",
      quantity: cloud === "alicloud" ? seconds * vcpus : 0,
    },
  ];
}

/** Only CloudWatch bills the log by its bytes here; the price of Simple Log Service is not known. */
function logUsage(cloud: Cloud, invocations: number, bytes: number): Usage[] {
  const platform = cloud === "alicloud" ? 0 : invocations * ASSUMED.platformLogBytes;
  return [{ item: "log", group: "logs", cloud, billed: "logGb", quantity: (bytes + platform) / GB }];
}

function nativeUsage({ source, destination, objects, sizeBytes, unchanged = 0, timeControl = false }: Scenario): Usage[] {
  const copies = objects * (1 - unchanged);
  const gigabytes = (copies * sizeBytes) / GB;
  const { cloud } = source;
  const moved = isSameRegion(source, destination) ? 0 : gigabytes;
  return [
    { item: "bytes to another region", group: "egress", cloud, billed: "replicationGb", quantity: moved },
    { item: "replication time control", group: "egress", cloud, billed: "timeControlGb", quantity: timeControl ? gigabytes : 0 },
    { item: "destination: writes", group: "write", cloud: destination.cloud, billed: "writeRequest", quantity: copies },
  ];
}
