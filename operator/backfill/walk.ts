/** Page after page through the source: look at each object, put to work what is due, write down how far it came. */
import type { Scope } from "../../runtime/protocol/env";
import type { ListedObject } from "../../runtime/stores/object-store";
import { forEachBounded } from "../bounded";
import type { OperatedSide } from "../operated-bridge";
import { listingPrefixes } from "../scopes";
import { keyText, plainText } from "../text";
import type { CheckpointFile } from "./checkpoint";
import { add, type Counts } from "./counts";
import { examine, type Verdict } from "./examine";
import { type Moved, type Mover, refusedObject } from "./move";
import { pagesOf } from "./pages";
import type { Presence } from "./presence";
import { type RetryDeps, retrying } from "./retrying";

export interface WalkDeps extends RetryDeps {
  source: Pick<OperatedSide, "store">;
  scopes: readonly Scope[];
  presence: Presence;
  /** Absent in a dry run, which only counts. */
  mover?: Mover | undefined;
  checkpoint?: Pick<CheckpointFile, "write"> | undefined;
  /** After every page. */
  onProgress(counts: Counts, lastKey: string): void;
}

export interface WalkOptions {
  prefix: string;
  concurrency: number;
  pageSize: number;
  /** Of the objects that this run puts to work. */
  maxBytes?: number | undefined;
  /** Where an earlier run came to. */
  lastKey?: string | undefined;
  counts: Counts;
}

export interface Named {
  key: string;
  reason: string;
}

export interface Walk {
  counts: Counts;
  /** The first of each. */
  failed: Named[];
  archived: Named[];
  lastKey: string | undefined;
  /** The object that would have gone beyond `maxBytes`; undefined where the walk came to the end. */
  stoppedBefore: ListedObject | undefined;
}

const EXAMPLES = 20;
/** So many refusals are not about single objects any more. */
const MAX_FAILURES = 100;
const NOT_RESTORED = "archived: restore it first";

type Looked = { object: ListedObject; verdict: Verdict | { outcome: "failed"; reason: string } };

export async function walk(deps: WalkDeps, options: WalkOptions): Promise<Walk> {
  const { source, scopes, signal, mover, checkpoint } = deps;
  const { counts, prefix, pageSize, maxBytes = Number.POSITIVE_INFINITY } = options;
  const result: Walk = { counts, failed: [], archived: [], lastKey: options.lastKey, stoppedBefore: undefined };
  let bytesLeft = maxBytes;
  let failures = 0;

  const listing = { prefixes: listingPrefixes(scopes, prefix), startAfter: options.lastKey, pageSize, signal };
  for await (const page of pagesOf(source.store, listing)) {
    const looked = await lookAtAll(page, deps, options.concurrency);
    const affordable = withinBudget(looked, bytesLeft);
    const moved = await moveDue(affordable, mover);
    for (const [index, { object }] of affordable.entries()) {
      const { outcome, reason } = moved[index] ?? { outcome: "failed" };
      add(counts, outcome, object.sizeBytes);
      if (outcome === "due") bytesLeft -= object.sizeBytes;
      if (outcome === "failed") failures += 1;
      const examples = outcome === "failed" || outcome === "archived" ? result[outcome] : undefined;
      if (examples !== undefined && examples.length < EXAMPLES)
        examples.push({ key: object.key, reason: reason ?? NOT_RESTORED });
    }
    if (failures >= MAX_FAILURES)
      throw new Error(
        [`${failures} objects were refused, the first of them:`, ...result.failed.slice(0, 3).map(namedLine)].join("\n"),
      );
    result.lastKey = affordable.at(-1)?.object.key ?? result.lastKey;
    result.stoppedBefore = looked[affordable.length]?.object;
    if (result.lastKey !== undefined) {
      await checkpoint?.write({ lastKey: result.lastKey, counts });
      deps.onProgress(counts, result.lastKey);
    }
    if (result.stoppedBefore !== undefined) break;
  }
  // A listing that an abort cut short has not come to the end.
  signal.throwIfAborted();
  return result;
}

export const namedLine = ({ key, reason }: Named): string => `  ${keyText(key)}: ${plainText(reason)}`;

async function lookAtAll(page: readonly ListedObject[], deps: WalkDeps, limit: number): Promise<Looked[]> {
  const { source, scopes, presence, signal } = deps;
  const looked: Looked[] = [];
  await forEachBounded(page.entries(), { limit, signal }, async ([index, object]) => {
    try {
      const examined = () => examine(object, { source: source.store, scopes, presence, signal });
      looked[index] = { object, verdict: await retrying(examined, deps) };
    } catch (error) {
      if (signal.aborted || !refusedObject(error)) throw error;
      looked[index] = { object, verdict: { outcome: "failed", reason: error.message } };
    }
  });
  return looked;
}

/** The page up to the first due object that does not fit any more. */
function withinBudget(looked: readonly Looked[], bytesLeft: number): readonly Looked[] {
  let left = bytesLeft;
  const end = looked.findIndex(({ object, verdict }) => {
    if (verdict.outcome === "due") left -= object.sizeBytes;
    return left < 0;
  });
  return end < 0 ? looked : looked.slice(0, end);
}

async function moveDue(looked: readonly Looked[], mover: Mover | undefined): Promise<Moved[]> {
  if (mover === undefined) return looked.map(({ verdict }) => verdict);
  const due = looked.flatMap(({ object: { key }, verdict }) => (verdict.outcome === "due" ? [{ key, etag: verdict.etag }] : []));
  const moved = (due.length === 0 ? [] : await mover(due)).values();
  return looked.map(({ verdict }) => (verdict.outcome === "due" ? (moved.next().value ?? MISSING) : verdict));
}

const MISSING: Moved = { outcome: "failed", reason: "the engine has not answered for it" };
