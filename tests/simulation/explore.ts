/** Runs stories to their end. */
import type fc from "fast-check";
import { act, type Story } from "./script";
import type { Mutation } from "./world/sabotage";
import type { Steps } from "./world/steps";
import { World } from "./world/world";

/** A run that goes on beyond this is a livelock. */
const MAX_STEPS = 30_000;

/** How long the network holds a stalled request back. */
const STALL_MS = 2_500;

export async function play(scheduler: fc.Scheduler, story: Story, mutation?: Mutation): Promise<World> {
  const { actions, ticksMs, ...options } = story;
  const world = new World({ scheduler, ...options, mutation });
  // Writes happen in their order, anywhere among the bridge's own steps; so does the passing of time.
  let writes: Promise<void> = Promise.resolve();
  for (const action of actions) {
    if (action.laterMs > 0) writes = writes.then(() => world.time.sleep(action.laterMs));
    for (let step = 0; step < action.after; step++) {
      writes = writes.then(() => scheduler.schedule(Promise.resolve(), "source waits"));
    }
    writes = writes
      .then(() => scheduler.schedule(Promise.resolve(), `source ${action.do} ${action.key}`))
      .then(async () => {
        if (await act(world.source, action)) world.notify(action.key, action.events);
      });
  }
  for (const ms of ticksMs) {
    void scheduler.schedule(Promise.resolve(), `time +${ms} ms`).then(() => passTime(ms, world));
  }
  await settle(scheduler, world);
  return world;
}

/** Lets everything happen until nothing is left to do. Time passes by itself only when all else waits for it. */
export async function settle(steps: Steps, ...worlds: World[]): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step++) if (!(await next(steps, ...worlds))) return;
  throw new Error(`not settled after ${MAX_STEPS} steps`);
}

/**
 * The next step, or the next moment at which there is one.
 * @returns false when nothing is left to do
 */
export async function next(steps: Steps, ...worlds: World[]): Promise<boolean> {
  await new Promise(setImmediate);
  if (steps.count() > 0) {
    await steps.waitNext(1);
    return true;
  }
  const [first] = worlds;
  if (first === undefined) return false;
  if (first.time.holdsBack) {
    passTime(STALL_MS, ...worlds);
    return true;
  }
  const times = [first.time.nextWakeMs(), ...worlds.map((world) => world.trigger.nextVisibleMs())];
  // An invocation whose function runs on has no time of its own: its end is the next thing to happen.
  const nextMs = Math.min(...times.filter((atMs) => atMs !== undefined));
  if (Number.isFinite(nextMs)) {
    passTime(nextMs - first.time.now(), ...worlds);
    return true;
  }
  const [deadlineMs] = [...first.time.attempts].map((attempt) => attempt.deadlineMs).sort((a, b) => a - b);
  if (deadlineMs !== undefined) {
    passTime(deadlineMs - first.time.now(), ...worlds);
    return true;
  }
  if (worlds.every((world) => world.idle)) return false;
  throw new Error("messages are left, yet nothing will ever happen again");
}

/** The worlds share their time. */
export function passTime(ms: number, ...worlds: World[]): void {
  worlds[0]?.time.advance(ms);
  for (const world of worlds) world.trigger.deliverVisible();
}
