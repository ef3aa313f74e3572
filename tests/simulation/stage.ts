/** Runs a world under the control of a scenario, which decides the order of the steps. */
import { next, passTime, perform, settle } from "./explore";
import { assertSound, describeObject } from "./invariants";
import type { SourceAction } from "./script";
import { type PullOptions, PullWorld } from "./world/pull";
import { type PushOptions, PushWorld } from "./world/push";
import { Director } from "./world/steps";
import type { World } from "./world/world";

const MAX_STEPS = 5_000;

export class Stage<W extends World> {
  readonly director = new Director();
  readonly world: W;

  constructor(open: (scheduler: Director) => W) {
    this.world = open(this.director);
  }

  /** Changes the source and sends the event. Different `content` makes different bytes. A large object has 11 bytes, a small one 6. */
  async does(what: SourceAction["do"], key = "k", content = 0, events = 1): Promise<void> {
    await perform(this.world, { do: what, key, content, events, laterMs: 0, after: 0 });
  }

  /** Holds the steps that match, and runs all others until a held step waits. */
  async until(label: RegExp): Promise<void> {
    this.director.hold(label);
    for (let step = 0; step < MAX_STEPS; step++) {
      await new Promise(setImmediate);
      if (this.director.held.some((held) => label.test(held))) return;
      if (!(await next(this.director, this.world))) break;
    }
    throw new Error(`no step matched ${label}`);
  }

  /** Holds the steps that match, from now on. */
  hold(label: RegExp): void {
    this.director.hold(label);
  }

  /** Releases the steps that match. */
  release(label: RegExp): void {
    this.director.release(label);
  }

  /** Runs every step that needs no time to pass. */
  async run(): Promise<void> {
    for (let step = 0; step < MAX_STEPS; step++) {
      await new Promise(setImmediate);
      if (this.director.count() === 0) return;
      await this.director.waitNext(1);
    }
    throw new Error(`steps are left after ${MAX_STEPS}`);
  }

  passTime(ms: number): void {
    passTime(ms, this.world);
  }

  /** Runs the world until it is at rest, and asserts the invariants. */
  async settle(options: { mayPark?: boolean } = {}): Promise<void> {
    await settle(this.director, this.world);
    assertSound(this.world, options);
  }

  /** The states of the object at the destination, oldest first, as `short` writes them. */
  seen(key = "k"): string[] {
    return this.world.destination.history(key).map(({ state }) => this.short(state));
  }

  /** The bytes, and the content of the touch if there was one. */
  short(state: Parameters<typeof describeObject>[0]): string {
    if (state === undefined) return "absent";
    const { bytes, metadata } = JSON.parse(describeObject(state)) as { bytes: string; metadata: Record<string, string> };
    return `${bytes}${metadata.touched === undefined ? "" : ` touched ${metadata.touched}`}`;
  }

  get bytesMoved(): number {
    return this.world.source.bytesRead;
  }
}

export type PullStageOptions = Partial<Omit<PullOptions, "scheduler">>;

export const pullStage = (options: PullStageOptions = {}): Stage<PullWorld> =>
  new Stage(
    (scheduler) =>
      new PullWorld({
        scheduler,
        conditionalWrites: true,
        versionedSource: false,
        sourceChecksums: true,
        faults: [],
        ...options,
      }),
  );

export const pushStage = (options: Partial<Omit<PushOptions, "scheduler">> = {}): Stage<PushWorld> =>
  new Stage((scheduler) => new PushWorld({ scheduler, versionedSource: false, checksums: true, faults: [], ...options }));
