/** Status tags are writes at the source, and S3 reports each of them. No such event may start work. */
import { ReceiverUnreachable } from "../../../runtime/protocol/ports";
import { next, settle } from "../explore";
import { pullStage, type Stage } from "../stage";
import { PullWorld } from "../world/pull";
import type { World } from "../world/world";

const DAY_MS = 24 * 3_600_000;
const refused = () => new ReceiverUnreachable("the receiver answered 503", { attemptMayRun: false, retryable: true });

/** Messages that ask for work. The event of a tag is a message too until a sender drops it. */
const messages = (world: PullWorld): number =>
  world.delivery.messages.filter(({ content }) => content.tagging === undefined).length + world.outage.messages.length;

/** Runs the worlds for a time. Calls `check` after every step. @returns at the end, or when nothing is left to do */
async function run(
  stage: Stage<PullWorld>,
  ms: number,
  check: () => void,
  worlds: [World, ...World[]] = [stage.world],
): Promise<void> {
  const endMs = stage.world.time.now() + ms;
  for (let step = 0; stage.world.time.now() < endMs; step++) {
    if (!(await next(stage.director, ...worlds))) return;
    check();
    if (step > 50_000) throw new Error("the bridge wakes itself: more than 50,000 steps");
  }
}

test("a receiver that refuses for 24 h: at most three writes of tags for one write, and at most two messages for one key", async () => {
  const stage = pullStage({ statusTags: true, maxAttempts: 20 });
  const { world } = stage;
  let down = true;
  world.beforeReceiver = () => {
    if (down) throw refused();
  };
  await stage.does("write-small", "k", 1);
  let most = 0;
  await run(stage, DAY_MS, () => {
    most = Math.max(most, messages(world));
  });
  expect(most).toBeLessThanOrEqual(2);
  expect(world.source.calls.putTags).toBeLessThanOrEqual(2);
  expect(world.parked).toEqual([]);
  down = false;
  await stage.settle();
  expect(world.source.snapshotOf("k")?.tags).toEqual({ "crossborderbridge-status-source-to-destination": "COMPLETED" });
  expect(world.source.calls.putTags).toBeLessThanOrEqual(3);
  expect(stage.seen()).toEqual(["111111"]);
});

test("two bridges with tags on one source, one of them failing: neither wakes the other", async () => {
  const stage = pullStage({ statusTags: true, maxAttempts: 20, names: { source: "source", destination: "one" } });
  const one = stage.world;
  const other = pullStage({ names: { source: "source", destination: "two" } }).world;
  const two = new PullWorld({
    scheduler: stage.director,
    conditionalWrites: true,
    versionedSource: false,
    sourceChecksums: true,
    faults: [],
    statusTags: true,
    maxAttempts: 20,
    names: { source: "source", destination: "two" },
    shared: { source: one.source, destination: other.destination, time: one.time },
  });
  // The bucket sends every event to both bridges.
  const both = [one, two] as const;
  for (const world of both) world.onOwnTags = (key, tagging) => both.forEach((each) => void each.notify(key, { tagging }));
  let posts = 0;
  two.beforeReceiver = () => {
    posts++;
    throw refused();
  };
  await stage.does("write-small", "k", 1);
  two.notify("k");
  await run(stage, DAY_MS, () => expect(messages(one) + messages(two)).toBeLessThanOrEqual(2 * 2), [one, two]);
  // One probe a minute.
  expect(posts).toBeLessThan(24 * 60 + 10);
  two.beforeReceiver = () => undefined;
  await settle(stage.director, one, two);
  expect(one.source.calls.putTags).toBeLessThanOrEqual(2 * 3);
  expect(two.parked).toEqual([]);
  expect(one.source.snapshotOf("k")?.tags).toMatchObject({ "crossborderbridge-status-source-to-one": "COMPLETED" });
  expect(one.destination.snapshotOf("k")?.tags).toEqual({});
});

test("a user changes tags while the key waits: the change arrives", async () => {
  const stage = pullStage({ statusTags: true });
  let down = true;
  stage.world.beforeReceiver = () => {
    if (down) throw refused();
  };
  await stage.does("write-small", "k", 1);
  await stage.run();
  await stage.does("retag", "k", 2);
  await stage.run();
  down = false;
  await stage.settle();
  expect(stage.world.destination.snapshotOf("k")?.tags).toEqual({ retagged: "2" });
  expect(stage.world.source.snapshotOf("k")?.tags).toEqual({
    retagged: "2",
    "crossborderbridge-status-source-to-destination": "COMPLETED",
  });
});
