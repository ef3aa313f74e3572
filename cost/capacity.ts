/**
 * Which limit a load meets first: settings of the bridge and default quotas of the accounts, against what the load needs. The needs follow from the request
 * counts and from the times that the simulation derives.
 */
import { COUNTED } from "./counted";
import { arrivalOf, pathOf, requestsOfObject, type Scenario } from "./model";
import { INLINE_LIMIT_BYTES, PUSH_STEPS, type Requests } from "./requests";
import { ASSUMED, BUSY_MS } from "./times";

export interface Load {
  objectsPerSecond: number;
  sizeBytes: number;
}

export interface Limit {
  /** A setting in code, or a quota. */
  name: string;
  /** Who sets it. */
  of: "bridge" | "account";
  default: number;
  unit: string;
  needed: number;
  /** The part of it that is used while work waits for it. @default 1 */
  use?: number | undefined;
  /** What to do where the load needs more. */
  raise: string;
  /** Where the vendor publishes a quota. */
  source?: string | undefined;
}

/** Objects a second that the limit lets pass by default. */
export function allows({ default: given, needed, use = 1 }: Limit, { objectsPerSecond }: Load): number {
  if (needed === 0) return Number.POSITIVE_INFINITY;
  return (given / needed) * objectsPerSecond * (given < needed ? use : 1);
}

/** The defaults of the settings. A test compares them with the schema. */
export const SETTINGS = {
  concurrency: 5,
  copiesAtOnce: 3,
  requestsPerSecond: 50,
  inlineLimitBytes: INLINE_LIMIT_BYTES,
  copySeconds: 900,
} as const;

/** An instance of the sender at an OSS source has two requests at once, so `concurrency` is for half as many instances. */
export const OSS_SENDER_LANES = 2;

const S3_QUOTAS = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html";
const LAMBDA_QUOTAS = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html";
const SQS_SCALING = "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html";
const API_QUOTAS = "https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html";
const FC_QUOTAS =
  "https://www.alibabacloud.com/help/en/functioncompute/fc/user-guide/overview-of-configuring-the-maximum-number-of-on-demand-instances";
const FLOW_QUOTAS = "https://www.alibabacloud.com/help/en/serverless-workflow/latest/limits";
const OSS_QUOTAS = "https://www.alibabacloud.com/help/en/oss/user-guide/does-oss-throttle-bandwidth-and-qps";

/** The bytes that one copier moves a second, its start and its end included. */
export function copyBytesPerSecond(sizeBytes: number): number {
  return sizeBytes / (sizeBytes / ASSUMED.instanceBytesPerSecond + BUSY_MS.large.copier / 1000);
}

/**
 * How busy slots and instances are while work waits for them. A slot of a copy stays free until a key that waits asks again; an execution that was throttled
 * tries again after a second or more.
 */
export const USE: { readonly copies: number; readonly pushers: number } = COUNTED.use;

/** Every limit that the load meets, the lowest first. */
export function limitsOf(scenario: Omit<Scenario, "objects" | "sizeBytes">, load: Load): Limit[] {
  const isLarge = load.sizeBytes > SETTINGS.inlineLimitBytes;
  const path = pathOf(scenario);
  if (path === undefined) return [];
  const whole: Scenario = { ...scenario, objects: 1, sizeBytes: load.sizeBytes };
  const requests = requestsOfObject(whole, path, "new");
  const own = path === "push" ? pushLimits(load, isLarge) : pullLimits(scenario, load, isLarge);
  const limits = [...own, ...storeLimits(scenario, load, requests)];
  return limits.filter(({ needed }) => needed > 0).sort((one, other) => allows(one, load) - allows(other, load));
}

type Pair = Pick<Scenario, "source" | "destination">;

function pullLimits({ source, destination }: Pair, load: Load, isLarge: boolean): Limit[] {
  const { objectsPerSecond: rate, sizeBytes } = load;
  const together = arrivalOf({ source });
  const busy = isLarge ? BUSY_MS.large : together.busyMs.new;
  const perGroup = isLarge ? 1 : together.objects;
  const senders = ((rate / perGroup) * busy.sender) / 1000;
  const receivers = ((rate / perGroup) * busy.receiver) / 1000;
  const requests = isLarge ? rate * COUNTED.questions : (rate / perGroup) * together.requests;
  const copies = isLarge ? (rate * sizeBytes) / copyBytesPerSecond(sizeBytes) : 0;
  const limits: Limit[] = [
    source.cloud === "alicloud"
      ? setting("concurrency", SETTINGS.concurrency, senders * OSS_SENDER_LANES, "requests of senders at once")
      : setting("concurrency", SETTINGS.concurrency, senders, "senders at once"),
    setting("rateLimit.requestsPerSecond", SETTINGS.requestsPerSecond, requests, "requests / s"),
    { ...setting("copy.concurrency", SETTINGS.copiesAtOnce, copies, "copies at once"), use: USE.copies },
  ];
  if (source.cloud === "alicloud") limits.push(fcInstances("the source", senders));
  else {
    limits.push(lambdaExecutions("the source", senders));
    const mapping = "nothing: it starts with 5 and adds 300 a minute";
    limits.push(account("SQS mapping: batches at once", 1_000, senders, mapping, "at once", SQS_SCALING));
  }
  if (destination.cloud === "alicloud") {
    limits.push(setting("concurrency", SETTINGS.concurrency, receivers, "receivers at once"));
    limits.push(fcInstances("the destination", receivers + copies));
  } else {
    limits.push(lambdaExecutions("the destination", receivers + copies));
    limits.push(account("API Gateway: requests", 10_000, requests, "have the quota raised", "requests / s", API_QUOTAS));
  }
  return limits;
}

function pushLimits({ objectsPerSecond: rate, sizeBytes }: Load, isLarge: boolean): Limit[] {
  const bytesSeconds = sizeBytes / ASSUMED.instanceBytesPerSecond;
  const pusherSeconds = (isLarge ? BUSY_MS.large : BUSY_MS.push.new).pusher / 1000 + (isLarge ? bytesSeconds : 0);
  const pushers = rate * pusherSeconds;
  const dispatchers = (rate * BUSY_MS.push.new.dispatcher) / 1000;
  const starts = rate;
  const steps = rate * PUSH_STEPS.new.steps;
  return [
    { ...setting("concurrency", SETTINGS.concurrency, pushers, "pushers at once"), use: isLarge ? 1 : USE.pushers },
    setting("copy.concurrency", SETTINGS.copiesAtOnce, isLarge ? pushers : 0, "copies at once"),
    fcInstances("the source", pushers + dispatchers),
    account("CloudFlow: steps", 100, steps, "have the quota raised", "steps / s", FLOW_QUOTAS),
    account("CloudFlow: executions started", 100, starts, "have the quota raised", "starts / s", FLOW_QUOTAS),
  ];
}

/** Gbit/s that OSS moves over the internet for one account and region, by default: on the mainland, and elsewhere. */
const OSS_GBITS = { mainland: 10, elsewhere: 5 } as const;

function storeLimits({ source, destination }: Pair, load: Load, requests: Requests): Limit[] {
  const { objectsPerSecond: rate, sizeBytes } = load;
  const total = (counts: object, names: RegExp): number =>
    Object.entries(counts as Record<string, number>)
      .filter(([name]) => names.test(name))
      .reduce((sum, [, count]) => sum + count, 0);
  const limits: Limit[] = [];
  const s3 = (side: string, counts: object) => {
    const spread = "spread the keys over prefixes; S3 splits them by itself";
    const reads = rate * total(counts, /^(head|get)/);
    const writes = rate * total(counts, /^(put|create|upload|complete|delete)/);
    limits.push(account(`S3: reads of a prefix at ${side}`, 5_500, reads, spread, "requests / s", S3_QUOTAS));
    limits.push(account(`S3: writes of a prefix at ${side}`, 3_500, writes, spread, "requests / s", S3_QUOTAS));
  };
  const oss = (side: string, region: string, counts: object) => {
    const ask = "have the quota raised; keys in order (dates) get 2,000";
    limits.push(account(`OSS: requests at ${side}`, 10_000, rate * total(counts, /./), ask, "requests / s", OSS_QUOTAS));
    const gbits = OSS_GBITS[region.startsWith("cn-") && region !== "cn-hongkong" ? "mainland" : "elsewhere"];
    const needed = (rate * sizeBytes * 8) / 1e9;
    limits.push(account(`OSS: bandwidth at ${side}`, gbits, needed, "have the quota raised", "Gbit/s", OSS_QUOTAS));
  };
  if (source.cloud === "alicloud") oss("the source", source.region, requests.source);
  else s3("the source", requests.source);
  if (destination.cloud === "alicloud") oss("the destination", destination.region, requests.destination);
  else s3("the destination", requests.destination);
  return limits;
}

const setting = (key: string, given: number, needed: number, unit: string): Limit => ({
  ...{ name: `\`${key}\``, of: "bridge", default: given, unit, needed, raise: `\`${key}: ${Math.ceil(needed)}\` or more` },
});
function account(name: string, given: number, needed: number, raise: string, unit = "at once", source?: string): Limit {
  return { name, of: "account", default: given, unit, needed, raise, source };
}
const lambdaExecutions = (side: string, needed: number): Limit =>
  account(
    `Lambda: executions at ${side}`,
    1_000,
    needed,
    "a new account has 10: have the quota raised",
    "at once",
    LAMBDA_QUOTAS,
  );
const fcInstances = (side: string, needed: number): Limit =>
  account(`Function Compute: instances at ${side}`, 100, needed, "have the quota raised", "at once", FC_QUOTAS);

/** The largest object that one run of a copier finishes. A larger one goes on in the next run. */
export const largestInOneRun = (): number =>
  (SETTINGS.copySeconds - BUSY_MS.large.copier / 1000) * ASSUMED.instanceBytesPerSecond;
