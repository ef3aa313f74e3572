/** A world whose interleaving a scenario tells step by step. */
import { next, passTime, settle } from "./explore";
import { assertConverged, assertFresh, assertNeverTorn, describeObject } from "./invariants";
import { act, type SourceAction } from "./script";
import { Director } from "./world/director";
import type { WorldOptions } from "./world/options";
import { World } from "./world/world";

const MAX_STEPS = 5_000;

export type StageOptions = Partial<Omit<WorldOptions, "scheduler">>;

export class Stage {
  readonly director = new Director();
  readonly world: World;

  constructor(options: StageOptions = {}) {
    this.world = new World({
      scheduler: this.director,
      conditionalWrites: true,
      versionedSource: false,
      sourceChecksums: true,
      deletes: "replicate",
      faults: [],
      ...options,
    });
  }

  /** Changes the source and sends the event of it. `content` tells one object from another; large is 11 bytes, small 6. */
  async does(what: SourceAction["do"], key = "k", content = 0, events = 1): Promise<void> {
    if (await act(this.world.source, { do: what, key, content, events, laterMs: 0, after: 0 })) this.world.notify(key, events);
  }

  /** Holds such steps back, and lets everything else happen until one of them waits. */
  async until(label: RegExp): Promise<void> {
    this.director.hold(label);
    for (let step = 0; step < MAX_STEPS; step++) {
      await new Promise(setImmediate);
      if (this.director.held.some((held) => label.test(held))) return;
      if (!(await next(this.director, this.world))) break;
    }
    throw new Error(`nothing like ${label} ever waits`);
  }

  /** From now on such steps wait. */
  hold(label: RegExp): void {
    this.director.hold(label);
  }

  /** Lets go of such steps. */
  release(label: RegExp): void {
    this.director.release(label);
  }

  /** Lets everything happen for which no time has to pass. */
  async run(): Promise<void> {
    for (let step = 0; step < MAX_STEPS; step++) {
      await new Promise(setImmediate);
      if (this.director.count() === 0) return;
      await this.director.waitNext(1);
    }
    throw new Error("the steps have no end");
  }

  passTime(ms: number): void {
    passTime(ms, this.world);
  }

  /** Lets everything happen, and asserts what must hold then. */
  async settle({ mayPark = false } = {}): Promise<void> {
    await settle(this.director, this.world);
    assertConverged(this.world, { mayPark });
    assertNeverTorn(this.world.source, this.world.destination);
    assertFresh(this.world);
  }

  /** What a reader of the destination saw, state after state, as content and attributes in short. */
  seen(key = "k"): string[] {
    return this.world.destination.history(key).map(({ state }) => this.short(state));
  }

  short(state: Parameters<typeof describeObject>[0]): string {
    if (state === undefined) return "absent";
    const { bytes, metadata } = JSON.parse(describeObject(state)) as { bytes: string; metadata: Record<string, string> };
    return `${bytes}${metadata.touched === undefined ? "" : ` touched ${metadata.touched}`}`;
  }

  get bytesMoved(): number {
    return this.world.source.bytesRead;
  }
}
