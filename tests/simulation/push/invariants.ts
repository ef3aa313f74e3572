/** The invariants of the protocol, as DESIGN numbers them, in push mode. */
import { parsePushState } from "../../../runtime/protocol/push";
import { assertNeverTorn, describeObject } from "../invariants";
import type { Steps } from "../world/steps";
import { settle } from "./explore";
import type { PushWorld } from "./world";

export function assertSound(world: PushWorld, { mayPark = false } = {}): void {
  const [defect] = world.defects;
  if (defect !== undefined) throw new Error("a role failed in a way that nothing simulated explains", { cause: defect });
  assertConverged(world, mayPark);
  assertNeverTorn(world.source, world.destination);
  const [violation] = world.watch.violations;
  if (violation !== undefined) throw new Error(violation);
  assertOnce(world);
}

/** Invariants 1 and 3: a key may only differ where it is parked, and is named for it. */
function assertConverged(world: PushWorld, mayPark: boolean): void {
  if (!mayPark) for (const { look, reason } of world.parked) throw new Error(`parked ${look.key}: ${reason}`);
  const parked = new Set(world.parked.map(({ look }) => look.key));
  for (const key of new Set([...world.source.keys(), ...world.destination.keys()])) {
    const source = world.source.snapshotOf(key);
    if (parked.has(key) || (source === undefined && world.settings.deletes === "ignore")) continue;
    const [wanted, found] = [describeObject(source), describeObject(world.destination.snapshotOf(key))];
    if (wanted !== found) throw new Error(`not converged at ${key}: source ${wanted}, destination ${found}`);
  }
}

/** However often an event comes: one execution for one state that it found, unless that one failed. */
function assertOnce(world: PushWorld): void {
  const seen = new Set<string>();
  for (const { name, input, status } of world.flow.executions.values()) {
    if (status === "Failed") continue;
    const occasion = `${name.split("-")[0]} for ${parsePushState(JSON.parse(input)).eventId}`;
    if (seen.has(occasion)) throw new Error(`executed twice: ${occasion}`);
    seen.add(occasion);
  }
}

/** Invariant 4: told once more about every key, the bridge moves no bytes. */
export async function assertNoNeedlessBytes(steps: Steps, world: PushWorld): Promise<void> {
  world.endFaults();
  const before = world.source.bytesRead;
  for (const key of world.source.keys()) world.notify(key, { copies: 2 });
  await settle(steps, world);
  const moved = world.source.bytesRead - before;
  if (moved !== 0) throw new Error(`${moved} bytes moved for objects that had not changed`);
}
