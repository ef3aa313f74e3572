/** Reads a bridge again and again while somebody watches. All watchers share one reader. */
import { isBridgeError } from "../../runtime/stores/errors";
import { abortable } from "../concurrency";
import type { DeadLetters, EventWay, FunctionLog, HeldLooks, OperatedBridge, RunningExecutions } from "../operated-bridge";
import { type LostBucket, lostBuckets } from "../sides";
import { type Knowledge, LOG_WINDOW_MS, noteUnread, readKnowledge } from "../status/knowledge";
import { FLOW_WINDOW_MS, flowOf, recentOf } from "./activity";
import { type RunningCopy, readCopies } from "./copies";
import { LogTail, Remembered } from "./remembered";
import { makeSnapshot, type Snapshot } from "./snapshot";

/** How often the parts of a snapshot are read. */
export interface Pace {
  everyMs: number;
  /** For what hides messages while it is read, the dead letters and the outage queue, and for the looks at the buckets. */
  slowEveryMs: number;
}

export const LOCAL_PACE: Pace = { everyMs: 2_000, slowEveryMs: 10_000 };
/** Each look costs a few requests. */
export const CLOUD_PACE: Pace = { everyMs: 15_000, slowEveryMs: 60_000 };

export interface OverviewOptions {
  bridge: OperatedBridge;
  local: boolean;
  pace: Pace;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Rejects when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Ends the reader. */
  signal: AbortSignal;
}

export type SnapshotListener = (snapshot: Snapshot) => void;

const MAX_LINES = 20_000;
const MAX_RECENT = 50;
const PATIENCE_MS = 5_000;

export class Overview {
  /** Rejects if the reader fails for a reason that is not of a cloud. Never resolves. */
  readonly failed: Promise<never>;
  #snapshot: Snapshot | undefined;
  #knowledge: Knowledge | undefined;
  #isReading = false;
  #wake = new AbortController();
  #fail: (error: unknown) => void = () => undefined;
  readonly #listeners = new Set<SnapshotListener>();
  readonly #parts: Parts;

  constructor(private readonly options: OverviewOptions) {
    this.#parts = new Parts(options);
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // A caller that only takes snapshots does not look at it.
    this.failed.catch(() => undefined);
  }

  /** The newest snapshot. Undefined before the first one. */
  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** What the bridge said at the last look, for the status of single keys. */
  async knowledge(): Promise<Knowledge> {
    if (this.#knowledge === undefined) await this.#take();
    return this.#knowledge as Knowledge;
  }

  /** Looks once. Not while somebody has subscribed. */
  async look(): Promise<Snapshot> {
    await this.#take();
    return this.#snapshot as Snapshot;
  }

  /** Calls the listener with each new snapshot, and at once with the newest one. @returns a function that ends this */
  subscribe(listener: SnapshotListener): () => void {
    this.#listeners.add(listener);
    if (this.#snapshot !== undefined) listener(this.#snapshot);
    if (!this.#isReading) {
      this.#isReading = true;
      this.#read().catch(this.#fail);
    } else this.#wake.abort();
    return () => void this.#listeners.delete(listener);
  }

  /** Reads everything anew at the next look, which begins at once. */
  refresh(): void {
    this.#parts.forget();
    this.#wake.abort();
  }

  async #read(): Promise<void> {
    const { signal, sleep, pace } = this.options;
    try {
      while (this.#listeners.size > 0 && !signal.aborted) {
        // A call of `refresh` during the look counts as well.
        this.#wake = new AbortController();
        await this.#take();
        await sleep(pace.everyMs, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      this.#isReading = false;
    }
  }

  async #take(): Promise<void> {
    const { bridge, local, now } = this.options;
    const { knowledge, ...parts } = await this.#parts.gather();
    this.#knowledge = knowledge;
    const snapshot = makeSnapshot(bridge, { nowMs: now(), local, knowledge, ...parts });
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener(snapshot);
  }
}

/** The parts of a snapshot, each read at its own pace. A part that cannot be read is a note. */
class Parts {
  readonly #letters: Remembered<DeadLetters>;
  readonly #held: Remembered<HeldLooks>;
  readonly #lost: Remembered<LostBucket[]>;
  readonly #ways: Remembered<EventWay[]>;
  readonly #waiting: LogTail;
  readonly #source: LogTail;
  readonly #destination: LogTail;

  constructor(private readonly options: OverviewOptions) {
    const { bridge, now, signal, pace } = options;
    const remembered = <T>(read: () => Promise<T>) => new Remembered(read, now, pace.slowEveryMs);
    this.#letters = remembered(() => bridge.deadLetters({ limit: 10_000, signal }));
    this.#held = remembered(() => bridge.held({ limit: 2_000, signal }));
    this.#lost = remembered(() => lostBuckets(bridge, signal, PATIENCE_MS));
    this.#ways = remembered(async () => (await bridge.ways?.read({ signal })) ?? []);
    this.#waiting = new LogTail((read) => bridge.log(read), now);
    this.#source = new LogTail((read) => bridge.activity("source", read), now);
    this.#destination = new LogTail((read) => bridge.activity("destination", read), now);
  }

  forget(): void {
    for (const one of [this.#letters, this.#held, this.#lost, this.#ways]) one.forget();
  }

  async gather() {
    const { bridge, now, signal } = this.options;
    const notes: string[] = [];
    const orNote = noteUnread(notes, signal);
    const read = { sinceMs: now() - FLOW_WINDOW_MS, limit: MAX_LINES, signal };
    let letters: DeadLetters = { letters: [], complete: true };
    let held: HeldLooks = { looks: [], complete: true };
    let running: RunningExecutions = { executions: [], complete: true };
    let isLogRead = false;
    const tail = this.#waiting;
    const watched: OperatedBridge = {
      ...bridge,
      deadLetters: async () => {
        letters = { letters: [], complete: false };
        letters = await this.#letters.get().catch((error: unknown) => {
          // A queue that is gone has a message of its own, the same for all queues.
          if (isBridgeError(error, "NotFound")) throw error;
          return orNote<DeadLetters>(Promise.reject(error), letters);
        });
        return letters;
      },
      held: async () => {
        held = { looks: [], complete: false };
        held = await this.#held.get();
        return held;
      },
      executions: async (options) => {
        running = { executions: [], complete: false };
        running = await bridge.executions(options);
        return running;
      },
      async log(options) {
        const log = await tail.read({ ...options, sinceMs: Math.max(options.sinceMs, now() - LOG_WINDOW_MS) });
        isLogRead = true;
        return log;
      },
    };
    const [knowledge, lost, ways, source, destination] = await abortable(
      signal,
      Promise.all([
        readKnowledge(watched, { nowMs: now(), signal }),
        this.#lost.get(),
        orNote<EventWay[] | undefined>(this.#ways.get(), undefined),
        orNote<FunctionLog>(this.#source.read(read), UNREAD),
        orNote<FunctionLog>(this.#destination.read(read), UNREAD),
      ]),
    );
    const lines = [...source.lines, ...destination.lines].sort((a, b) => a.atMs - b.atMs);
    const copies = await orNote<RunningCopy[]>(readCopies(bridge, { nowMs: now(), lines, signal }), []);
    return {
      ...{ lost, knowledge, copies, notes, lettersComplete: letters.complete },
      paused: ways?.some(({ isOpen }) => !isOpen),
      logRead: isLogRead && source !== UNREAD,
      held: { count: held.looks.length, complete: held.complete },
      running: { count: running.executions.length, complete: running.complete },
      flow: flowOf(source.lines, { nowMs: now(), complete: source.complete }),
      recent: recentOf(lines, MAX_RECENT),
    };
  }
}

const UNREAD: FunctionLog = { lines: [], complete: false };
