/**
 * The model's request counts against what the roles do. Where this fails after a change of the roles, the change is meant or it is a fault: the counts
 * in `cost/requests.ts` follow the roles, and `npm run docs:cost` writes the pages again.
 */
import {
  type Counts,
  LARGE_OBJECT,
  LARGE_REFERENCE,
  type Path,
  PUSH_STEPS,
  type Requests,
  SMALL_OBJECT,
} from "../../cost/requests";
import type { Meter, Place } from "./world/meter";
import { PullPath, type PullPathOptions } from "./world/pull";
import { PushPath } from "./world/push";

const SIZE = 10_000;
const PLACES: readonly Place[] = ["source", "destination", "records"];
const PAIRS: Readonly<Record<Exclude<Path, "push">, Pick<PullPathOptions, "source" | "destination">>> = {
  "pull-to-s3": { source: "aws", destination: "aws-cn" },
  "pull-to-oss": { source: "aws", destination: "alicloud" },
};
/** Objects, parts and rates are this much smaller than those that they stand for. */
const SCALE = 4096;
const SMALLER = {
  scale: SCALE,
  inlineLimitBytes: (8 * 1024 ** 2) / SCALE,
  partSizeBytes: LARGE_REFERENCE.partSizeBytes / SCALE,
};

const open = (
  path: Path,
  options: { deletes?: "replicate"; scale?: number; inlineLimitBytes?: number; partSizeBytes?: number } = {},
) => (path === "push" ? new PushPath(options) : new PullPath({ ...PAIRS[path], ...options }));

const copied = ({ requests }: Meter): Requests => structuredClone(requests) as Requests;

/** Requests that were made after those. Those with count 0 are left out. */
function since(before: Requests, meter: Meter): Requests {
  const made: Requests = { source: {}, destination: {}, records: {} };
  for (const place of PLACES)
    for (const [name, count] of Object.entries(meter.requests[place])) {
      const more = count - (before[place][name as keyof Counts] ?? 0);
      if (more !== 0) made[place][name as keyof Counts] = more;
    }
  return made;
}

const perObject = (requests: Requests, objects: number): Requests =>
  Object.fromEntries(
    PLACES.map((place) => [
      place,
      Object.fromEntries(Object.entries(requests[place]).map(([name, count]) => [name, count / objects])),
    ]),
  ) as unknown as Requests;

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`);

describe.each<Path>(["pull-to-s3", "pull-to-oss", "push"])("%s: requests of a small object", (name) => {
  test.each([1, 10])("new and then unchanged, %i at once", async (count) => {
    const path = open(name);
    const keys = keysOf(count);
    for (const key of keys) await path.put(key, SIZE);
    const nothing = copied(path.meter);
    await path.deliver(keys);
    expect(perObject(since(nothing, path.meter), count)).toEqual(SMALL_OBJECT[name].new);
    const first = copied(path.meter);
    await path.deliver(keys);
    expect(perObject(since(first, path.meter), count)).toEqual(SMALL_OBJECT[name].unchanged);
  });

  test("tags", async () => {
    const [plain, tagged] = [open(name), open(name)];
    await plain.put("key", SIZE);
    await tagged.put("key", SIZE, { team: "a" });
    await plain.deliver(["key"]);
    await tagged.deliver(["key"]);
    expect(since(copied(plain.meter), tagged.meter)).toEqual(SMALL_OBJECT[name].tags);
  });

  test("delete", async () => {
    const path = open(name, { deletes: "replicate" });
    await path.put("key", SIZE);
    await path.deliver(["key"]);
    const before = copied(path.meter);
    await path.source.delete("key");
    await path.deliver(["key"]);
    expect(since(before, path.meter)).toEqual(SMALL_OBJECT[name].delete);
  });

  test("large", async () => {
    const copy = async (sizeBytes: number) => {
      const path = open(name, SMALLER);
      await path.put("key", sizeBytes / SCALE);
      await path.deliver(["key"]);
      return path.meter;
    };
    const { sizeBytes, partSizeBytes } = LARGE_REFERENCE;
    const parts = sizeBytes / partSizeBytes;
    const whole = await copy(sizeBytes);
    const more = await copy(sizeBytes + 4 * partSizeBytes);
    const part = perObject(since(copied(whole), more), 4);
    const ofParts = Object.fromEntries(
      PLACES.map((place) => [place, Object.fromEntries(Object.entries(part[place]).map(([one, count]) => [one, count * parts]))]),
    ) as unknown as Requests;
    expect({ part, object: since(ofParts, whole) }).toEqual(LARGE_OBJECT[name]);
  });
});

describe.each<Exclude<Path, "push">>(["pull-to-s3", "pull-to-oss"])("%s: calls", (name) => {
  test.each([1, 10])("a batch of %i is one invocation of each role and one request", async (count) => {
    const path = open(name);
    for (const key of keysOf(count)) await path.put(key, SIZE);
    await path.deliver(keysOf(count));
    expect(path.meter.calls).toEqual({
      "messages sent": count,
      "batches received": 1,
      "sender invoked": 1,
      endpoint: 1,
      "receiver invoked": 1,
      "batches deleted": 1,
    });
  });
});

test.each(["new", "unchanged"] as const)("push: steps and invocations of an object that is %s", async (work) => {
  const path = new PushPath();
  await path.put("key", SIZE);
  await path.deliver(["key"]);
  const first = { ...path.meter.calls };
  if (work === "unchanged") await path.deliver(["key"]);
  const of = (call: string) => (path.meter.calls[call] ?? 0) - (work === "unchanged" ? (first[call] ?? 0) : 0);
  expect({ steps: of("workflow steps"), pusher: of("pusher invoked") }).toEqual(PUSH_STEPS[work]);
  expect({ started: of("executions started"), dispatcher: of("dispatcher invoked") }).toEqual({ started: 1, dispatcher: 1 });
});
