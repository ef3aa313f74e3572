/** Runs the real roles, and counts what `cost/counted.ts` holds. The functions are warm: they have replicated an object with and one without tags. */
import {
  BATCH_SIZE,
  type Counts,
  INLINE_LIMIT_BYTES,
  LARGE_REFERENCE,
  type Path,
  type Requests,
  WINDOW_BATCH_SIZE,
} from "../../cost/requests";
import { ASSUMED } from "../../cost/times";
import { PullPath, type PullPathOptions } from "./world/pull";
import { PushPath } from "./world/push";

const SIZE = 10_000;
/** Invocations that one instance of the sender at an OSS source has at the same time. A test compares it with the recorded plan. */
export const EVENTS_AT_ONCE = 64;
const PLACES = ["source", "destination", "records"] as const;
const PAIRS: Readonly<Record<Exclude<Path, "push">, Pick<PullPathOptions, "source" | "destination">>> = {
  "pull-to-s3": { source: "aws", destination: "aws-cn" },
  "pull-to-oss": { source: "aws", destination: "alicloud" },
};
/** Large objects, their parts and rates are this much smaller than those that they stand for. */
const SCALE = 4096;
export const SMALLER = {
  scale: SCALE,
  inlineLimitBytes: INLINE_LIMIT_BYTES / SCALE,
  partSizeBytes: LARGE_REFERENCE.partSizeBytes / SCALE,
} as const;

type Options = Pick<PullPathOptions, "deletes" | "scale" | "inlineLimitBytes" | "partSizeBytes">;
type Numbers = Record<string, number>;

async function open(name: Path, options: Options = {}): Promise<PullPath | PushPath> {
  const path = name === "push" ? new PushPath(options) : new PullPath({ ...PAIRS[name], ...options });
  await path.put("warm", 1);
  await path.put("warm-too", 1, { team: "a" });
  await path.deliver(["warm", "warm-too"]);
  return path;
}

interface Seen {
  requests: Requests;
  calls: Numbers;
  busyMs: Numbers;
  logBytes: Numbers;
}

/** What the action adds to the meter. */
async function during({ meter }: PullPath | PushPath, act: () => Promise<void>): Promise<Seen> {
  const { requests, calls, busyMs, logBytes } = structuredClone({ ...meter, problems: [] });
  await act();
  return {
    requests: minus(meter.requests as Requests, requests as Requests),
    calls: less(meter.calls, calls),
    busyMs: less(meter.busyMs, busyMs),
    logBytes: less(meter.logBytes, logBytes),
  };
}

const less = (after: Numbers, before: Numbers): Numbers =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, count]) => [name, count - (before[name] ?? 0)] as const)
      .filter(([, count]) => count !== 0),
  );

const byPlace = (count: (place: (typeof PLACES)[number]) => Numbers): Requests =>
  Object.fromEntries(PLACES.map((place) => [place, count(place)])) as unknown as Requests;
const minus = (after: Requests, before: Requests): Requests =>
  byPlace((place) => less(after[place] as Numbers, before[place] as Numbers));
const scaled = (requests: Requests, factor: number): Requests =>
  byPlace((place) =>
    Object.fromEntries(Object.entries(requests[place] as Counts).map(([name, count]) => [name, count * factor])),
  );

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`);

/** New objects, and then the same again. @param count how many events at once */
export async function measureSmall(name: Path, count: number): Promise<{ new: Seen; unchanged: Seen }> {
  return await twice(await open(name), count, (path, keys) =>
    path instanceof PullPath ? path.deliver(keys, { batchSize: Math.max(count, BATCH_SIZE) }) : path.deliver(keys),
  );
}

/** The same from OSS, where one instance of the sender takes many events at the same time. */
export async function measureFromOss(count: number): Promise<{ new: Seen; unchanged: Seen }> {
  const path = new PullPath({ source: "alicloud", destination: "aws" });
  await path.put("warm", 1);
  // As many receivers work at the same time as there are requests; all of them are warm.
  await path.deliver(["warm"]);
  return await twice(path, count, (_, keys) => path.deliver(keys, { batchSize: count }));
}

async function twice<T extends PullPath | PushPath>(path: T, count: number, deliver: (path: T, keys: string[]) => Promise<void>) {
  for (const key of keysOf(count)) await path.put(key, SIZE);
  const act = () => deliver(path, keysOf(count));
  return { new: await during(path, act), unchanged: await during(path, act) };
}

async function measureTags(name: Path): Promise<Requests> {
  const path = await open(name);
  await path.put("plain", SIZE);
  await path.put("tagged", SIZE, { team: "a" });
  const plain = await during(path, () => path.deliver(["plain"]));
  const tagged = await during(path, () => path.deliver(["tagged"]));
  return minus(tagged.requests, plain.requests);
}

async function measureDelete(name: Path): Promise<Requests> {
  const path = await open(name, { deletes: "replicate" });
  await path.put("key", SIZE);
  await path.deliver(["key"]);
  await path.source.delete("key");
  return (await during(path, () => path.deliver(["key"]))).requests;
}

async function measureCopy(name: Path, sizeBytes: number): Promise<Seen> {
  const path = await open(name, SMALLER);
  await path.put("key", sizeBytes / SCALE);
  return await during(path, () => path.deliver(["key"]));
}

async function measureLarge(name: Path) {
  const { sizeBytes, partSizeBytes } = LARGE_REFERENCE;
  const whole = await measureCopy(name, sizeBytes);
  const more = await measureCopy(name, sizeBytes + 4 * partSizeBytes);
  const part = scaled(minus(more.requests, whole.requests), 1 / 4);
  const object = minus(whole.requests, scaled(part, sizeBytes / partSizeBytes));
  const bytesMs = (sizeBytes / ASSUMED.instanceBytesPerSecond) * 1000;
  const carrier = name === "push" ? "pusher" : "copier";
  const busyMs = { ...whole.busyMs, [carrier]: (whole.busyMs[carrier] ?? 0) - bytesMs };
  return { requests: { object, part }, busyMs, questions: whole.calls.endpoint ?? 0 };
}

const BACKLOG = { copies: 3, objects: 30, senders: 2 } as const;

/** The part of the time in which the slots of copies are busy, while ten large objects wait for each. */
async function measureBacklog(): Promise<number> {
  const { copies, objects, senders } = BACKLOG;
  const path = new PullPath({ ...PAIRS["pull-to-s3"], ...SMALLER, copiesAtOnce: copies, random: createRandom() });
  for (const key of keysOf(objects)) await path.put(key, LARGE_REFERENCE.sizeBytes / SCALE);
  const startMs = path.time.now();
  await path.deliver(keysOf(objects), { senders });
  const slotMs = copies * (path.time.now() - startMs);
  return Number(((path.meter.busyMs.copier ?? 0) / slotMs).toPrecision(2));
}

const BURST = { instances: 5, objects: 100 } as const;

/** The part of the time in which the instances of the pusher are busy, while executions wait for one. */
async function measureBurst(): Promise<number> {
  const path = new PushPath();
  for (const key of keysOf(BURST.objects)) await path.put(key, SIZE);
  const startMs = path.time.now();
  await path.deliver(keysOf(BURST.objects), { instances: BURST.instances });
  const instanceMs = BURST.instances * (path.time.now() - startMs);
  return Number(((path.meter.busyMs.pusher ?? 0) / instanceMs).toPrecision(2));
}

/** The same numbers every time. */
function createRandom(): () => number {
  let state = 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** Milliseconds and bytes to two digits: the exact ones change with every detail. */
const rounded = (numbers: Numbers): Numbers =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, Number(Math.max(0, value).toPrecision(2))]));

const PATHS = ["pull-to-s3", "pull-to-oss", "push"] as const satisfies readonly Path[];

/** Everything that `cost/counted.ts` holds. */
export async function measure() {
  const small: Record<string, object> = {};
  const large: Record<string, object> = {};
  for (const path of PATHS) {
    const alone = await measureSmall(path, 1);
    small[path] = {
      new: alone.new.requests,
      unchanged: alone.unchanged.requests,
      tags: await measureTags(path),
      delete: await measureDelete(path),
    };
    large[path] = (await measureLarge(path)).requests;
  }
  const [single, batch] = [await measureSmall("pull-to-s3", 1), await measureSmall("pull-to-s3", BATCH_SIZE)];
  const oss = await measureFromOss(EVENTS_AT_ONCE);
  const window = await measureSmall("pull-to-s3", WINDOW_BATCH_SIZE);
  const push = await measureSmall("push", 1);
  const [copy, pushed] = [await measureLarge("pull-to-s3"), await measureLarge("push")];
  const steps = ({ calls }: Seen) => ({ steps: calls["workflow steps"] ?? 0, pusher: calls["pusher invoked"] ?? 0 });
  const busy = (seen: Seen) => rounded(seen.busyMs);
  return {
    small,
    large,
    questions: copy.questions,
    ossEvents: { events: EVENTS_AT_ONCE, requests: oss.new.calls.endpoint ?? 0, calls: oss.new.calls["sender invoked"] ?? 0 },
    use: { copies: await measureBacklog(), pushers: await measureBurst() },
    push: { new: steps(push.new), unchanged: steps(push.unchanged) },
    busyMs: {
      single: { new: busy(single.new), unchanged: busy(single.unchanged) },
      batch: { new: busy(batch.new), unchanged: busy(batch.unchanged) },
      window: { new: busy(window.new), unchanged: busy(window.unchanged) },
      ossEvents: { new: busy(oss.new), unchanged: busy(oss.unchanged) },
      push: { new: busy(push.new), unchanged: busy(push.unchanged) },
      large: rounded({ ...copy.busyMs, ...pushed.busyMs }),
    },
    logBytes: { pull: { sender: 0, receiver: 0, ...rounded(single.new.logBytes) }, push: rounded(push.new.logBytes) },
  };
}
