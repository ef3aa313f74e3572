/** The model's times and log sizes against a simulation with the real roles, and its function sizes against the recorded plans. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Cloud } from "../../cost/prices";
import { LARGE_REFERENCE } from "../../cost/requests";
import { ASSUMED, BUSY_MS, type FunctionRole, functionSize, LOG_BYTES, MEMORY_MB } from "../../cost/times";
import type { Meter } from "./world/meter";
import { PullPath, type PullPathOptions } from "./world/pull";
import { PushPath } from "./world/push";

const SIZE = 10_000;
const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`);

/** The model is right where it differs from the simulation by at most this. */
const TOLERANCE = 0.1;
function expectNear(found: Record<string, number>, modelled: Record<string, number>): void {
  const far = Object.entries(modelled).filter(([name, value]) => Math.abs((found[name] ?? 0) - value) > TOLERANCE * value);
  expect({ far, found, modelled }).toEqual({ far: [], found, modelled });
}

const difference = (after: Record<string, number>, before: Record<string, number>) =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));

const PAIRS: readonly Pick<PullPathOptions, "source" | "destination">[] = [
  { source: "aws", destination: "aws-cn" },
  { source: "aws", destination: "alicloud" },
  { source: "alicloud", destination: "aws" },
];

describe.each(PAIRS)("pull from $source to $destination", (pair) => {
  test.each([
    [1, BUSY_MS.single],
    [10, BUSY_MS.batch],
  ] as const)("%i at once", async (count, busy) => {
    const path = new PullPath(pair);
    for (const key of keysOf(count)) await path.put(key, SIZE);
    await path.deliver(keysOf(count));
    const first = { ...path.meter.busyMs };
    expectNear(first, busy.new);
    await path.deliver(keysOf(count));
    expectNear(difference(path.meter.busyMs, first), busy.unchanged);
  });

  test("bytes of the log for one object", async () => {
    const path = new PullPath(pair);
    await path.put("key", SIZE);
    await path.deliver(["key"]);
    expectNear(path.meter.logBytes, LOG_BYTES.pull);
  });
});

test("push", async () => {
  const path = new PushPath();
  await path.put("key", SIZE);
  await path.deliver(["key"]);
  const first = { ...path.meter.busyMs };
  expectNear(first, BUSY_MS.push.new);
  expectNear(path.meter.logBytes, LOG_BYTES.push);
  await path.deliver(["key"]);
  expectNear(difference(path.meter.busyMs, first), BUSY_MS.push.unchanged);
});

test("a large object takes the time for its bytes, and a little more", async () => {
  const scale = 4096;
  const options = { scale, inlineLimitBytes: (8 * 1024 ** 2) / scale, partSizeBytes: LARGE_REFERENCE.partSizeBytes / scale };
  const copied = async (path: PullPath | PushPath): Promise<Meter> => {
    await path.put("key", LARGE_REFERENCE.sizeBytes / scale);
    await path.deliver(["key"]);
    return path.meter;
  };
  const bytesMs = (LARGE_REFERENCE.sizeBytes / ASSUMED.instanceBytesPerSecond) * 1000;
  const { sender, receiver, copier, dispatcher, pusher } = BUSY_MS.large;
  const pull = await copied(new PullPath({ ...PAIRS[0], ...options } as PullPathOptions));
  expectNear(pull.busyMs, { sender, receiver, copier: copier + bytesMs });
  expect(pull.calls.endpoint).toBe(LARGE_REFERENCE.questions);
  const push = await copied(new PushPath(options));
  expectNear(push.busyMs, { dispatcher, pusher: pusher + bytesMs });
});

interface Planned {
  name: string;
  inputs: { memorySize?: number; cpu?: number };
}
const planOf = (example: string): Planned[] =>
  JSON.parse(readFileSync(join(__dirname, "..", "golden", "examples", `${example}.json`), "utf8")) as Planned[];

test.each<[string, Cloud, FunctionRole[]]>([
  ["aws-to-aws", "aws", ["sender", "receiver", "copier"]],
  ["oss-pull", "alicloud", ["sender", "receiver", "copier"]],
  ["oss-accelerated", "alicloud", ["dispatcher", "pusher"]],
])("%s deploys functions of the modelled size", (example, cloud, roles) => {
  const plan = planOf(example);
  for (const role of roles) {
    const deployed = plan.find(({ name, inputs }) => name.endsWith(`-${role}`) && inputs.memorySize !== undefined);
    expect({ role, memoryMb: deployed?.inputs.memorySize }).toEqual({ role, memoryMb: MEMORY_MB[role] });
    if (cloud === "alicloud") expect({ role, cpu: deployed?.inputs.cpu }).toEqual({ role, cpu: functionSize(cloud, role).vcpus });
  }
});
