/** Runs one story to its end and checks the invariants of the protocol. */
import type fc from "fast-check";
import { recordsEqual } from "../../runtime/replication/equality";
import { withoutProvenance } from "../../runtime/replication/provenance";
import type { MemoryObject, MemoryStore } from "../../runtime/stores/memory";
import { act, type Story } from "./script";
import { type Mutation, World } from "./world";

/** A run that goes on beyond this is a livelock. */
const MAX_STEPS = 20_000;

/** How long the network holds a stalled request back. */
const STALL_MS = 2_500;

export async function play(scheduler: fc.Scheduler, story: Story, mutation?: Mutation): Promise<World> {
  const world = new World({
    scheduler,
    conditionalWrites: story.conditionalWrites,
    versionedSource: story.versionedSource,
    sourceChecksums: story.sourceChecksums,
    deletes: story.deletes,
    faults: story.faults,
    mutation,
  });
  // Writes happen in their order, anywhere among the bridge's own steps; so does the passing of time.
  let writes: Promise<void> = Promise.resolve();
  for (const action of story.actions) {
    for (let step = 0; step < action.after; step++) {
      writes = writes.then(() => scheduler.schedule(Promise.resolve(), "source waits"));
    }
    writes = writes
      .then(() => scheduler.schedule(Promise.resolve(), `source ${action.do} ${action.key}`))
      .then(async () => {
        if (await act(world.source, action)) world.notify(action.key, action.events);
      });
  }
  for (const ms of story.ticksMs) {
    void scheduler.schedule(Promise.resolve(), `time +${ms} ms`).then(() => {
      world.time.advance(ms);
      world.deliverVisible();
    });
  }
  await settle(scheduler, world);
  return world;
}

/** Lets everything happen until nothing is left to do. Time passes by itself only when all else waits for it. */
export async function settle(scheduler: fc.Scheduler, ...worlds: World[]): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step++) {
    await new Promise(setImmediate);
    if (scheduler.count() > 0) {
      await scheduler.waitNext(1);
      continue;
    }
    const [first] = worlds;
    if (first?.time.holdsBack) {
      first.time.advance(STALL_MS);
      for (const world of worlds) world.deliverVisible();
      continue;
    }
    const next = worlds.map((world) => world.nextVisibleMs()).filter((atMs) => atMs !== undefined);
    if (next.length === 0) {
      if (worlds.every((world) => world.idle)) return;
      throw new Error("messages are left, yet nothing will ever happen again");
    }
    first?.time.advance(Math.min(...next) - first.time.now());
    for (const world of worlds) world.deliverVisible();
  }
  throw new Error(`not settled after ${MAX_STEPS} steps`);
}

export function describeObject(object: Readonly<MemoryObject> | undefined): string {
  if (object === undefined) return "absent";
  const { headers, tags } = object;
  return JSON.stringify({
    bytes: Buffer.from(object.bytes).toString(),
    headers,
    metadata: withoutProvenance(object.metadata),
    tags,
  });
}

/** Invariant 1 (and so 3: what is acknowledged is not lost). Nothing in these stories is a reason to park a key. */
export function assertConverged(world: World): void {
  for (const { look, reason } of world.parked) throw new Error(`parked ${look.key}: ${reason}`);
  for (const key of new Set([...world.source.keys(), ...world.destination.keys()])) {
    const source = describeObject(world.source.snapshotOf(key));
    const destination = describeObject(world.destination.snapshotOf(key));
    if (source !== destination) throw new Error(`not converged at ${key}: source ${source}, destination ${destination}`);
  }
}

/** Invariant 2: whatever a reader could ever see at the destination was, whole, at the source once. */
export function assertNeverTorn(source: MemoryStore, destination: MemoryStore): void {
  for (const key of destination.keys()) {
    const whole = source.history(key).flatMap(({ state }) => (state === undefined ? [] : [state]));
    for (const { state: object } of destination.history(key)) {
      if (object === undefined) continue;
      const found = whole.some(
        (one) =>
          Buffer.compare(one.bytes, object.bytes) === 0 &&
          recordsEqual(one.headers, object.headers) &&
          recordsEqual(withoutProvenance(one.metadata), withoutProvenance(object.metadata)),
      );
      if (!found) throw new Error(`torn at ${key}: ${describeObject(object)} was never at the source`);
    }
  }
}

/** Invariant 4: told once more about every key, the bridge moves no bytes. */
export async function assertNoNeedlessBytes(scheduler: fc.Scheduler, world: World): Promise<void> {
  const before = world.source.bytesRead;
  for (const key of world.source.keys()) world.notify(key);
  await settle(scheduler, world);
  const moved = world.source.bytesRead - before;
  if (moved !== 0) throw new Error(`${moved} bytes moved for objects that had not changed`);
}
