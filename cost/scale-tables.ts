/** The tables of docs/scale.md. `npm run docs:cost` writes them into the page. */
import { allows, copyBytesPerSecond, type Limit, type Load, largestInOneRun, limitsOf, USE } from "./capacity";
import { beyondCopying, estimate, inUsd, type Scenario } from "./model";
import { DEFAULT_PRICES } from "./prices";
import { BATCH_SIZE, PUSH_STEPS } from "./requests";
import { dollars } from "./summary";
import { ANSWERS, type Example, table } from "./tables";
import { BUSY_MS } from "./times";

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
const GIB = 1024 ** 3;
/** 100 TB, in decimal as bills are. */
const DAY_BYTES = 100e12;

export const SMALL_LOAD: Load = { objectsPerSecond: 1_000_000 / HOUR_SECONDS, sizeBytes: 10_000 };
export const LARGE_LOAD: Load = { objectsPerSecond: DAY_BYTES / GIB / DAY_SECONDS, sizeBytes: GIB };

const EXAMPLES = ANSWERS.filter(({ scenario }) => scenario.mode !== "native" && scenario.batchSeconds === undefined);

const number = (value: number): string =>
  (value >= 100 ? Math.round(value) : Number(value.toPrecision(2))).toLocaleString("en-US");

function rateText(rate: number, load: Load): string {
  if (!Number.isFinite(rate)) return "";
  if (load === LARGE_LOAD) return `${number((rate * load.sizeBytes * DAY_SECONDS) / 1e12)} TB / day`;
  const perHour = rate * HOUR_SECONDS;
  return `${perHour >= 1e6 ? `${number(perHour / 1e6)} M` : `${number(perHour / 1e3)} k`} / hour`;
}

/** The limits that do not let the load pass, and the next one. */
function met(limits: readonly Limit[], load: Load): Limit[] {
  const count = limits.filter((limit) => allows(limit, load) < load.objectsPerSecond).length;
  return limits.slice(0, count + 1);
}

function limitsTable(example: Example, load: Load): string {
  const rows = met(limitsOf(example.scenario, load), load).map((limit) => {
    const isMet = allows(limit, load) < load.objectsPerSecond;
    const name = limit.source === undefined ? limit.name : `[${limit.name}](${limit.source})`;
    const lets = rateText(allows(limit, load), load);
    return [
      name,
      `${limit.default.toLocaleString("en-US")} ${limit.unit}`,
      isMet ? `**${lets}**` : lets,
      number(limit.needed),
      isMet ? limit.raise : "nothing",
    ];
  });
  return table(["Limit", "By default", "lets pass", "Needed", "What to do"], rows, ["---", "--:", "--:", "--:", "---"]);
}

/** Pairs with the same limits share a table. */
function limitTables(load: Load): string {
  const tables = new Map<string, string[]>();
  for (const example of EXAMPLES) {
    const text = limitsTable(example, load);
    tables.set(text, [...(tables.get(text) ?? []), example.name]);
  }
  return [...tables].map(([text, names]) => `${names.join("; ")}:\n\n${text}`).join("\n\n");
}

export const smallLimits = (): string => limitTables(SMALL_LOAD);
export const largeLimits = (): string => limitTables(LARGE_LOAD);

/** One line for each example: the first limit, and the price of the load. */
function summary(load: Load, objects: number, seconds: string): string {
  const rows = EXAMPLES.map((example) => {
    const [first] = limitsOf(example.scenario, load);
    const scenario: Scenario = { ...example.scenario, objects, sizeBytes: load.sizeBytes };
    const cost = estimate(scenario, DEFAULT_PRICES);
    const lets = first === undefined ? "" : rateText(allows(first, load), load);
    return [
      example.name,
      `${lets}: ${first?.name ?? ""}, ${first?.unit ?? ""}`,
      dollars(beyondCopying(cost)),
      dollars(inUsd(cost.totals)),
    ];
  });
  const head = ["Pair", "With every default", `Each ${seconds}: the bridge`, "with egress and writes"];
  return table(head, rows, ["---", "---", "--:", "--:"]);
}

export const smallSummary = (): string => summary(SMALL_LOAD, 1_000_000, "hour");
export const largeSummary = (): string => summary(LARGE_LOAD, DAY_BYTES / GIB, "day");

/** The rates that everything above follows from. */
export function ratesTable(): string {
  const seconds = (ms: number) => `${number(ms / 1000)} s`;
  const { batch, push } = BUSY_MS;
  const each = (ms: number) => `${number((BATCH_SIZE * 1000) / ms)} objects / s`;
  return table(
    ["What", "Busy", "One instance does"],
    [
      [`sender, ${BATCH_SIZE} small objects`, seconds(batch.new.sender), each(batch.new.sender)],
      [`receiver, ${BATCH_SIZE} small objects`, seconds(batch.new.receiver), each(batch.new.receiver)],
      ["dispatcher, one object", seconds(push.new.dispatcher), `${number(1000 / push.new.dispatcher)} objects / s`],
      [
        `pusher, one small object in ${PUSH_STEPS.new.pusher === 1 ? "one call" : `${PUSH_STEPS.new.pusher} calls`}`,
        seconds(push.new.pusher),
        `${number(1000 / push.new.pusher)} objects / s`,
      ],
      [
        "copier, 1 GiB",
        seconds((GIB / copyBytesPerSecond(GIB)) * 1000),
        `${number(copyBytesPerSecond(GIB) / 1024 ** 2)} MiB / s`,
      ],
    ],
    ["---", "--:", "--:"],
  );
}

export function pushText(): string {
  return `Where a push has too few instances, its workflow tries again after a second or more, and the instances are busy ${Math.round(USE.pushers * 100)} % of the time. With enough of them none waits.`;
}

export function copiesText(): string {
  const copies = (LARGE_LOAD.objectsPerSecond * GIB) / copyBytesPerSecond(GIB);
  return [
    `100 TB a day are ${number(LARGE_LOAD.objectsPerSecond)} objects of 1 GiB a second and ${Math.ceil(copies)} copies at once, if every slot is busy.`,
    `Where objects arrive evenly, a quarter more slots are enough. Where a backlog waits, a free slot stays free until a waiting key asks again: the simulation shows slots that are busy ${Math.round(USE.copies * 100)} % of the time, so ${Math.ceil(copies / USE.copies)} are needed.`,
    `One run of 900 s moves at most ${number(largestInOneRun() / GIB)} GiB; a larger object goes on in the next run.`,
  ].join("\n");
}
