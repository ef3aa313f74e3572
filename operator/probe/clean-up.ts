/** Removes a run's objects from both sides. */
import type { ProbeSide } from "../../runtime/roles/prober/names";
import { chunks } from "../chunks";
import { DIRECTIONS, farSide, nearSide, type ProbeObject } from "./plan";
import type { Probers } from "./probers";

/** An object that a side would not remove. */
export interface LeftBehind {
  side: ProbeSide;
  name: string;
  reason: string;
}

/** In one invocation, which has to end within a function's time. */
const NAMES_AT_ONCE = 200;
const TRIES = 2;

/**
 * The far side comes first: a bridge that is told of a removal at the near side then finds nothing to do. What never arrived is removed
 * there once more at the end, as it may have come meanwhile. Never rejects.
 */
export async function cleanUp(
  posted: readonly ProbeObject[],
  { probers, arrived }: { probers: Probers; arrived(object: ProbeObject): boolean },
): Promise<LeftBehind[]> {
  const left = new Map<string, LeftBehind>();
  for (const direction of DIRECTIONS) {
    const mine = posted.filter((object) => object.direction === direction);
    await remove(farSide(direction), mine);
    await remove(nearSide(direction), mine);
    await remove(
      farSide(direction),
      mine.filter((object) => !arrived(object)),
    );
  }
  return [...left.values()];

  async function remove(side: ProbeSide, objects: readonly ProbeObject[]): Promise<void> {
    for (const chunk of chunks(objects, NAMES_AT_ONCE)) {
      const names = chunk.map(({ name }) => name);
      const reason = await failureOf(() => probers[side].clean(names));
      for (const name of names) {
        if (reason === undefined) left.delete(`${side} ${name}`);
        else left.set(`${side} ${name}`, { side, name, reason });
      }
    }
  }
}

/** Undefined where it went well in the end. */
async function failureOf(work: () => Promise<unknown>): Promise<string | undefined> {
  for (let tried = 1; ; tried++) {
    try {
      await work();
      return undefined;
    } catch (error) {
      if (tried === TRIES) return error instanceof Error ? error.message : String(error);
    }
  }
}
