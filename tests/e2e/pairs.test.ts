/** Runs the same cases for all nine pairs of clouds. Only the configuration differs. */

import { ends } from "../../local/cli/ends";
import { type LocalClouds, startLocalClouds } from "../../local/local-clouds";
import { type LocalStack, startLocalStack } from "../../local/local-stack";
import { openPairEnd, type PairEnd } from "./pairs/pair-end";
import { type SourceEvents, sourceEvents } from "./pairs/source-events";
import { inBatches } from "./support/batches";
import { bodyOf, CASES, type Case, OF_S3 } from "./support/cases";
import { eventually } from "./support/eventually";
import { START_MS, started } from "./support/stack";

const MIB = 1024 * 1024;
const ARRIVE_MS = 90_000;

/** Regions of source and destination. A pair inside one cloud crosses regions. */
const PLACES = {
  aws: { source: "us-east-1", destination: "eu-west-1" },
  "aws-cn": { source: "cn-north-1", destination: "cn-northwest-1" },
  alicloud: { source: "cn-shanghai", destination: "us-west-1" },
} as const;
type Cloud = keyof typeof PLACES;
const CLOUDS = Object.keys(PLACES) as Cloud[];

interface Pair {
  from: Cloud;
  to: Cloud;
  /** Absent for the pair's default mode. */
  mode?: "pull" | "push";
}

const PAIRS: Pair[] = CLOUDS.flatMap((from) =>
  CLOUDS.map((to): Pair => (from === to && from !== "alicloud" ? { from, to, mode: "pull" } : { from, to })),
);
/** Inside Alibaba Cloud both modes are tested. */
PAIRS.push({ from: "alicloud", to: "alicloud", mode: "pull" });

let clouds: LocalClouds;

beforeAll(async () => {
  // A key that has to wait goes on at the next tick.
  clouds = await startLocalClouds({ clouds: CLOUDS, scheduleMinuteMs: 5_000 });
}, START_MS);

afterAll(() => clouds?.stop());

interface Running {
  local: LocalStack;
  source: PairEnd;
  destination: PairEnd;
  events: SourceEvents;
}

async function start({ from, to, mode }: Pair): Promise<Running> {
  const name = `${from}-${to}${mode ? `-${mode}` : ""}`;
  const pull = mode === "pull" || from !== to;
  const local = await startLocalStack({
    stack: "dev",
    clouds,
    settings: {
      "crossborderbridge:name": name,
      "crossborderbridge:source": { cloud: from, region: PLACES[from].source, bucket: `${name}-source` },
      "crossborderbridge:destination": { cloud: to, region: PLACES[to].destination, bucket: `${name}-destination` },
      "crossborderbridge:mode": mode ?? "",
      // The default of the source's cloud.
      "crossborderbridge:buffer": "",
      "crossborderbridge:inlineLimitBytes": MIB,
      "crossborderbridge:copy": { partSizeBytes: 5 * MIB, partsAtOnce: 2, concurrency: 2, timeoutSeconds: 60 },
      "crossborderbridge:timeouts": { senderSeconds: 40, receiverSeconds: 10 },
      ...(pull ? {} : { "crossborderbridge:allowedCidrs": [] }),
    },
  });
  const { source, destination } = ends(local);
  return { local, source: openPairEnd(source), destination: openPairEnd(destination), events: sourceEvents(local) };
}

const converged = ({ source, destination }: Running, key: string) =>
  eventually(
    async () => {
      const there = await destination.look(key);
      expect(there).toEqual(await source.look(key));
      return there;
    },
    { deadlineMs: ARRIVE_MS, what: `${JSON.stringify(key)} is equal at source and destination` },
  );

describe.each(PAIRS.map((pair) => ({ ...pair, by: pair.mode ?? "the default mode" })))("$from to $to by $by", (pair) => {
  let running: Running | undefined;
  const on = (name: string, body: (stack: Running) => Promise<void>) =>
    test(
      name,
      async () => {
        await body(started(running));
      },
      4 * ARRIVE_MS,
    );
  const isOss = { from: pair.from === "alicloud", to: pair.to === "alicloud" };
  const puttable = [...CASES, ...(isOss.from ? [] : OF_S3)].filter(({ notOnOss }) => !(isOss.from && notOnOss));
  const refused = puttable.filter(({ notOnOss }) => isOss.to && notOnOss !== undefined);
  const replicated = puttable.filter((one) => !refused.includes(one));

  beforeAll(async () => {
    running = await start(pair);
    const { source } = running;
    await inBatches(puttable, 8, async (one: Case) => {
      await source.put(one.key, bodyOf(one), one);
    });
  }, START_MS);

  afterAll(async () => {
    running?.events.close();
    running?.source.close();
    running?.destination.close();
    await running?.local.stop();
  });

  describe("replicates", () => {
    for (const one of replicated)
      on(one.description, async (stack) => {
        const there = await converged(stack, one.key);
        expect(there?.sizeBytes).toBe(bodyOf(one).length);
      });
  });

  on("an object that is copied in parts arrives whole", async (stack) => {
    const bytes = Buffer.alloc(11 * MIB, "0123456789abcdef-");
    await stack.source.put("large.bin", bytes, { headers: { "content-type": "application/x-large" }, tags: { of: "parts" } });
    expect((await converged(stack, "large.bin"))?.sizeBytes).toBe(bytes.length);
  });

  on("the sides are equal after overwrites, a change of tags, repeated events and a delete", async (stack) => {
    const { source, destination, events } = stack;
    await source.put("life", Buffer.from("first"));
    await source.put("life", Buffer.from("second, which is longer"), { metadata: { step: "2" } });
    await Promise.all([events.repeat("life"), events.repeat("life")]);
    await converged(stack, "life");
    await source.put("life", Buffer.from("third"), { tags: { step: "3" } });
    await converged(stack, "life");
    await events.settled();
    const before = await destination.versions("life");

    await Promise.all([events.repeat("life"), events.repeat("life"), events.repeat("life")]);
    await events.settled();
    expect(await destination.versions("life")).toBe(before);

    await source.remove("life");
    expect(await converged(stack, "life")).toBeUndefined();
  });

  on("only objects that the destination cannot store are in the dead-letter queue", async ({ events }) => {
    await events.settled();
    const letters = await events.deadLetters();
    expect(letters.map(({ key }) => key).sort()).toEqual(refused.map(({ key }) => key).sort());
    for (const { key, notOnOss } of refused)
      expect(letters.find((letter) => letter.key === key)?.reason).toMatch(notOnOss as RegExp);
  });
});
