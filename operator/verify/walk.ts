/**
 * Compares the listings of two buckets. The keys are split into ranges, which are listed at the same time. Memory holds a few pages of each
 * range, however many keys there are.
 */
import { setMaxListeners } from "node:events";
import type { Scope } from "../../runtime/protocol/env";
import { inScopeByEvent } from "../../runtime/replication/scope";
import { compareKeys } from "../../runtime/stores/keys";
import type { ListedObject, ObjectStore } from "../../runtime/stores/object-store";
import { forEachBounded } from "../concurrency";
import { Cursor, type ListingRules, listedVerdict, mergePages } from "./compare";
import { type Counts, countFinding, type Finding, noCounts } from "./findings";
import type { Look } from "./look";
import { splitPoint } from "./split";

/** Keys after `after` (exclusive) up to `until` (inclusive) that begin with `prefix`. */
export interface SavedRange {
  prefix: string;
  after?: string | undefined;
  until?: string | undefined;
}

/** The listing of one side. Keys are as at the source. */
export interface Listing {
  keyPrefix: string;
  pages(prefix: string, options: { startAfter?: string | undefined; signal: AbortSignal }): AsyncIterable<ListedObject[]>;
}

export const storeListing = ({ store, keyPrefix }: { store: ObjectStore; keyPrefix: string }): Listing => ({
  keyPrefix,
  pages: (prefix, { startAfter, signal }) =>
    store.listPages(keyPrefix + prefix, { signal, startAfter: startAfter === undefined ? undefined : keyPrefix + startAfter }),
});

export interface WalkOptions extends ListingRules {
  source: Listing;
  destination: Listing;
  scopes: readonly Scope[];
  /** Only objects that were written at or after this time, on one of the sides. Milliseconds since the epoch. */
  sinceMs?: number | undefined;
  /** Whether a pair that only has the same size is looked at too. */
  proveAll: boolean;
  /** Ranges at once. 1 where a listing cannot begin anywhere. */
  parallel: number;
  look: Look;
  signal: AbortSignal;
  /** Called after each step: `counts` and `findings` are of this step alone. */
  onStep(step: { counts: Counts; findings: Finding[] }): void;
}

interface Range {
  prefix: string;
  after: string | undefined;
  until: string | undefined;
  /** The last key that is in work or done. A split happens behind it. */
  claimed: string | undefined;
  /** Keys that were compared. */
  compared: number;
  /** The number of keys at which it may be split. */
  splitAt: number;
  /** How often the range that it comes from was split. */
  depth: number;
  isSplitting: boolean;
}

/** A range with fewer keys is not worth the requests that a split takes. */
const KEYS_BEFORE_SPLIT = 2000;

export class Walk {
  private readonly waiting: Range[];
  private readonly running = new Set<Range>();
  private idle: (() => void)[] = [];
  private readonly failure = new AbortController();
  private readonly signal: AbortSignal;
  private readonly scopes: readonly Scope[];

  constructor(
    private readonly options: WalkOptions,
    ranges: readonly SavedRange[],
  ) {
    this.waiting = ranges.map(({ prefix, after, until }) => newRange({ prefix, after, until, depth: 0 }));
    this.signal = AbortSignal.any([options.signal, this.failure.signal]);
    // Every request in progress listens to it.
    setMaxListeners(0, this.signal);
    // Tags are read only where a difference depends on them.
    this.scopes = options.scopes.map((scope) => ({ ...scope, tags: {} }));
  }

  /** What is left, as a checkpoint keeps it. */
  ranges(): SavedRange[] {
    return [...this.running, ...this.waiting].map(({ prefix, after, until }) => ({ prefix, after, until }));
  }

  /** Rejects with the first failure, after all work has ended. */
  async run(): Promise<void> {
    const workers = Array.from({ length: this.options.parallel }, () => this.work());
    await Promise.all(workers);
    this.options.signal.throwIfAborted();
    this.failure.signal.throwIfAborted();
  }

  /** Does not reject: a failure ends the other workers too. */
  private async work(): Promise<void> {
    try {
      for (let range = await this.next(); range !== undefined; range = await this.next()) {
        await this.compare(range);
        this.running.delete(range);
        this.wake();
      }
    } catch (error) {
      this.failure.abort(error);
      this.wake();
    }
  }

  /** A range that waits, or a part of one that is in work. Undefined: nothing is left. */
  private async next(): Promise<Range | undefined> {
    for (;;) {
      this.signal.throwIfAborted();
      const waiting = this.waiting.shift();
      if (waiting !== undefined) {
        this.running.add(waiting);
        return waiting;
      }
      if (this.running.size === 0) return undefined;
      const largest = this.mostlyLeft();
      const part = largest === undefined ? undefined : await this.split(largest);
      if (part !== undefined) return part;
      if (largest === undefined) await new Promise<void>((resolve) => this.idle.push(resolve));
    }
  }

  private wake(): void {
    const idle = this.idle;
    this.idle = [];
    for (const resolve of idle) resolve();
  }

  /** Nobody knows how much is left of a range, so the one that was halved least counts as the largest. */
  private mostlyLeft(): Range | undefined {
    return [...this.running]
      .filter(({ isSplitting, compared, splitAt, claimed }) => !isSplitting && claimed !== undefined && compared >= splitAt)
      .sort((a, b) => a.depth - b.depth || b.compared - a.compared)[0];
  }

  private async split(range: Range): Promise<Range | undefined> {
    range.isSplitting = true;
    try {
      const { prefix, claimed = prefix } = range;
      const point = await splitPoint({ prefix, after: claimed, until: range.until }, (after) => this.nextKey(prefix, after));
      // The range may have gone on meanwhile, or ended.
      const isBehind = point !== undefined && this.running.has(range) && compareKeys(point, range.claimed ?? "") > 0;
      if (!isBehind) return undefined;
      range.depth += 1;
      const part = newRange({ prefix, after: point, until: range.until, depth: range.depth });
      range.until = point;
      this.running.add(part);
      return part;
    } finally {
      range.isSplitting = false;
      range.splitAt = range.compared + KEYS_BEFORE_SPLIT;
      this.wake();
    }
  }

  private async nextKey(prefix: string, after: string): Promise<string | undefined> {
    const { source } = this.options;
    const pages = source.pages(prefix, { startAfter: after, signal: this.signal });
    for await (const [first] of pages) if (first !== undefined) return first.key.slice(source.keyPrefix.length);
    return undefined;
  }

  private async compare(range: Range): Promise<void> {
    const open = (listing: Listing) =>
      new Cursor(listing.pages(range.prefix, { startAfter: range.after, signal: this.signal }), listing.keyPrefix);
    const cursors = { source: open(this.options.source), destination: open(this.options.destination) };
    try {
      for (let isDone = false; !isDone; ) {
        await Promise.all([cursors.source.fill(), cursors.destination.fill()]);
        isDone = await this.step(range, cursors);
      }
    } finally {
      await Promise.all([cursors.source.close(), cursors.destination.close()]);
    }
  }

  /** Compares what is in memory. @returns whether the range is done */
  private async step(range: Range, cursors: { source: Cursor; destination: Cursor }): Promise<boolean> {
    const counts = noCounts();
    const unclear: string[] = [];
    const { last, isDone } = mergePages(cursors, range.until, (key, source, destination) => {
      if (this.needsLook(key, { source, destination }, counts)) unclear.push(key);
    });
    range.claimed = last ?? range.claimed;
    const findings = await this.lookAt(unclear, counts);
    // From here on nothing waits: a checkpoint sees all of the step or nothing of it.
    range.after = last ?? range.after;
    range.compared += counts.compared.objects;
    this.options.onStep({ counts, findings });
    if (this.idle.length > 0 && range.compared >= range.splitAt) this.wake();
    return isDone;
  }

  /** Counts what the listings alone tell. */
  private needsLook(
    key: string,
    { source, destination }: { source: ListedObject | undefined; destination: ListedObject | undefined },
    counts: Counts,
  ): boolean {
    const sizeBytes = source?.sizeBytes;
    if (!this.scopes.some((scope) => inScopeByEvent(scope, { key, sizeBytes }).inScope)) {
      if (source !== undefined) counts.outOfScope += 1;
      return false;
    }
    const { sinceMs, proveAll } = this.options;
    if (sinceMs !== undefined && isBefore(source, sinceMs) && isBefore(destination, sinceMs)) return false;
    counts.compared.objects += 1;
    counts.compared.bytes += sizeBytes ?? 0;
    if (source === undefined || destination === undefined) return true;
    const verdict = listedVerdict(source, destination, this.options);
    if (verdict === "equal") counts.proven += 1;
    if (verdict === "same size" && !proveAll) counts.sameSize += 1;
    return verdict === "unclear" || verdict === "other size" || (verdict === "same size" && proveAll);
  }

  private async lookAt(keys: readonly string[], counts: Counts): Promise<Finding[]> {
    return lookAtAll(keys, { ...this.options, signal: this.signal, counts });
  }
}

const isBefore = (object: ListedObject | undefined, ms: number): boolean =>
  object === undefined || object.lastModified.getTime() < ms;

function newRange({ prefix, after, until, depth }: SavedRange & { depth: number }): Range {
  return {
    ...{ prefix, after, until, depth },
    ...{ claimed: after, compared: 0, splitAt: KEYS_BEFORE_SPLIT, isSplitting: false },
  };
}

/** `look` itself bounds how many of them run. */
const LOOKS_IN_WORK = 1000;

export interface LookAtOptions {
  look: Look;
  signal: AbortSignal;
  /** Gets what the looks say. */
  counts: Counts;
}

/** Looks at the keys and counts what they are. @returns the findings, in the order of the keys */
export async function lookAtAll(keys: readonly string[], { look, signal, counts }: LookAtOptions): Promise<Finding[]> {
  const found: (Finding | undefined)[] = [];
  await forEachBounded(keys.entries(), { limit: LOOKS_IN_WORK, signal }, async ([index, key]) => {
    const looked = await look(key);
    counts.looked += 1;
    if (looked.outcome === "proven") counts.proven += 1;
    if (looked.outcome === "same") counts.sameSize += 1;
    if (looked.outcome === "onTheWay") counts.onTheWay += 1;
    if (looked.outcome === "outOfScope") counts.outOfScope += 1;
    if (looked.outcome !== "finding") return;
    countFinding(counts, looked.finding);
    found[index] = looked.finding;
  });
  return found.filter((finding) => finding !== undefined);
}
