/** Sends the objects and waits for each on the other side. Whatever happens, it removes them again before it ends. */
import { setMaxListeners } from "node:events";
import type { ProbeSide } from "../../runtime/roles/prober/names";
import { forEachBounded } from "../bounded";
import { cleanUp, type LeftBehind } from "./clean-up";
import { type ClockDifference, type ClockReading, compareClocks } from "./clocks";
import { farSide, nearSide, type ProbeObject } from "./plan";
import type { ProberClient, Probers } from "./probers";
import type { Time } from "./time";

export interface MeasureOptions {
  /** How often an object is looked for before it is given up. */
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
  /** By the clock of the function that watched for it; absent for an object that was given up. */
  seenAtMs?: number;
  /** Looks at the far side. */
  attempts: number;
}

export interface Measurement {
  /** In the order of the plan. */
  samples: Sample[];
  /** Of the destination to the source; undefined where nothing arrived. */
  clocks: ClockDifference | undefined;
  leftBehind: LeftBehind[];
  /** Put, or perhaps put, and not seen on that side before everything was removed: they may still come. */
  late: { side: ProbeSide; name: string }[];
  /** What ended it before its time, an interruption among them. */
  failure?: unknown;
}

/** Enough for one of them to meet no traffic. */
const CLOCK_READINGS = 5;

export async function measure(plan: readonly ProbeObject[], options: MeasureOptions, deps: MeasureDeps): Promise<Measurement> {
  const { probers, time, onSample } = deps;
  const failed = new AbortController();
  const signal = AbortSignal.any([deps.signal, failed.signal]);
  // Every object on its way listens to it.
  setMaxListeners(0, signal);
  const samples = new Map<ProbeObject, Sample>();
  const posted: ProbeObject[] = [];
  let clocks: Promise<ClockDifference | undefined> | undefined;
  let failure: { of: unknown } | undefined;

  try {
    await wakeUp();
    await forEachBounded(plan, { limit: options.parallel, signal }, async (object) => {
      try {
        await follow(object);
        if (options.pauseMs > 0 && object !== plan.at(-1)) await time.sleep(options.pauseMs, signal);
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    });
  } catch (error) {
    failure = { of: error };
  }
  const arrived = (object: ProbeObject) => samples.get(object)?.seenAtMs !== undefined;
  const leftBehind = await cleanUp(posted, { probers, arrived });
  return {
    samples: plan.flatMap((object) => samples.get(object) ?? []),
    clocks: await settled(clocks),
    leftBehind,
    late: posted.filter((object) => !arrived(object)).map(({ name, direction }) => ({ side: farSide(direction), name })),
    ...(failure === undefined ? {} : { failure: failure.of }),
  };

  /** Shows before anything is put that both sides answer and may clean up, and pays for their cold start. */
  async function wakeUp(): Promise<void> {
    const [first] = plan;
    if (first === undefined) return;
    await Promise.all([probers.source.clean([first.name]), probers.destination.clean([first.name])]);
    signal.throwIfAborted();
  }

  async function follow(object: ProbeObject): Promise<void> {
    const { name, sizeBytes, direction } = object;
    posted.push(object);
    // The watch comes first: to call a function may take longer than to replicate.
    const watching = watch(probers[farSide(direction)], name);
    const putting = probers[nearSide(direction)].put({ name, sizeBytes }).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    });
    const [put, watched] = await Promise.allSettled([putting, watching]);
    if (put.status === "rejected") throw put.reason;
    if (watched.status === "rejected") throw watched.reason;
    const { seen, attempts } = watched.value;
    if (seen !== undefined && seen.sizeBytes !== sizeBytes)
      throw new Error(`${name} was put with ${sizeBytes} bytes and arrived with ${seen.sizeBytes}`);
    const sample: Sample = {
      object,
      postedAtMs: put.value.postedAtMs,
      ...(seen === undefined ? {} : { seenAtMs: seen.seenAtMs }),
      attempts,
    };
    samples.set(object, sample);
    onSample(sample);
    if (seen === undefined) return;
    clocks ??= readClocks(name);
    await clocks;
  }

  /** Goes on with the looks that are left when the function's time has ended before them. */
  async function watch(far: ProberClient, name: string) {
    for (let attempts = 0; ; ) {
      const asked = { names: [name], attempts: options.attempts - attempts, intervalMs: options.intervalMs };
      const { seen, missing, pending } = await far.watch(asked, signal);
      const [told] = [...seen, ...missing, ...pending];
      // An answer without a look would otherwise be asked for for ever.
      attempts += Math.max(told?.attempts ?? 0, 1);
      if (seen[0] !== undefined || missing.length > 0 || attempts >= options.attempts) return { seen: seen[0], attempts };
    }
  }

  /** A look at an object that is there on both sides is the cheapest thing that tells a function's time. */
  async function readClocks(name: string): Promise<ClockDifference | undefined> {
    const readings = { source: [] as ClockReading[], destination: [] as ClockReading[] };
    for (let round = 0; round < CLOCK_READINGS; round++) {
      for (const side of ["source", "destination"] as const) {
        const askedAtMs = time.now();
        const { seen } = await probers[side].watch({ names: [name], attempts: 1, intervalMs: options.intervalMs }, signal);
        const answeredAtMs = time.now();
        if (seen[0] !== undefined) readings[side].push({ askedAtMs, answeredAtMs, theirsMs: seen[0].seenAtMs });
      }
    }
    return compareClocks(readings);
  }
}

/** Its failure has been told where it was awaited first. */
async function settled<T>(promise: Promise<T | undefined> | undefined): Promise<T | undefined> {
  const [outcome] = await Promise.allSettled([promise]);
  return outcome.status === "fulfilled" ? outcome.value : undefined;
}
