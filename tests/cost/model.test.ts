/** The model's arithmetic, the targets that it holds, and its counts of what a plan has. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseBridgeConfig } from "../../components/config";
import { rawSettings } from "../../components/config/raw-settings";
import { IDLE, idleUsage } from "../../cost/idle";
import { beyondCopying, type CostLine, estimate, inUsd, priced, type Scenario, usageOf } from "../../cost/model";
import { BILLED, CNY_PER_USD, DEFAULT_PRICES } from "../../cost/prices";
import { BATCH_SIZE, OSS_EVENTS, type Path, type Requests, SMALL_OBJECT } from "../../cost/requests";
import { costLines, dollars, EXAMPLES } from "../../cost/summary";
import { COMPARED_METRICS } from "../../runtime/platforms/aws-lambda/metrics";
import { createSenderMemory, Sender } from "../../runtime/roles/sender/sender";
import { MemoryOutageQueue } from "../runtime/support/outage-queue";
import { VirtualTime } from "../support/virtual-time";

const aws = { cloud: "aws", region: "us-east-1" } as const;
const china = { cloud: "aws-cn", region: "cn-north-1" } as const;
const oss = { cloud: "alicloud", region: "cn-shanghai" } as const;
const ossAbroad = { cloud: "alicloud", region: "us-west-1" } as const;
const million = { objects: 1_000_000, sizeBytes: 10_000 };

const pull = (more: Partial<Scenario> = {}): Scenario => ({ mode: "pull", source: aws, destination: china, ...million, ...more });
const costOf = (scenario: Scenario) => estimate(scenario, DEFAULT_PRICES);
const line = (lines: readonly CostLine[], item: string) => lines.find((one) => one.item === item);

const sizeOf = (requests: Requests): number =>
  Object.values(requests)
    .flatMap((counts) => Object.values(counts as Record<string, number>))
    .reduce((sum, count) => sum + count, 0);

describe("what the bridge promises", () => {
  test.each<Path>(["pull-to-s3", "pull-to-oss", "push"])(
    "%s takes five requests for a new small object and three for an unchanged one",
    (path) => {
      expect(sizeOf(SMALL_OBJECT[path].new)).toBeLessThanOrEqual(5);
      expect(sizeOf(SMALL_OBJECT[path].unchanged)).toBeLessThanOrEqual(3);
    },
  );

  test.each([
    ["from S3 to S3", aws, china, 3.7],
    ["from S3 to OSS", aws, oss, 3],
    ["from OSS to S3", oss, aws, 4],
    ["from OSS to OSS", oss, ossAbroad, 4],
  ])("pull %s of 1 million objects of 10 KB costs at most that, beyond egress and writes", (_name, source, destination, most) => {
    expect(beyondCopying(costOf(pull({ source, destination })))).toBeLessThan(most);
  });

  test("with batchSeconds 1 million objects of 10 KB from S3 cost at most $3 beyond egress and writes", () => {
    expect(beyondCopying(costOf(pull({ batchSeconds: 1 })))).toBeLessThan(3);
  });

  test("push of 1 million objects of 10 KB costs at most that, altogether", () => {
    const destination = { ...ossAbroad, acceleration: "global" } as const;
    expect(inUsd(costOf({ mode: "push", source: oss, destination, ...million }).totals)).toBeLessThan(40);
  });
});

test("every line has the quantity times the price, and the sum of the lines is the total", () => {
  const { lines, totals, complete } = costOf(pull());
  expect(complete).toBe(true);
  expect(line(lines, "bytes out")).toMatchObject({ quantity: 10, unit: "GB", currency: "USD" });
  expect(line(lines, "bytes out")?.cost).toBeCloseTo(0.9);
  expect(line(lines, "destination: writes")).toMatchObject({ quantity: 1_000_000, cost: 5 });
  expect(line(lines, "receiver's endpoint")).toMatchObject({ cloud: "aws-cn", quantity: 100_000, currency: "CNY" });
  expect(line(lines, "receiver's endpoint")?.cost).toBeCloseTo(2.9);
  for (const currency of ["USD", "CNY"] as const) {
    const sum = lines.filter((one) => one.currency === currency).reduce((total, { cost = 0 }) => total + cost, 0);
    expect(totals[currency]).toBeCloseTo(sum);
  }
  expect(inUsd({ USD: 1, CNY: CNY_PER_USD })).toBe(2);
});

test("a million objects have a million times the requests of one", () => {
  const reads = ({ head = 0, get = 0, getTags = 0 }: Record<string, number>) => head + get + getTags;
  const { lines } = costOf(pull());
  expect(line(lines, "source: reads")?.quantity).toBe(1_000_000 * reads(SMALL_OBJECT["pull-to-s3"].new.source));
});

test("objects that arrive singly take one request each", () => {
  expect(line(costOf(pull()).lines, "receiver's endpoint")?.quantity).toBe(million.objects / BATCH_SIZE);
  expect(line(costOf(pull({ arrival: "singly" })).lines, "receiver's endpoint")?.quantity).toBe(million.objects);
});

test("an event of OSS is an invocation of its own, and shares a request with others all the same", () => {
  const { lines } = costOf(pull({ source: oss, destination: aws }));
  expect(line(lines, "sender: calls")?.quantity).toBe(million.objects);
  expect(line(lines, "receiver's endpoint")?.quantity).toBe((million.objects * OSS_EVENTS.requests) / OSS_EVENTS.events);
  expect(line(costOf(pull()).lines, "sender: calls")?.quantity).toBe(million.objects / BATCH_SIZE);
});

test("objects that the destination has move no bytes and are not written", () => {
  const items = usageOf(pull({ unchanged: 1 })).map(({ item }) => item);
  expect(items).toContain("source: reads");
  expect(items).not.toContain("bytes out");
  expect(items).not.toContain("destination: writes");
});

test("bytes cost nothing inside a region, less inside a cloud, and more to the internet", () => {
  const egress = (source: Scenario["source"], destination: Scenario["destination"]) =>
    usageOf(pull({ source, destination })).find(({ group }) => group === "egress")?.billed;
  expect(egress(aws, aws)).toBeUndefined();
  expect(egress(aws, { ...aws, region: "eu-west-1" })).toBe("replicationGb");
  expect(egress(aws, china)).toBe("internetGb");
  expect(egress(oss, ossAbroad)).toBe("internetGb");
});

test("a large object is copied in parts, and its cost is nearly all egress", () => {
  const cost = costOf(pull({ objects: 1024, sizeBytes: 1024 ** 3 }));
  expect(line(cost.lines, "copier: calls")?.quantity).toBe(1024);
  expect(line(cost.lines, "destination: writes")?.quantity).toBeGreaterThan(1024 * 64);
  expect(beyondCopying(cost)).toBeLessThan(0.02 * inUsd(cost.totals));
});

test("OSS bills no request that it answers with 404", () => {
  const reads = (destination: Scenario["destination"]) =>
    line(costOf(pull({ destination })).lines, "destination: reads")?.quantity ?? 0;
  const misses = SMALL_OBJECT["pull-to-s3"].new.destination;
  expect(reads(china) - reads(oss)).toBe(1_000_000 * ((misses.headMissing ?? 0) + (misses.getMissing ?? 0)));
});

test("native pays for nothing of the bridge", () => {
  const cost = costOf({
    mode: "native",
    source: aws,
    destination: { ...aws, region: "eu-west-1" },
    ...million,
    timeControl: true,
  });
  expect(cost.lines.map(({ item }) => item)).toEqual([
    "bytes to another region",
    "replication time control",
    "destination: writes",
  ]);
  expect(beyondCopying(cost)).toBe(0);
});

test("every price has a unit, a source and a day", () => {
  for (const prices of Object.values(DEFAULT_PRICES))
    for (const [name, price] of Object.entries(prices)) {
      expect(price.unit).toBe(BILLED[name as keyof typeof BILLED]);
      expect(price.source).toMatch(/^https:\/\/|^unverified/);
      expect(price.asOf).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
});

describe("an idle bridge", () => {
  /** Of an example stack, with a token as a deployment has one. */
  const configOf = (example: string) => {
    const { config } = parse(readFileSync(join(__dirname, "..", "..", "examples", `Pulumi.${example}.yaml`), "utf8")) as {
      config: Record<string, unknown>;
    };
    const { tokenParameter } = (config["crossborderbridge:auth"] ?? {}) as { tokenParameter?: string };
    const tokenIsDeferred = tokenParameter === undefined;
    return parseBridgeConfig(rawSettings("crossborderbridge", config), { stack: example, tokenIsDeferred });
  };
  const planOf = (example: string) =>
    JSON.parse(readFileSync(join(__dirname, "..", "golden", "examples", `${example}.json`), "utf8")) as {
      type: string;
      inputs: { metricQueries?: { metric?: unknown }[] };
    }[];
  const countOf = (example: string, type: string) => planOf(example).filter((one) => one.type.endsWith(type)).length;

  test("has the queues, the alarms, the network and the metrics that the model counts", () => {
    for (const example of ["aws-to-china", "oss-to-aws", "oss-accelerated"])
      expect(countOf(example, ":Queue") + countOf(example, ":ServiceQueue")).toBe(IDLE.queues);
    const alarms = planOf("aws-to-china").filter(({ type }) => type.endsWith(":MetricAlarm"));
    const read = alarms.map(
      ({ inputs: { metricQueries } }) => metricQueries?.filter(({ metric }) => metric !== undefined).length ?? 1,
    );
    expect(read.reduce((sum, one) => sum + one, 0)).toBe(IDLE.alarmMetrics);
    expect([countOf("aws-to-china", ":NatGateway"), countOf("aws-to-china", ":Eip")]).toEqual([1, 1]);
    // Every tick writes the metrics that alarms compare, and whether the breaker is open.
    expect(COMPARED_METRICS.length + 1).toBe(IDLE.metrics);
  });

  test.each([
    ...["aws-to-aws", "aws-to-china", "aws-to-oss", "oss-to-aws", "china-to-china", "oss-accelerated"],
    ...["one-way", "two-way", "oss-native"],
  ])("%s has as many dashboards in CloudWatch as the model counts", (example) => {
    const counted = idleUsage(configOf(example)).filter(({ billed }) => billed === "dashboardMonth");
    expect(counted.length).toBe(countOf(example, "cloudwatch/dashboard:Dashboard"));
  });

  test("costs the dashboards only with dashboard: true", () => {
    const count = (dashboard: boolean) =>
      idleUsage({ mode: "pull", source: aws, destination: china, dashboard }).filter(({ item }) => item === "dashboard").length;
    expect([count(true), count(false)]).toEqual([2, 0]);
  });

  test("makes the calls of a tick that the model counts", async () => {
    const clock = new VirtualTime();
    const outage = new MemoryOutageQueue(clock);
    const unused = { config: {}, clock, metrics: { add: () => undefined } };
    const memory = createSenderMemory({ outage, clock });
    await new Sender({ ...unused, outage, memory } as unknown as ConstructorParameters<typeof Sender>[0]).tick({
      remainingMs: () => 60_000,
    });
    expect(Object.values(outage.calls).reduce((sum, one) => sum + one, 0)).toBe(IDLE.tickQueueCalls.aws);
  });

  test("native has the alarms that the model counts", () => {
    const alarms = planOf("one-way").filter(({ type }) => type.endsWith(":MetricAlarm"));
    const counted = idleUsage(configOf("one-way")).filter(({ billed }) => billed === "alarmMetricMonth");
    expect(counted.map(({ quantity }) => quantity)).toEqual([alarms.length]);
  });

  describe("native with replication.metrics", () => {
    const native = (more: Partial<Parameters<typeof idleUsage>[0]> = {}) =>
      idleUsage({ mode: "native", source: aws, destination: { ...aws, region: "eu-west-1" }, ...more });
    const METRICS = { metrics: true, rules: [] };
    /** CloudWatch's list prices in us-east-1: a metric of one's own, a metric that an alarm reads, a dashboard. */
    const [METRIC, ALARM, DASHBOARD] = [0.3, 0.1, 3];
    // S3 bills its four metrics of a rule as metrics of one's own.
    const RULE = 4 * METRIC + 2 * ALARM;

    test.each<[string, Parameters<typeof native>[0], number]>([
      ["without metrics", {}, 0],
      ["one rule", { replication: METRICS }, RULE + DASHBOARD],
      ["a rule for each prefix", { replication: METRICS, scope: { prefixes: ["a/", "b/", "a/"] } }, 2 * RULE + DASHBOARD],
      ["rules, one of them off", { replication: { metrics: true, rules: [{}, {}, { enabled: false }] } }, 2 * RULE + DASHBOARD],
      ["two-way in one account", { replication: METRICS, direction: "two-way" }, 2 * RULE + DASHBOARD],
      [
        "two-way in two accounts",
        { replication: METRICS, direction: "two-way", destination: { ...aws, accountId: "222222222222" } },
        2 * RULE + 2 * DASHBOARD,
      ],
      ["no dashboard", { replication: METRICS, dashboard: false }, RULE],
    ])("%s", (_case, more, usd) => {
      expect(inUsd(priced(native(more), DEFAULT_PRICES).totals)).toBeCloseTo(usd, 6);
    });
  });

  test("metrics and alarms in AWS China cost what its page says", () => {
    // https://www.amazonaws.cn/cloudwatch/pricing/: a metric of one's own is CNY 2.0000 a month, a metric of a standard alarm CNY 0.622.
    const { totals } = priced(
      idleUsage({
        mode: "native",
        source: china,
        destination: { cloud: "aws-cn", region: "cn-northwest-1" },
        replication: { metrics: true, rules: [] },
        dashboard: false,
      }),
      DEFAULT_PRICES,
    );
    expect(totals).toMatchObject({ CNY: expect.closeTo(9.244, 6) });
  });

  test("costs the NAT gateway and its address only with static egress, and nothing in native", () => {
    const cost = (egress: "shared" | "static", mode: "pull" | "native" = "pull") =>
      inUsd(priced(idleUsage({ mode, source: aws, egress }), DEFAULT_PRICES).totals);
    expect(cost("static") - cost("shared")).toBeCloseTo(730 * (0.045 + 0.005));
    expect(cost("static", "native")).toBe(0);
  });
});

test("a preview's lines name the load, the sum, and the rate of the yuan", () => {
  const config = parseBridgeConfig(
    {
      source: { ...aws, bucket: "from-here" },
      destination: { ...china, bucket: "to-there" },
      allowedCidrs: ["192.0.2.0/24"],
      token: Buffer.alloc(32, 7).toString("base64"),
    },
    { stack: "s" },
  );
  const lines = costLines(config);
  expect(lines[0]).toContain(`${dollars(beyondCopying(costOf(pull())))} for ${EXAMPLES.small.text}`);
  expect(lines.at(-1)).toContain(`CNY ${CNY_PER_USD}`);
});

test.each([
  [0, "$0.00"],
  [0.001, "< $0.01"],
  [1234.5, "$1,234.50"],
])("%d dollars are %s", (amount, text) => {
  expect(dollars(amount)).toBe(text);
});
