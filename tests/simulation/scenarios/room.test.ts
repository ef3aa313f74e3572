/** More large objects than copies may run at once, and an account with few instances. */
import type { Notice } from "../../../runtime/protocol/messages";
import { TooSlow } from "../../../runtime/replication/pace";
import type { Slots } from "../../../runtime/replication/slots";
import { perform, settle } from "../explore";
import { assertSound } from "../invariants";
import { pullStage } from "../stage";
import type { PullSabotage } from "../world/pull";

const MINUTE_MS = 60_000;

interface Setting {
  objects: number;
  copiesAtOnce: number;
  instances: number;
  sabotage?: PullSabotage;
  maxAttempts?: number;
}

/** Large objects arrive at once, and a small object every 20 minutes. Each copy takes 10 minutes: two reads of 5. */
async function backlog({ objects, copiesAtOnce, instances, sabotage, maxAttempts = 3 }: Setting) {
  const { world, director } = pullStage({ batchSize: 10, instances, readMs: 5 * MINUTE_MS, sabotage, maxAttempts });
  Object.assign(world.settings, { copiesAtOnce, copierMs: 15 * MINUTE_MS });
  const beganMs = world.time.now();
  for (let index = 0; index < objects; index++)
    await perform(world, { do: "write-large", key: `large-${index}`, content: 1, events: 1, laterMs: 0, after: 0 });
  const waits: number[] = [];
  const written = new Map<string, number>();
  world.onDestinationChange = (key) => {
    const atMs = written.get(key);
    if (atMs !== undefined) waits.push(world.time.now() - atMs);
  };
  const writeSmall = async (count: number) => {
    for (let index = 0; index < count; index++) {
      await world.time.sleep(20 * MINUTE_MS);
      written.set(`small-${index}`, world.time.now());
      await perform(world, { do: "write-small", key: `small-${index}`, content: 1, events: 1, laterMs: 0, after: 0 });
    }
  };
  const small = Math.floor((objects * 10) / copiesAtOnce / 20);
  const writing = writeSmall(small);
  // More steps than a random story may have.
  for (let chunk = 0; chunk < 200; chunk++) {
    const isAtRest = await settle(director, world).then(
      () => true,
      (error: Error) => {
        if (!error.message.startsWith("not settled")) throw error;
        return false;
      },
    );
    if (isAtRest) break;
  }
  await writing;
  assertSound(world);
  return {
    world,
    hours: (world.time.now() - beganMs) / 3_600_000,
    waits,
    small,
    starts: [...world.starts.values()],
    arrived: world.destination.keys().filter((key) => key.startsWith("large-")).length,
  };
}

test("300 objects, 10 instances, each copy 10 minutes: all arrive, none is parked, and small objects do not wait", async () => {
  const { world, arrived, starts, waits, small, hours } = await backlog({ objects: 300, copiesAtOnce: 5, instances: 10 });
  expect([arrived, world.parked, world.account.dropped]).toEqual([300, [], 0]);
  expect(Math.max(...starts)).toBeLessThanOrEqual(2);
  expect(waits).toHaveLength(small);
  expect(Math.max(...waits)).toBeLessThan(10_000);
  // 300 copies of 10 minutes, 5 at once, are 10 hours of work.
  expect(hours).toBeLessThan(14);
}, 300_000);

test("no instance is free for the copiers: starts are dropped, nothing is parked, and the bytes move once", async () => {
  const { world, arrived } = await backlog({ objects: 12, copiesAtOnce: 6, instances: 3 });
  expect([arrived, world.parked]).toEqual([12, []]);
  expect(world.account.dropped).toBeGreaterThan(0);
  expect(world.events.filter((event) => / retry /.test(event))).toEqual([]);
}, 120_000);

/** The slots of a role with some calls replaced. */
const withSlots = <D extends { slots?: Slots | undefined }>(deps: D, changes: Partial<Slots>): D => {
  const { slots } = deps;
  if (slots === undefined) throw new Error("the world gives every role its slots");
  const own: Slots = {
    take: (...of) => slots.take(...of),
    keep: (...of) => slots.keep(...of),
    release: (...of) => slots.release(...of),
  };
  return { ...deps, slots: { ...own, ...changes } };
};

describe("mutations that the scenarios catch", () => {
  test("a copy that never began counts as a failure", async () => {
    const sabotage: PullSabotage = {
      receiver: (deps) => ({
        ...deps,
        leases: {
          ...deps.leases,
          read: async (key, signal) => {
            const held = await deps.leases.read(key, signal);
            return held && { ...held, lease: { ...held.lease, run: held.lease.run ?? "never" } };
          },
        },
      }),
    };
    const { world } = await backlog({ objects: 12, copiesAtOnce: 6, instances: 3, sabotage });
    expect(world.events.filter((event) => / retry /.test(event))).not.toEqual([]);
  }, 120_000);

  test("a copy is started without a slot", async () => {
    const sabotage: PullSabotage = { receiver: (deps) => withSlots(deps, { take: async () => true }) };
    const { world } = await backlog({ objects: 12, copiesAtOnce: 2, instances: 3, sabotage });
    expect(world.account.dropped).toBeGreaterThan(0);
  }, 120_000);

  test("with slots no start of the same story is dropped", async () => {
    const { world } = await backlog({ objects: 12, copiesAtOnce: 2, instances: 3 });
    expect(world.account.dropped).toBe(0);
  }, 120_000);

  test("a slot is not given back", async () => {
    const setting = { objects: 12, copiesAtOnce: 2, instances: 10 };
    const sabotage: PullSabotage = { copier: (deps) => withSlots(deps, { release: async () => undefined }) };
    const sound = await backlog(setting);
    const slower = await backlog({ ...setting, sabotage });
    expect(slower.hours).toBeGreaterThan(sound.hours * 1.3);
  }, 120_000);
});

describe("a receiver whose every write is too slow", () => {
  const slowWrites: PullSabotage = {
    receiver: (deps) => ({
      ...deps,
      reader: {
        bind: (...of) => ({
          ...deps.reader.bind(...of),
          open: () => Promise.reject(new TooSlow(1, "write")),
        }),
      },
    }),
  };

  test("a small object is taken up by the copier, and no failure is counted", async () => {
    const stage = pullStage({ maxAttempts: 1, sabotage: slowWrites });
    await stage.does("write-small", "k", 1);
    await stage.settle();
    expect(stage.seen()).toEqual(["111111"]);
    expect(stage.world.starts.get("k")).toBe(1);
  });

  test("a receiver that ignores slow never carries it", async () => {
    const ignoresSlow: PullSabotage = {
      ...slowWrites,
      sender: (deps) => ({
        ...deps,
        receiver: {
          post: (request, options) =>
            deps.receiver.post(
              { ...request, notices: request.notices.map((notice) => ({ ...notice, slow: undefined }) as Notice) },
              options,
            ),
        },
      }),
    };
    const stage = pullStage({ giveUpAfterSeconds: 3_600, sabotage: ignoresSlow });
    await stage.does("write-small", "k", 1);
    await stage.settle({ mayPark: true });
    expect([stage.seen(), stage.world.parked.length]).toEqual([[], 1]);
  });
});

test("a copier that begins its parts again is caught by the bytes that it moves", async () => {
  const faults = [{ label: "destination uploadPart", nth: 3, kind: "lose-answer-and-crash" as const, hold: 0 }];
  const restarts: PullSabotage = {
    copier: (deps) => ({
      ...deps,
      leases: {
        ...deps.leases,
        read: async (key, signal) => {
          const held = await deps.leases.read(key, signal);
          if (held === undefined || held.lease.run !== undefined) return held;
          const { upload: _forgotten, ...lease } = held.lease;
          return { ...held, lease };
        },
      },
    }),
  };
  const moved = async (sabotage?: PullSabotage) => {
    const stage = pullStage({ faults, sabotage });
    await stage.does("write-large", "k", 1);
    await stage.settle();
    return stage.bytesMoved;
  };
  expect(await moved()).toBe(11);
  expect(await moved(restarts)).toBeGreaterThan(11 * 1.2);
});
