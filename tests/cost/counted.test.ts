/**
 * `cost/counted.ts` against what the real roles do. Where this fails after a change of the roles, the change is meant or it is a fault. If it is meant:
 *
 *     COUNTED=write npx jest --globalSetup= tests/cost/counted && npm run docs:cost
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { COUNTED } from "../../cost/counted";
import type { Cloud } from "../../cost/prices";
import { BATCH_SIZE, type Path, WINDOW_BATCH_SIZE } from "../../cost/requests";
import { type FunctionRole, functionSize, MEMORY_MB } from "../../cost/times";
import { EVENTS_AT_ONCE, measure, measureSmall } from "./measure";

const FILE = join(__dirname, "..", "..", "cost", "counted.ts");
const HEAD = `/**
 * What the real roles do for one object. Written by \`COUNTED=write npx jest --globalSetup= tests/cost/counted\`; the same test fails where the roles do
 * something else. Requests and steps are exact, times and log sizes are to two digits.
 */
`;

type Counted = Awaited<ReturnType<typeof measure>>;

function write(found: Counted): void {
  writeFileSync(FILE, `${HEAD}export const COUNTED = ${JSON.stringify(found)} as const;\n`);
  execFileSync("npx", ["biome", "format", "--write", FILE]);
}

/** Times and sizes may differ by a tenth: they change with every detail. */
const TOLERANCE = 0.1;
function farOff(found: object, held: object, path = ""): string[] {
  return Object.entries(found).flatMap(([name, value]: [string, unknown]) => {
    const other = (held as Record<string, unknown>)[name];
    const at = `${path}.${name}`;
    if (typeof value === "object" && value !== null) return farOff(value, (other ?? {}) as object, at);
    if (typeof other === "number" && Math.abs(Number(value) - other) <= TOLERANCE * other + 1) return [];
    return [`${at} is ${value}, counted.ts has ${other}`];
  });
}

test("the model counts what the roles do", async () => {
  const found = await measure();
  if (process.env.COUNTED === "write") return write(found);
  const { busyMs, logBytes, use, ...exact } = found;
  expect({ ...COUNTED, busyMs: undefined, logBytes: undefined, use: undefined }).toEqual(exact);
  expect(farOff({ busyMs, logBytes }, COUNTED)).toEqual([]);
  for (const what of ["copies", "pushers"] as const) expect(Math.abs(use[what] - COUNTED.use[what])).toBeLessThan(0.05);
  expect(Object.keys(COUNTED)).toEqual(Object.keys(found));
  expect(readFileSync(FILE, "utf8").startsWith(HEAD)).toBe(true);
});

test.each<Path>(["pull-to-s3", "pull-to-oss", "push"])("%s: ten at once make ten times the requests of one", async (path) => {
  const [one, ten] = [await measureSmall(path, 1), await measureSmall(path, 10)];
  const tenTimes = (requests: object) =>
    JSON.parse(JSON.stringify(requests), (_, value: unknown) => (typeof value === "number" ? value * 10 : value)) as object;
  expect(ten.new.requests).toEqual(tenTimes(one.new.requests));
  expect(ten.unchanged.requests).toEqual(tenTimes(one.unchanged.requests));
});

test.each([1, BATCH_SIZE, WINDOW_BATCH_SIZE])("a batch of %i is one invocation of each role and one request", async (count) => {
  const { calls } = (await measureSmall("pull-to-s3", count)).new;
  expect(calls).toEqual({
    "messages sent": count,
    "batches received": 1,
    "sender invoked": 1,
    endpoint: 1,
    "receiver invoked": 1,
    "batches deleted": 1,
  });
});

test("an object that is pushed is one invocation of the dispatcher and one execution", async () => {
  for (const { calls } of Object.values(await measureSmall("push", 1)))
    expect(calls).toMatchObject({ "dispatcher invoked": 1, "executions started": 1 });
});

interface Planned {
  name: string;
  inputs: { memorySize?: number; cpu?: number; instanceConcurrency?: number; batchSize?: number };
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

test("a sender at an OSS source takes as many events at once as the model says", () => {
  const sender = planOf("oss-to-aws").find(({ inputs }) => inputs.instanceConcurrency !== undefined);
  expect(sender?.inputs.instanceConcurrency).toBe(EVENTS_AT_ONCE);
});

test("a mapping has batches of the modelled size", () => {
  const path = join(__dirname, "..", "golden", "variants", "pull.json");
  const variants = JSON.parse(readFileSync(path, "utf8")) as Record<string, { changed: Record<string, Planned> }>;
  const changed = Object.entries(variants["events that wait for others"]?.changed ?? {});
  const mapping = changed.find(([urn]) => urn.includes("EventSourceMapping"))?.[1];
  expect(mapping?.inputs.batchSize).toBe(WINDOW_BATCH_SIZE);
  const usual = planOf("aws-to-aws").find(({ inputs }) => inputs.batchSize !== undefined);
  expect(usual?.inputs.batchSize).toBe(BATCH_SIZE);
});
