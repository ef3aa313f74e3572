/** Every alarm is rung by a story, in time, and by no healthy bridge. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { METRIC_NAMESPACE } from "../../../runtime/platforms/aws-lambda/metrics";
import { firingTimes } from "../../support/alarms";
import { cloudWatchRule } from "../../support/cloudwatch-alarms";
import { build, quietly } from "../bridge-fixture";
import { always, BridgeMinutes, type Story, throttled, unreachable } from "./bridge-minutes";

beforeEach(quietly);

type Inputs = Parameters<typeof cloudWatchRule>[0];

const TYPE = "aws:cloudwatch/metricAlarm:MetricAlarm";
const suffixOf = ({ name }: { name: string }) => name.replace(/^crossborderbridge-b-/, "");

async function alarms(variation: Parameters<typeof build>[0] = {}): Promise<Inputs[]> {
  const { resources } = await build(variation);
  return resources.filter(({ type }) => type === TYPE).map(({ inputs }) => inputs as unknown as Inputs);
}

const HEALTHY_MINUTES = 30;
const LIMIT_MS = 10 * 60_000;
/** CloudWatch does not say how far it looks back. */
const LOOK_BACKS = [2, 5];

interface Told extends Story {
  name: string;
  /** The alarm that must ring within 10 minutes. Others may ring as well. */
  rings: string;
  /** Keys that are written once, when the story begins. */
  once?: string[];
  /** Nothing else is written. @default a key is written every minute */
  isQuiet?: boolean;
}

const denied = { result: "retry", reason: "AccessDenied", place: "destination" } as const;

const STORIES: readonly Told[] = [
  { name: "the receiver is down", rings: "receiver-unreachable", receive: unreachable },
  {
    name: "the receiver is down, and one key waits",
    rings: "receiver-unreachable",
    receive: unreachable,
    once: ["k"],
    isQuiet: true,
  },
  { name: "the destination denies everything", rings: "no-success", receive: always(denied) },
  { name: "the destination denies the only key", rings: "no-success", receive: always(denied), once: ["k"], isQuiet: true },
  { name: "the destination denies one key of many", rings: "late", receive: always(denied, (key) => key === "k"), once: ["k"] },
  { name: "the destination's store is down", rings: "late", receive: always({ result: "waiting", waitsFor: "store" }) },
  { name: "the function does not run", rings: "sender-silent", senderIsDead: true },
  { name: "the queue does not feed the function", rings: "queue-stuck", mappingIsOff: true },
  { name: "the source throttles", rings: "late", source: throttled },
  {
    name: "copies wait",
    rings: "waiting-for-room",
    receive: always({ result: "waiting", waitsFor: "room" }, (key) => key.startsWith("large")),
    once: ["large-1", "large-2", "large-3"],
  },
  {
    name: "one copy waits",
    rings: "waiting-for-room",
    receive: always({ result: "waiting", waitsFor: "room" }),
    once: ["large"],
    isQuiet: true,
  },
  { name: "one key kills every sender", rings: "sender-crashes", deadlyKey: "k", once: ["k"] },
  {
    name: "one key kills every sender, and there is no other",
    rings: "sender-crashes",
    deadlyKey: "k",
    once: ["k"],
    isQuiet: true,
  },
  {
    name: "a key cannot be replicated",
    rings: "key-parked",
    receive: always({ result: "rejected", reason: "too large" }, (key) => key === "k"),
    once: ["k"],
  },
  {
    name: "there is a dead letter",
    rings: "dead-letters-not-empty",
    receive: always({ result: "rejected" }, (key) => key === "k"),
    once: ["k"],
  },
];

/** Fresh keys, most of them in bursts, as on an ordinary day. */
const writeSome = (bridge: BridgeMinutes) => async (minute: number) => {
  for (let index = 0; index < (minute % 7 === 0 ? 25 : 1); index++) await bridge.write(`day/${minute}-${index}`);
};

async function ring(bridge: BridgeMinutes, fromMs: number): Promise<Map<string, number>> {
  const all = await alarms();
  const times = all.flatMap((inputs) => {
    const perLookBack = LOOK_BACKS.map(
      (more) => firingTimes(cloudWatchRule(inputs, more), bridge.record, { fromMs, toMs: bridge.clock.now() })[0],
    );
    const found = perLookBack.filter((time) => time !== undefined);
    return found.length === LOOK_BACKS.length ? [[suffixOf(inputs), Math.max(...found)] as const] : [];
  });
  return new Map(times);
}

test.each(STORIES)(
  "$name: $rings rings within 10 minutes",
  async ({ rings, once = [], isQuiet = false, name: _name, ...story }) => {
    // Neither the second at which the story begins nor the jitter of the delays must matter.
    for (const random of [0, 0.5, 0.999]) {
      const bridge = new BridgeMinutes(random);
      await bridge.run(HEALTHY_MINUTES, writeSome(bridge));
      bridge.clock.advance(Math.floor(random * 40) * 1_000);
      const startMs = bridge.clock.now();
      Object.assign(bridge.story, story);
      for (const key of once) await bridge.write(key);
      await bridge.run(12, isQuiet ? undefined : writeSome(bridge));
      const atMs = (await ring(bridge, startMs)).get(rings);
      expect([rings, atMs]).toEqual([rings, expect.any(Number)]);
      expect((atMs ?? 0) - startMs).toBeLessThanOrEqual(LIMIT_MS);
    }
  },
);

test("every alarm of the source is rung by a story", async () => {
  expect((await alarms()).map(suffixOf).sort()).toEqual([...new Set(STORIES.map(({ rings }) => rings))].sort());
});

const HEALTHY: readonly ({ name: string } & Story & { once?: string[] })[] = [
  { name: "an ordinary day" },
  { name: "a copy that takes an hour", receive: always({ result: "in-progress" }, (key) => key === "large"), once: ["large"] },
  {
    name: "an object that is being restored for hours",
    receive: always({ result: "waiting", waitsFor: "restore" }, (key) => key === "cold"),
    once: ["cold"],
  },
];

test.each(HEALTHY)("$name rings nothing", async ({ name: _name, once = [], ...story }) => {
  const bridge = new BridgeMinutes();
  await bridge.run(HEALTHY_MINUTES, writeSome(bridge));
  const startMs = bridge.clock.now();
  Object.assign(bridge.story, story);
  for (const key of once) await bridge.write(key);
  await bridge.run(60, writeSome(bridge));
  expect(Object.fromEntries(await ring(bridge, startMs))).toEqual({});
});

test("a quiet bridge rings nothing", async () => {
  const bridge = new BridgeMinutes();
  await bridge.run(120);
  expect(Object.fromEntries(await ring(bridge, bridge.clock.now() - 90 * 60_000))).toEqual({});
});

test.each<[name: string, minutes: number, story: Story]>([
  ["an unreachable receiver", 2, { receive: unreachable }],
  ["a destination that denies", 1, { receive: always(denied) }],
  ["a source that throttles", 2, { source: throttled }],
  ["a burst of large objects", 2, { receive: always({ result: "waiting", waitsFor: "room" }) }],
  ["an account without free executions", 2, { senderIsDead: true }],
])("%s for %s min rings nothing", async (_, minutes, story) => {
  const bridge = new BridgeMinutes();
  await bridge.run(HEALTHY_MINUTES, writeSome(bridge));
  const startMs = bridge.clock.now();
  bridge.story = story;
  await bridge.run(minutes, writeSome(bridge));
  bridge.story = {};
  await bridge.run(60, writeSome(bridge));
  expect(Object.fromEntries(await ring(bridge, startMs))).toEqual({});
  expect(bridge.queue).toEqual([]);
});

describe("each alarm", () => {
  test("says what has happened and what to do, and names the section of the runbook", async () => {
    for (const { name, alarmDescription } of await alarms()) {
      expect(alarmDescription).toMatch(
        /^Bridge b: .{40,}\. See docs\/runbook\.md#[a-z-]+$|^Bridge b: .{20,}\? See docs\/runbook\.md#[a-z-]+$/,
      );
      expect(alarmDescription).toContain(`#${suffixOf({ name })}`);
      expect(alarmDescription.length).toBeLessThanOrEqual(1024);
    }
  });

  test("links the operator's own runbook", async () => {
    const runbookUrl = "https://wiki.example.com/runbook";
    for (const { name, alarmDescription } of await alarms({ runbookUrl, probe: { enabled: true, everyMinutes: 5 } })) {
      const section = name.includes("prober-") ? "the-latency-probe-is-late" : suffixOf({ name });
      expect(alarmDescription.endsWith(`See ${runbookUrl}#${section}`)).toBe(true);
    }
  });

  test("names a section that the runbook has", async () => {
    const page = readFileSync(join(__dirname, "..", "..", "..", "docs", "runbook.md"), "utf8");
    const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title = ""]) => title.toLowerCase().replaceAll(" ", "-"));
    const bridges: Parameters<typeof build>[0][] = [
      { probe: { enabled: true, everyMinutes: 5 } },
      { mode: "native", destination: { cloud: "aws", region: "eu-west-1" }, replication: { metrics: true }, allowedCidrs: [] },
    ];
    for (const bridge of bridges) {
      const found = await alarms(bridge);
      expect(found.length).toBeGreaterThan(1);
      for (const { alarmDescription } of found)
        expect(sections).toContain(/See docs\/runbook\.md#([a-z-]+)$/.exec(alarmDescription)?.[1]);
    }
  });

  test("that an earlier release had under another name keeps its resource", async () => {
    const { get } = await build();
    for (const suffix of ["queue-stuck", "dead-letters-not-empty"]) expect(get(`b-${suffix}-alarm`).aliases).toBe(1);
    expect(get("b-late-alarm").aliases).toBe(0);
  });

  test("goes to the topic, and says when it is over", async () => {
    const topic = "arn:aws:sns:us-east-1:111111111111:ops";
    const { resources } = await build({ alarmTopicArn: topic });
    for (const { inputs } of resources.filter(({ type }) => type === TYPE)) {
      expect(inputs).toMatchObject({ alarmActions: [topic], okActions: [topic] });
    }
  });

  test("reads the namespace that the runtime writes", async () => {
    expect(JSON.stringify(await alarms())).toContain(`"namespace":"${METRIC_NAMESPACE}"`);
  });

  test("is in the table of docs/operations.md", async () => {
    const page = readFileSync(join(__dirname, "..", "..", "..", "docs", "operations.md"), "utf8");
    const listed = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, suffix]) => suffix);
    expect(listed).toEqual(expect.arrayContaining((await alarms()).map(suffixOf)));
  });
});

test("a sender that may run longer gets more time before its queue counts as stuck", async () => {
  const periodsOf = async (senderSeconds: number) =>
    (await alarms({ timeouts: { senderSeconds } })).find((alarm) => suffixOf(alarm) === "queue-stuck")?.evaluationPeriods;
  expect(await periodsOf(90)).toBe(5);
  expect(await periodsOf(900)).toBe(16);
});
