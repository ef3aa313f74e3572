/** The rates and limits of docs/scale.md against simulations with many instances of the real roles, at a reduced number of objects. */
import { bridgeSchema } from "../../components/config/schema";
import { allows, copyBytesPerSecond, limitsOf, OSS_SENDER_LANES, SETTINGS, USE } from "../../cost/capacity";
import { BATCH_SIZE, LARGE_REFERENCE, PUSH_STEPS } from "../../cost/requests";
import { LARGE_LOAD, SMALL_LOAD } from "../../cost/scale-tables";
import { ANSWERS, PULL_EXAMPLE, PUSH_EXAMPLE } from "../../cost/tables";
import { BUSY_MS } from "../../cost/times";
import { LANES } from "../../runtime/platforms/alicloud-fc/batches";
import { SMALLER } from "./measure";
import { PullPath } from "./world/pull";
import { PushPath } from "./world/push";

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `key-${index}`);

/** Objects a second. */
async function rateOf(path: PullPath | PushPath, keys: readonly string[], sizeBytes: number, run: () => Promise<void>) {
  for (const key of keys) await path.put(key, sizeBytes);
  const startMs = path.time.now();
  await run();
  return (keys.length * 1000) / (path.time.now() - startMs);
}

const near = (value: number, tolerance = 0.15) => ({
  within: (found: number) => expect(Math.abs(found - value) / value).toBeLessThan(tolerance),
});

test.each([1, 8])("pull: %i senders have the rate of one, times their number", async (senders) => {
  const path = new PullPath(PULL_PAIR);
  const keys = keysOf(senders * 10 * BATCH_SIZE);
  const rate = await rateOf(path, keys, 10_000, () => path.deliver(keys, { senders }));
  near((senders * BATCH_SIZE * 1000) / BUSY_MS.batch.new.sender).within(rate);
  expect(path.receiversAtOnce).toBeLessThanOrEqual(senders);
});

const PULL_PAIR = { source: "aws", destination: "aws-cn" } as const;

test("push: with an instance for each execution none waits, with few of them they idle in between", async () => {
  const rate = async (instances: number) => {
    const path = new PushPath();
    const keys = keysOf(100);
    return await rateOf(path, keys, 10_000, () => path.deliver(keys, { instances }));
  };
  near(((5 * 1000) / BUSY_MS.push.new.pusher) * USE.pushers).within(await rate(5));
  expect(await rate(100)).toBeGreaterThan(100 / 1.5);
});

test("push: the quota of steps bounds the rate", async () => {
  const path = new PushPath();
  const keys = keysOf(600);
  const stepsPerSecond = 100;
  const rate = await rateOf(path, keys, 10_000, () => path.deliver(keys, { instances: 600, stepsPerSecond }));
  near(stepsPerSecond / PUSH_STEPS.new.steps).within(rate);
});

test("large: where objects arrive evenly, four fifths of the slots can be busy without a backlog", async () => {
  const copiesAtOnce = 5;
  const path = new PullPath({ ...PULL_PAIR, ...SMALLER, copiesAtOnce });
  const keys = keysOf(40);
  const copyMs = (LARGE_REFERENCE.sizeBytes / copyBytesPerSecond(LARGE_REFERENCE.sizeBytes)) * 1000;
  const everyMs = copyMs / copiesAtOnce / 0.8;
  const startMs = path.time.now();
  for (const key of keys) await path.put(key, LARGE_REFERENCE.sizeBytes / SMALLER.scale);
  await path.deliver(keys, { senders: 3, everyMs });
  const lastArrivalMs = everyMs * (keys.length - 1);
  // The last object needs its copy, and the question that finds it done.
  expect(path.time.now() - startMs - lastArrivalMs).toBeLessThan(2.5 * copyMs);
});

test("the defaults are those of the schema", () => {
  const parsed = bridgeSchema.parse({
    source: { cloud: "aws", region: "us-east-1", bucket: "from-here" },
    destination: { cloud: "aws-cn", region: "cn-north-1", bucket: "to-there" },
  });
  expect(SETTINGS).toEqual({
    concurrency: parsed.concurrency,
    copiesAtOnce: parsed.copy.concurrency,
    requestsPerSecond: parsed.rateLimit.requestsPerSecond,
    inlineLimitBytes: parsed.inlineLimitBytes,
    copySeconds: parsed.copy.timeoutSeconds,
  });
  expect(OSS_SENDER_LANES).toBe(LANES);
});

test("the limits are in the order in which they are met", () => {
  for (const { scenario } of ANSWERS)
    for (const load of [SMALL_LOAD, LARGE_LOAD]) {
      const rates = limitsOf(scenario, load).map((limit) => allows(limit, load));
      expect(rates).toEqual([...rates].sort((one, other) => one - other));
    }
  expect(limitsOf(PULL_EXAMPLE.scenario, SMALL_LOAD)[0]?.name).toBe("`concurrency`");
  expect(limitsOf(PULL_EXAMPLE.scenario, LARGE_LOAD)[0]?.name).toBe("`copy.concurrency`");
  expect(limitsOf(PUSH_EXAMPLE.scenario, SMALL_LOAD).map(({ name }) => name)).toContain("CloudFlow: steps");
  expect(limitsOf({ ...PULL_EXAMPLE.scenario, mode: "native" }, SMALL_LOAD)).toEqual([]);
});

test("OSS abroad cannot take 100 TB a day by default, the mainland can", () => {
  const bandwidth = (region: string) => {
    const { source } = PULL_EXAMPLE.scenario;
    const scenario = { mode: "pull", source, destination: { cloud: "alicloud", region } } as const;
    const limit = limitsOf(scenario, LARGE_LOAD).find(({ name }) => name.startsWith("OSS: bandwidth"));
    return limit === undefined ? 0 : allows(limit, LARGE_LOAD) / LARGE_LOAD.objectsPerSecond;
  };
  expect(bandwidth("us-west-1")).toBeLessThan(1);
  expect(bandwidth("cn-shanghai")).toBeGreaterThan(1);
});
