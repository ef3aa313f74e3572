/** The invariants of the protocol, numbered as in docs/guarantees.md. */
import { inControlPrefix } from "../../runtime/protocol/control";
import { parsePushState } from "../../runtime/protocol/push";
import { recordsEqual } from "../../runtime/replication/equality";
import { withoutProvenance } from "../../runtime/replication/provenance";
import { withoutStatusTags } from "../../runtime/replication/snapshot";
import type { MemoryObject, MemoryStore } from "../../runtime/stores/memory/store";
import { settle } from "./explore";
import type { PullStory } from "./script";
import type { PullWorld } from "./world/pull";
import { PushWorld } from "./world/push";
import type { Steps } from "./world/steps";
import type { World } from "./world/world";

export function describeObject(object: Readonly<MemoryObject> | undefined): string {
  if (object === undefined) return "absent";
  return JSON.stringify({
    bytes: Buffer.from(object.bytes).toString(),
    headers: object.headers,
    metadata: withoutProvenance(object.metadata),
    tags: withoutStatusTags(object.tags),
  });
}

/** Asserts every invariant that holds when a world is at rest. */
export function assertSound(world: World, options: { mayPark?: boolean } = {}): void {
  const [defect] = world.defects;
  if (defect !== undefined) throw new Error("a role failed, and no simulated fault explains it", { cause: defect });
  assertConverged(world, options);
  assertNeverTorn(world.source, world.destination);
  assertFresh(world);
  if (world instanceof PushWorld) assertOnce(world);
}

/** Invariants 1 and 3: acknowledged objects are equal. A key may differ only if its message is parked. */
export function assertConverged(world: World, { mayPark = false } = {}): void {
  const parked = new Set(world.parked.map(({ look }) => look.key));
  if (!mayPark) for (const { look, reason } of world.parked) throw new Error(`parked ${look.key}: ${reason}`);
  for (const key of new Set([...world.source.keys(), ...world.destination.keys()])) {
    if (inControlPrefix(key)) continue;
    const source = world.source.snapshotOf(key);
    if (parked.has(key) || (source === undefined && world.settings.deletes === "ignore")) continue;
    const [wanted, found] = [describeObject(source), describeObject(world.destination.snapshotOf(key))];
    if (wanted !== found) throw new Error(`not converged at ${key}: source ${wanted}, destination ${found}`);
  }
}

/** Invariant 2: every state of an object at the destination was a whole object at the source before. */
export function assertNeverTorn(
  source: MemoryStore,
  destination: MemoryStore,
  isReplicated: (key: string) => boolean = (key) => !inControlPrefix(key),
): void {
  for (const key of destination.keys().filter(isReplicated)) {
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

/** No attempt wrote a state that was replaced before the attempt began. No copier completed after it read its stop mark. */
export function assertFresh(world: World): void {
  const [violation] = world.watch.violations;
  if (violation !== undefined) throw new Error(violation);
}

/** Repeated events of one state start one execution, unless that execution failed. */
function assertOnce(world: PushWorld): void {
  const seen = new Set<string>();
  for (const { name, input, status } of world.flow.executions.values()) {
    const { eventId } = parsePushState(JSON.parse(input));
    // A key that comes from a queue has no event.
    if (status === "Failed" || eventId === undefined) continue;
    const occasion = `${name.split("-")[0]} for ${eventId}`;
    if (seen.has(occasion)) throw new Error(`executed twice: ${occasion}`);
    seen.add(occasion);
  }
}

/** At rest, a request of any age changes no object at the destination, and starts no copy. */
export async function assertReplaysChangeNothing(steps: Steps, world: PullWorld): Promise<void> {
  world.endFaults();
  const states = () =>
    [...new Set([...world.source.keys(), ...world.destination.keys()])].map((key) => [key, world.destination.history(key)]);
  const before = JSON.stringify(states());
  for (const index of world.captured.keys()) world.replay(index);
  await settle(steps, world);
  if (JSON.stringify(states()) !== before) throw new Error("a replayed request changed the destination");
}

/** Requests and bytes for each event and each fault. Of 2,000 schedules the busiest needs four requests for each. */
const MOST_REQUESTS = 12;
const MOST_BYTES = 22;

/** Invariant 7: the work is bounded by what users wrote and by what failed, whatever the schedule is. */
export function assertBoundedWork(world: PullWorld, { actions, faults }: Pick<PullStory, "actions" | "faults">): void {
  const causes = actions.reduce((sum, { events }) => sum + events, 0) + faults.length;
  if (world.posts > MOST_REQUESTS * causes) throw new Error(`${world.posts} requests for ${causes} events and faults`);
  if (world.source.bytesRead > MOST_BYTES * causes)
    throw new Error(`${world.source.bytesRead} bytes moved for ${causes} events and faults`);
}

/** Invariant 4: repeated events of unchanged objects move no bytes. Push mode gets each event twice. */
export async function assertNoNeedlessBytes(steps: Steps, world: World): Promise<void> {
  world.endFaults();
  const before = world.source.bytesRead;
  const parked = new Set(world.parked.map(({ look }) => look.key));
  const copies = world instanceof PushWorld ? 2 : 1;
  for (const key of world.source.keys()) if (!parked.has(key)) world.notify(key, { copies });
  await settle(steps, world);
  const moved = world.source.bytesRead - before;
  if (moved !== 0) throw new Error(`${moved} bytes moved for objects that had not changed`);
}
