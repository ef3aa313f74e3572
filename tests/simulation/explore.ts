/** Runs stories to their end. */
import { act, type PullStory, type PushStory, type Replay, type Script, type SourceAction } from "./script";
import { type PullSabotage, PullWorld } from "./world/pull";
import { type PushSabotage, PushWorld } from "./world/push";
import type { Steps } from "./world/steps";
import type { World } from "./world/world";

/** A run with more steps is a livelock. */
const MAX_STEPS = 30_000;
/** How long the network holds a stalled request. */
const STALL_MS = 2_500;

export async function playPull(scheduler: Steps, story: PullStory, sabotage?: PullSabotage): Promise<PullWorld> {
  const world = new PullWorld({ scheduler, ...story, sabotage });
  for (const replay of story.replays ?? []) void replayLater(scheduler, world, replay);
  await play(scheduler, { ...story, distinctSeconds: story.replays !== undefined }, [world]);
  return world;
}

/** An adversary that has seen the requests sends one of them again. */
async function replayLater(steps: Steps, world: PullWorld, { request, after }: Replay): Promise<void> {
  for (let step = 0; step < after; step++) await steps.schedule(Promise.resolve(), "adversary waits");
  await steps.schedule(Promise.resolve(), `replay ${request}`).then(() => world.replay(request));
}

export async function playPush(scheduler: Steps, story: PushStory, sabotage?: PushSabotage): Promise<PushWorld> {
  const world = new PushWorld({ scheduler, ...story, sabotage });
  await play(scheduler, story, [world]);
  return world;
}

/** Runs a script to its end. `worldOf` returns the world whose source the action with this index changes. */
export async function play(
  steps: Steps,
  { actions, ticksMs, copiesLaterMs, distinctSeconds }: Script,
  worlds: readonly [World, ...World[]],
  worldOf = (_index: number): World => worlds[0],
): Promise<void> {
  // Writes keep their order. The scheduler places them, and the ticks, anywhere between the bridge's steps.
  let writes: Promise<void> = Promise.resolve();
  for (const [index, action] of actions.entries()) {
    const world = worldOf(index);
    if (action.laterMs > 0) writes = writes.then(() => world.time.sleep(action.laterMs));
    for (let step = 0; step < action.after; step++) {
      writes = writes.then(() => steps.schedule(Promise.resolve(), "source waits"));
    }
    writes = writes
      .then(() => steps.schedule(Promise.resolve(), `${world.source.name} ${action.do} ${action.key}`))
      .then(() => {
        if (distinctSeconds && world.source.history(action.key).length > 0) passTime(1_000, world);
      })
      .then(() => perform(world, action, copiesLaterMs));
  }
  for (const ms of ticksMs) {
    void steps.schedule(Promise.resolve(), `time +${ms} ms`).then(() => passTime(ms, ...worlds));
  }
  await settle(steps, ...worlds);
}

/** Changes the source and sends the event. */
export async function perform(world: World, action: SourceAction, copiesLaterMs = 0): Promise<void> {
  if (await act(world.source, action)) world.notify(action.key, { copies: action.events, copiesLaterMs });
}

/** Runs the worlds until nothing is left to do. Time passes only when all work waits for it. */
export async function settle(steps: Steps, ...worlds: World[]): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step++) if (!(await next(steps, ...worlds))) return;
  throw new Error(`not settled after ${MAX_STEPS} steps`);
}

/**
 * Runs the next step. If there is none, moves time to the next event.
 * @returns false when nothing is left to do
 */
export async function next(steps: Steps, ...worlds: World[]): Promise<boolean> {
  await new Promise(setImmediate);
  for (const world of worlds) await world.replaying;
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
  const times = [
    first.time.nextWakeMs(),
    ...worlds.flatMap((world) => world.deliveries.map((delivery) => delivery.nextVisibleMs())),
  ];
  const known = times.filter((atMs) => atMs !== undefined);
  // A function that waits for no timer ends at its hard end. That is the next event.
  const nextMs = Math.min(...(known.length > 0 ? known : [...first.time.attempts].map(({ deadlineMs }) => deadlineMs)));
  if (Number.isFinite(nextMs)) {
    passTime(nextMs - first.time.now(), ...worlds);
    return true;
  }
  if (worlds.every((world) => world.idle)) return false;
  throw new Error("work is left, but no step and no timer");
}

/** Moves time on. All worlds share one clock. */
export function passTime(ms: number, ...worlds: World[]): void {
  worlds[0]?.time.advance(ms);
  for (const world of worlds) for (const delivery of world.deliveries) delivery.deliverVisible();
}
