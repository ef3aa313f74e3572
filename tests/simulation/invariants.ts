/** The invariants of the protocol, as DESIGN numbers them. */
import { recordsEqual } from "../../runtime/replication/equality";
import { withoutProvenance } from "../../runtime/replication/provenance";
import { withoutStatusTag } from "../../runtime/replication/snapshot";
import type { MemoryObject, MemoryStore } from "../../runtime/stores/memory/store";
import { settle } from "./explore";
import type { Steps } from "./world/steps";
import type { World } from "./world/world";

export function describeObject(object: Readonly<MemoryObject> | undefined): string {
  if (object === undefined) return "absent";
  return JSON.stringify({
    bytes: Buffer.from(object.bytes).toString(),
    headers: object.headers,
    metadata: withoutProvenance(object.metadata),
    tags: withoutStatusTag(object.tags),
  });
}

/** Invariants 1 and 3: what is acknowledged is proven equal. A key may only differ where its message is parked, and is named for it. */
export function assertConverged(world: World, { mayPark = false } = {}): void {
  const parked = new Set(world.parked.map(({ look }) => look.key));
  if (!mayPark) for (const { look, reason } of world.parked) throw new Error(`parked ${look.key}: ${reason}`);
  for (const key of new Set([...world.source.keys(), ...world.destination.keys()])) {
    const source = world.source.snapshotOf(key);
    if (parked.has(key) || (source === undefined && world.settings.deletes === "ignore")) continue;
    const [wanted, found] = [describeObject(source), describeObject(world.destination.snapshotOf(key))];
    if (wanted !== found) throw new Error(`not converged at ${key}: source ${wanted}, destination ${found}`);
  }
}

/** Invariant 2: whatever a reader could ever see at the destination was, whole, at the source once. */
export function assertNeverTorn(
  source: MemoryStore,
  destination: MemoryStore,
  isReplicated: (key: string) => boolean = () => true,
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

/** Nothing that was over before an attempt began was written by it, and no copy went on after its stop mark. */
export function assertFresh(world: World): void {
  const [violation] = world.watch.violations;
  if (violation !== undefined) throw new Error(violation);
}

/** Invariant 4: told once more about every key, the bridge moves no bytes. */
export async function assertNoNeedlessBytes(steps: Steps, world: World): Promise<void> {
  const before = world.source.bytesRead;
  const parked = new Set(world.parked.map(({ look }) => look.key));
  for (const key of world.source.keys()) if (!parked.has(key)) world.notify(key);
  await settle(steps, world);
  const moved = world.source.bytesRead - before;
  if (moved !== 0) throw new Error(`${moved} bytes moved for objects that had not changed`);
}
