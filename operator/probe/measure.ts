/** Sends objects, waits for each on the other side, and removes them from both sides. */
import { setMaxListeners } from "node:events";
import type { ProbeSide } from "../../runtime/roles/prober/names";
import { chunks, forEachBounded } from "../concurrency";
import { type ClockDifference, type ClockReading, compareClocks } from "./clocks";
import { DIRECTIONS, farSide, nearSide, type ProbeObject } from "./plan";
import type { ProberClient, Probers } from "./probers";
import type { Time } from "./time";

export interface MeasureOptions {
  /** How often an object is checked for before the probe gives it up. */
  attempts: number;
  intervalMs: number;
  /** Objects on their way at once. */
  parallel: number;
  /** After each object. */
  pauseMs: number;
}

export interface MeasureDeps {
  probers: Probers;
  time: Time;
  signal: AbortSignal;
  onSample(sample: Sample): void;
}

export interface Sample {
  object: ProbeObject;
  /** By the clock of the function that put it. */
  postedAtMs: number;
  /** By the clock of the function that watched for it. Undefined if the object never arrived. */
  seenAtMs?: number | undefined;
  /** How often the far side was checked. */
  attempts: number;
}

export interface Measurement {
  /** In the order of the plan. */
  samples: Sample[];
  /** How far the destination's clock is ahead of the source's. Undefined if nothing arrived. */
  clocks: ClockDifference | undefined;
  leftBehind: LeftBehind[];
  /** Objects that were put, or may have been put, and were not seen before the clean-up: they may still arrive. */
  late: { side: ProbeSide; name: string }[];
  /** Why the run ended early; absent if it did not. */
  failure?: unknown;
}

/** With several readings, one of them most likely meets no delay. */
const CLOCK_READINGS = 5;

/** Sends every object and waits for it on the other side. Removes all objects before it resolves, also after a failure. */
export function measure(plan: readonly ProbeObject[], options: MeasureOptions, deps: MeasureDeps): Promise<Measurement> {
  return new Run(plan, options, deps).measure();
}

class Run {
  private readonly failed = new AbortController();
  private readonly signal: AbortSignal;
  private readonly samples = new Map<ProbeObject, Sample>();
  private readonly posted: ProbeObject[] = [];
  private clocks: Promise<ClockDifference | undefined> | undefined;

  constructor(
    private readonly plan: readonly ProbeObject[],
    private readonly options: MeasureOptions,
    private readonly deps: MeasureDeps,
  ) {
    this.signal = AbortSignal.any([deps.signal, this.failed.signal]);
    // Every object that is on its way listens to the signal.
    setMaxListeners(0, this.signal);
  }

  async measure(): Promise<Measurement> {
    let failure: { cause: unknown } | undefined;
    try {
      await this.wakeUp();
      await forEachBounded(this.plan, { limit: this.options.parallel, signal: this.signal }, (object) => this.sendOne(object));
    } catch (cause) {
      failure = { cause };
    }
    const hasArrived = (object: ProbeObject) => this.samples.get(object)?.seenAtMs !== undefined;
    const missing = this.posted.filter((object) => !hasArrived(object));
    const leftBehind = await cleanUp(this.posted, { probers: this.deps.probers, hasArrived });
    return {
      samples: this.plan.flatMap((object) => this.samples.get(object) ?? []),
      clocks: await valueIfFulfilled(this.clocks),
      leftBehind,
      late: missing.map(({ name, direction }) => ({ side: farSide(direction), name })),
      ...(failure === undefined ? {} : { failure: failure.cause }),
    };
  }

  /** Calls both probers before anything is put: this shows that they answer and may remove objects, and pays for their cold start. */
  private async wakeUp(): Promise<void> {
    const [first] = this.plan;
    if (first === undefined) return;
    const { source, destination } = this.deps.probers;
    await Promise.all([source.clean([first.name]), destination.clean([first.name])]);
    this.signal.throwIfAborted();
  }

  private async sendOne(object: ProbeObject): Promise<void> {
    const { pauseMs } = this.options;
    try {
      await this.follow(object);
      if (pauseMs > 0 && object !== this.plan.at(-1)) await this.deps.time.sleep(pauseMs, this.signal);
    } catch (error) {
      this.failed.abort(error);
      throw error;
    }
  }

  private async follow(object: ProbeObject): Promise<void> {
    const { name, sizeBytes, direction } = object;
    const { probers, onSample } = this.deps;
    this.posted.push(object);
    // The watch starts first: a call of a function may take longer than the replication.
    const watching = this.watch(probers[farSide(direction)], name);
    const putting = probers[nearSide(direction)].put({ name, sizeBytes }).catch((error: unknown) => {
      this.failed.abort(error);
      throw error;
    });
    const [put, watched] = await Promise.allSettled([putting, watching]);
    if (put.status === "rejected") throw put.reason;
    if (watched.status === "rejected") throw watched.reason;
    const { seen, attempts } = watched.value;
    if (seen !== undefined && seen.sizeBytes !== sizeBytes)
      throw new Error(`${name} was put with ${sizeBytes} bytes and arrived with ${seen.sizeBytes}`);
    const sample: Sample = { object, postedAtMs: put.value.postedAtMs, seenAtMs: seen?.seenAtMs, attempts };
    this.samples.set(object, sample);
    onSample(sample);
    if (seen === undefined) return;
    this.clocks ??= this.readClocks(name);
    await this.clocks;
  }

  /** Calls the function again with the remaining attempts each time its own time runs out. */
  private async watch(far: ProberClient, name: string) {
    const { intervalMs } = this.options;
    for (let attempts = 0; ; ) {
      const request = { names: [name], attempts: this.options.attempts - attempts, intervalMs };
      const { seen, missing, pending } = await far.watch(request, this.signal);
      const [answered] = [...seen, ...missing, ...pending];
      // Counts at least one attempt per call, so that the loop ends.
      attempts += Math.max(answered?.attempts ?? 0, 1);
      if (seen[0] !== undefined || missing.length > 0 || attempts >= this.options.attempts) return { seen: seen[0], attempts };
    }
  }

  /** Reads each function's clock with the cheapest call: a watch for an object that is there on both sides. */
  private async readClocks(name: string): Promise<ClockDifference | undefined> {
    const { probers, time } = this.deps;
    const readings = { source: [] as ClockReading[], destination: [] as ClockReading[] };
    const request = { names: [name], attempts: 1, intervalMs: this.options.intervalMs };
    for (let round = 0; round < CLOCK_READINGS; round++) {
      for (const side of ["source", "destination"] as const) {
        const askedAtMs = time.now();
        const { seen } = await probers[side].watch(request, this.signal);
        const answeredAtMs = time.now();
        if (seen[0] !== undefined) readings[side].push({ askedAtMs, answeredAtMs, remoteMs: seen[0].seenAtMs });
      }
    }
    return compareClocks(readings);
  }
}

/** Ignores a rejection: `follow` has awaited the same promise and reported it. */
async function valueIfFulfilled<T>(promise: Promise<T | undefined> | undefined): Promise<T | undefined> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome.status === "fulfilled" ? outcome.value : undefined;
}

/** An object that could not be removed. */
export interface LeftBehind {
  side: ProbeSide;
  name: string;
  reason: string;
}

/** Names per invocation, which has to end within a function's time. */
const NAMES_PER_CALL = 200;
const TRIES = 2;

/**
 * Removes a run's objects from both sides. The far side comes first: the bridge then has nothing to do when the near side's removal reaches it.
 * Objects that never arrived are removed from the far side again at the end, as they may have arrived meanwhile. Never rejects.
 */
export async function cleanUp(
  posted: readonly ProbeObject[],
  { probers, hasArrived }: { probers: Probers; hasArrived(object: ProbeObject): boolean },
): Promise<LeftBehind[]> {
  const left = new Map<string, LeftBehind>();
  for (const direction of DIRECTIONS) {
    const ofDirection = posted.filter((object) => object.direction === direction);
    await remove(farSide(direction), ofDirection);
    await remove(nearSide(direction), ofDirection);
    await remove(
      farSide(direction),
      ofDirection.filter((object) => !hasArrived(object)),
    );
  }
  return [...left.values()];

  async function remove(side: ProbeSide, objects: readonly ProbeObject[]): Promise<void> {
    for (const chunk of chunks(objects, NAMES_PER_CALL)) {
      const names = chunk.map(({ name }) => name);
      const reason = await failureOf(() => probers[side].clean(names));
      for (const name of names) {
        if (reason === undefined) left.delete(`${side} ${name}`);
        else left.set(`${side} ${name}`, { side, name, reason });
      }
    }
  }
}

/** Resolves to undefined if one of the tries succeeds. */
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
