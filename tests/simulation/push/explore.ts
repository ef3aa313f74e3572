/** Runs stories of push mode to their end. */
import fc from "fast-check";
import { act, actionArbitrary, type SourceAction } from "../script";
import type { Fault } from "../world/faults";
import type { Steps } from "../world/steps";
import type { Mutation } from "./sabotage";
import { PushWorld, type PushWorldOptions } from "./world";

/** A run that goes on beyond this is a livelock. */
const MAX_STEPS = 30_000;
/** How long the network holds a stalled request back. */
const STALL_MS = 2_500;

export interface PushStory
  extends Pick<PushWorldOptions, "faults" | "versionedSource" | "checksums">,
    Required<Pick<PushWorldOptions, "deletes" | "statusTags">>,
    Pick<PushWorldOptions, "maxAttempts"> {
  actions: SourceAction[];
  /** Between the copies of one event; ms. */
  copiesLaterMs: number;
  /** Virtual time that passes while work is under way; ms each. */
  ticksMs: number[];
}

const fault: fc.Arbitrary<Fault> = fc.record({
  label: fc.constantFrom(
    ...["flow start", "flow describe", "invoke", "park"],
    ...["head", "getTags", "get"].map((op) => `source ${op}`),
    ...["head", "getTags", "put", "putTags", "delete"].map((op) => `destination ${op}`),
    ...["createUpload", "uploadPart", "listParts", "completeUpload", "abortUpload"].map((op) => `destination ${op}`),
    ...["append", "readTail"].map((op) => `control ${op}`),
    // These decide; they fail more often.
    ...["flow start", "invoke", "invoke", "source get", "destination put", "destination delete", "destination completeUpload"],
  ),
  nth: fc.integer({ min: 1, max: 6 }),
  kind: fc.constantFrom("crash", "refuse", "lose-answer", "lose-answer-and-crash", "stall", "stall", "stall-and-crash"),
  hold: fc.integer({ min: 1, max: 8 }),
});

export const pushStoryArbitrary: fc.Arbitrary<PushStory> = fc.record({
  actions: fc.array(actionArbitrary, { minLength: 1, maxLength: 5 }),
  faults: fc.array(fault, { maxLength: 5 }),
  versionedSource: fc.boolean(),
  checksums: fc.boolean(),
  deletes: fc.constantFrom("replicate", "replicate", "replicate", "ignore"),
  statusTags: fc.constantFrom(false, false, false, true),
  copiesLaterMs: fc.constantFrom(0, 0, 40_000, 200_000),
  ticksMs: fc.array(fc.constantFrom(200, 1_500, 5_000, 28_000, 61_000), { maxLength: 8 }),
});

export async function play(scheduler: fc.Scheduler, story: PushStory, mutation?: Mutation): Promise<PushWorld> {
  const { actions, copiesLaterMs, ticksMs, ...options } = story;
  const world = new PushWorld({ scheduler, ...options, mutation });
  // Writes happen in their order, anywhere among the bridge's own steps; so does the passing of time.
  let writes: Promise<void> = Promise.resolve();
  for (const action of actions) {
    if (action.laterMs > 0) writes = writes.then(() => world.time.sleep(action.laterMs));
    for (let step = 0; step < action.after; step++) {
      writes = writes.then(() => scheduler.schedule(Promise.resolve(), "source waits"));
    }
    writes = writes
      .then(() => scheduler.schedule(Promise.resolve(), `source ${action.do} ${action.key}`))
      .then(() => perform(world, action, copiesLaterMs));
  }
  for (const ms of ticksMs) {
    void scheduler.schedule(Promise.resolve(), `time +${ms} ms`).then(() => passTime(ms, world));
  }
  await settle(scheduler, world);
  return world;
}

/** Changes the source and sends the event of it. */
export async function perform(world: PushWorld, action: SourceAction, copiesLaterMs = 0): Promise<void> {
  const removal = action.do === "delete" || action.do === "restore";
  if (await act(world.source, action)) world.notify(action.key, { removal, copies: action.events, copiesLaterMs });
}

/** Lets everything happen until nothing is left to do. Time passes by itself only when all else waits for it. */
export async function settle(steps: Steps, world: PushWorld): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step++) if (!(await next(steps, world))) return;
  throw new Error(`not settled after ${MAX_STEPS} steps`);
}

/**
 * The next step, or the next moment at which there is one.
 * @returns false when nothing is left to do
 */
export async function next(steps: Steps, world: PushWorld): Promise<boolean> {
  await new Promise(setImmediate);
  if (steps.count() > 0) {
    await steps.waitNext(1);
    return true;
  }
  if (world.time.holdsBack) {
    passTime(STALL_MS, world);
    return true;
  }
  const deadlines = [...world.time.attempts].map(({ deadlineMs }) => deadlineMs);
  const times = [world.time.nextWakeMs(), world.events.nextMs()].filter((atMs) => atMs !== undefined);
  // A function that waits for nothing has no time of its own: its hard end is the next thing to happen.
  const nextMs = Math.min(...(times.length > 0 ? times : deadlines));
  if (Number.isFinite(nextMs)) {
    passTime(nextMs - world.time.now(), world);
    return true;
  }
  if (world.idle) return false;
  throw new Error("work is left, yet nothing will ever happen again");
}

export function passTime(ms: number, world: PushWorld): void {
  world.time.advance(ms);
  world.events.deliverDue();
}
