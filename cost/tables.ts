/** The tables and figures of docs/cost.md and the README, as Markdown. `npm run docs:cost` writes them into the pages. */
import { idleUsage, MONTH_HOURS } from "./idle";
import {
  beyondCopying,
  beyondEgress,
  type Cost,
  type CostLine,
  estimate,
  inUsd,
  priced,
  type Scenario,
  type Side,
} from "./model";
import { type Cloud, CNY_PER_USD, DEFAULT_PRICES, type Price, type PriceBook } from "./prices";
import { BATCH_SIZE, OSS_EVENTS, type Path, PUSH_STEPS, type Requests, SMALL_OBJECT, type Work } from "./requests";
import { dollars, EXAMPLES } from "./summary";
import { ASSUMED } from "./times";

const SIDES = {
  global: { cloud: "aws", region: "us-east-1" },
  china: { cloud: "aws-cn", region: "cn-north-1" },
  otherRegion: { cloud: "aws", region: "eu-central-1" },
  oss: { cloud: "alicloud", region: "cn-shanghai" },
  ossAbroad: { cloud: "alicloud", region: "us-west-1", acceleration: "global" },
} as const satisfies Record<string, Side>;

export interface Example {
  name: string;
  scenario: Omit<Scenario, "objects" | "sizeBytes">;
}

export const PULL_EXAMPLE: Example = {
  name: "`pull`: AWS Global to AWS China",
  scenario: { mode: "pull", source: SIDES.global, destination: SIDES.china },
};
export const OSS_EXAMPLE: Example = {
  name: "`pull`: OSS to AWS Global",
  scenario: { mode: "pull", source: SIDES.oss, destination: SIDES.global },
};
export const PUSH_EXAMPLE: Example = {
  name: "`push`: OSS to OSS out of the mainland, accelerated",
  scenario: { mode: "push", source: SIDES.oss, destination: SIDES.ossAbroad },
};

export const ANSWERS: readonly Example[] = [
  PULL_EXAMPLE,
  {
    name: "the same with `batchSeconds: 1`",
    scenario: { ...PULL_EXAMPLE.scenario, batchSeconds: 1 },
  },
  { name: "`pull`: AWS China to AWS Global", scenario: { mode: "pull", source: SIDES.china, destination: SIDES.global } },
  { name: "`pull`: AWS Global to OSS", scenario: { mode: "pull", source: SIDES.global, destination: SIDES.oss } },
  OSS_EXAMPLE,
  {
    name: "`pull`: OSS to OSS out of the mainland",
    scenario: { mode: "pull", source: SIDES.oss, destination: { cloud: "alicloud", region: "us-west-1" } },
  },
  PUSH_EXAMPLE,
  {
    name: "`native`: S3 to S3 in another region",
    scenario: { mode: "native", source: SIDES.global, destination: SIDES.otherRegion },
  },
];

const costOf = ({ scenario }: Example, load: "small" | "large", more: Partial<Scenario> = {}): Cost => {
  const { objects, sizeBytes } = EXAMPLES[load];
  return estimate({ ...scenario, objects, sizeBytes, ...more }, DEFAULT_PRICES);
};
export const smallCost = (example: Example, more: Partial<Scenario> = {}): Cost => costOf(example, "small", more);
const idleCost = ({ scenario }: Example, egress: "shared" | "static" = "shared"): Cost =>
  priced(idleUsage({ ...scenario, egress }), DEFAULT_PRICES);

const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
export const table = (head: readonly string[], rows: readonly (readonly string[])[], align: readonly string[]): string =>
  [row(head), `|${align.join("|")}|`, ...rows.map(row)].join("\n");

/** Unknown prices make a sum too low, so it says so. */
const total = (cost: Cost, amount: number): string => `${dollars(amount)}${cost.complete ? "" : " +"}`;

export function answerTable(): string {
  const rows = ANSWERS.map((example) => {
    const small = smallCost(example);
    const large = costOf(example, "large");
    return [
      example.name,
      total(small, beyondCopying(small)),
      total(small, inUsd(small.totals)),
      dollars(beyondCopying(large)),
      dollars(inUsd(large.totals)),
      dollars(inUsd(idleCost(example).totals)),
    ];
  });
  const head = [
    "Pair",
    `${EXAMPLES.small.text}: the bridge`,
    "with egress and writes",
    `${EXAMPLES.large.text}: the bridge`,
    "with egress and writes",
    "Each month, idle",
  ];
  return table(head, rows, ["---", "--:", "--:", "--:", "--:", "--:"]);
}

const quantityText = (quantity: number): string => {
  if (quantity >= 1e6) return `${Number((quantity / 1e6).toPrecision(4))} M`;
  if (quantity >= 1e4) return `${Number((quantity / 1e3).toPrecision(4))} k`;
  return `${Number(quantity.toPrecision(4))}`;
};

function priceText({ amount, currency, per, unit }: Price): string {
  const sign = currency === "USD" ? "$" : "CNY ";
  const units = per === 1 ? unit.replace(/s$/, "") : `${per === 1_000_000 ? "M" : per.toLocaleString("en-US")} ${unit}`;
  return `${sign}${Number(amount.toPrecision(6))} / ${units}`;
}

const lineUsd = ({ cost, currency }: CostLine): string =>
  cost === undefined || currency === undefined ? "unknown" : dollars(inUsd({ [currency]: cost }));

export function linesTable(cost: Cost, prices: PriceBook = DEFAULT_PRICES): string {
  const rows = cost.lines.map((line) => {
    const price = prices[line.cloud][line.billed];
    const quantity = `${quantityText(line.quantity)} ${line.unit}`;
    return [line.item, line.cloud, quantity, price === undefined ? "unknown" : priceText(price), lineUsd(line)];
  });
  const sum = ["**Together**", "", "", "", `**${total(cost, inUsd(cost.totals))}**`];
  return table(["What", "Billed by", "Quantity", "Price", "USD"], [...rows, sum], ["---", "---", "--:", "--:", "--:"]);
}

export const pullTable = (): string => linesTable(smallCost(PULL_EXAMPLE));
export const pushTable = (): string => linesTable(smallCost(PUSH_EXAMPLE));
export const largeTable = (): string => linesTable(costOf(PULL_EXAMPLE, "large"));

/** Sentences with figures. */
export function singlyText(): string {
  const together = smallCost(PULL_EXAMPLE);
  const alone = smallCost(PULL_EXAMPLE, { arrival: "singly" });
  const again = smallCost(PULL_EXAMPLE, { unchanged: 1 });
  return [
    `Objects that arrive one at a time cost one request and two invocations each: ${dollars(beyondCopying(alone))} instead of ${dollars(beyondCopying(together))}.`,
    `An event of an object that has not changed moves no bytes: ${dollars(inUsd(again.totals))} for a million of them.`,
  ].join("\n");
}

export function idleTables(): string {
  const [pull, oss] = [PULL_EXAMPLE, OSS_EXAMPLE];
  return [
    `From AWS, with \`egress: static\`:\n\n${linesTable(idleCost(pull, "static"))}`,
    `From Alibaba Cloud:\n\n${linesTable(idleCost(oss))}`,
    `Mode \`native\` in AWS with \`replication.metrics\` and one rule; without metrics and canaries it costs nothing:\n\n${linesTable(nativeMetricsCost())}`,
  ].join("\n\n");
}

const nativeMetricsCost = (): Cost =>
  priced(
    idleUsage({
      mode: "native",
      source: SIDES.global,
      destination: SIDES.otherRegion,
      replication: { metrics: true, rules: [] },
    }),
    DEFAULT_PRICES,
  );

export function staticText(): string {
  const { source } = PULL_EXAMPLE.scenario;
  const cost = priced(
    idleUsage({ mode: "pull", source, egress: "static" }).filter(({ item }) => item.startsWith("egress: static")),
    DEFAULT_PRICES,
  );
  return `about $${Math.round(inUsd(cost.totals))} a month`;
}

/** The method, and for a store that has no such object its answer. */
const requestName = (name: string): string => name.replace(/Missing$/, " (404)");

function requestsText(requests: Requests): string {
  const places = (["source", "destination", "records"] as const).map((place) => {
    const counts = Object.entries(requests[place]).map(([name, count]) => `${requestName(name)} ${count}`);
    return counts.length === 0 ? [] : [`${place}: ${counts.join(", ")}`];
  });
  return places.flat().join("; ");
}

const PATH_NAMES: Readonly<Record<Path, string>> = {
  "pull-to-s3": "`pull` to S3",
  "pull-to-oss": "`pull` to OSS",
  push: "`push`",
};
const WORK_NAMES: Readonly<Record<Work, string>> = {
  new: "new small object",
  unchanged: "unchanged object",
  tags: "in addition, if it has tags",
  delete: "deleted object",
};

export function requestsTable(): string {
  const rows = (Object.keys(SMALL_OBJECT) as Path[]).flatMap((path) =>
    (Object.keys(WORK_NAMES) as Work[]).map((work) => {
      const requests = SMALL_OBJECT[path][work];
      const count = Object.values(requests).flatMap((counts) => Object.values(counts as Record<string, number>));
      return [
        PATH_NAMES[path],
        WORK_NAMES[work],
        `${count.reduce((sum, one) => sum + one, 0)}`,
        requestsText(requests) || "none",
      ];
    }),
  );
  return table(["Path", "Work", "Requests", "Where"], rows, ["---", "---", "--:", "---"]);
}

export function assumptionsText(): string {
  const { storeMs, borderMs, endpointMs, cpuMsPerRequest, instanceBytesPerSecond } = ASSUMED;
  return [
    `- A store answers a small request after ${storeMs} ms; [AWS says](https://docs.aws.amazon.com/whitepapers/latest/s3-optimizing-performance-best-practices/timeouts-and-retries-for-latency-sensitive-applications.html) "in the tens of milliseconds".`,
    `- There and back across the border takes ${borderMs} ms on an open connection, the endpoint ${endpointMs} ms.`,
    `- A request takes ${cpuMsPerRequest} ms of one vCPU. A function moves ${instanceBytesPerSecond / 1024 ** 2} MiB/s.`,
    `- Functions are warm, nothing fails, and together means ${BATCH_SIZE} in a request from AWS, ${OSS_EVENTS.events / OSS_EVENTS.requests} from OSS. Steps of the workflow for a push: ${PUSH_STEPS.new.steps}, if nothing changed ${PUSH_STEPS.unchanged.steps}.`,
    `- CNY ${CNY_PER_USD} is one dollar. A month has ${MONTH_HOURS} hours. A plus sign: an item of unknown price is left out.`,
    `- Not counted: storage, KMS, free tiers (Simple Message Queue gives 20 million requests a month), taxes, discounts.`,
  ].join("\n");
}

const CLOUD_NAMES: Readonly<Record<Cloud, string>> = { aws: "AWS Global", "aws-cn": "AWS China", alicloud: "Alibaba Cloud" };

export function priceTable(prices: PriceBook = DEFAULT_PRICES): string {
  const rows = (Object.keys(prices) as Cloud[]).flatMap((cloud) =>
    Object.entries(prices[cloud]).map(([name, price]) => [
      CLOUD_NAMES[cloud],
      `\`${name}\``,
      priceText(price),
      price.source.startsWith("https:") ? `[page](${price.source})` : price.source,
      price.asOf ?? "",
    ]),
  );
  return table(["Cloud", "Name", "Price", "Source", "Read on"], rows, ["---", "---", "--:", "---", "---"]);
}

/** The README's figure: what the bridge adds to egress and writes. */
export const readmeText = (): string => `${dollars(beyondCopying(smallCost(PULL_EXAMPLE)))} per million small objects`;
export const readmeTextInChinese = (): string => `每百万个小对象约 ${dollars(beyondCopying(smallCost(PULL_EXAMPLE)))}`;

/** The figure of docs/alternatives.md: with the writes, as Data Transfer Hub counts. */
export const millionText = (): string => `${dollars(beyondEgress(smallCost(PULL_EXAMPLE)))}, a model`;
