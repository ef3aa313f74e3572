/**
 * The engines that list the source themselves, and the dry run of every engine. Page by page: check each object, hand over those that the
 * destination lacks, write the checkpoint.
 */
import type { Scope } from "../../runtime/protocol/env";
import { BridgeError } from "../../runtime/stores/errors";
import { compareKeys } from "../../runtime/stores/keys";
import type { ListedObject, ObjectStore } from "../../runtime/stores/object-store";
import { type ExitCode, FAILED, FINE, ObjectsFailed } from "../command";
import { forEachBounded, type RetryDeps, retry } from "../concurrency";
import { costTable } from "../cost-table";
import { createCopier, createEnqueuer, type Moved, type Mover, refusedObject } from "../move";
import type { OperatedSide } from "../operated-bridge";
import { examine, type Presence, presenceOf, type Verdict } from "../presence";
import { Progress } from "../progress";
import { listingPrefixes, scopesOf } from "../scopes";
import { bytesText, grouped, keyText } from "../text";
import type { CheckpointFile } from "./checkpoint";
import { estimate } from "./cost";
import { add, type Counts, listedObjects, noCounts, PAGE_SIZE } from "./counts";
import type { Backfill } from "./options";
import { type BackfillReport, countsTable, type Named, namedLine, namedLines } from "./report";

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
  /** Bound on the sum of the sizes of the objects that this run hands over. */
  maxBytes?: number | undefined;
  /** The last key of an earlier run: this one begins after it. */
  lastKey?: string | undefined;
  counts: Counts;
}

export interface Walk {
  counts: Counts;
  /** The first few of each. */
  failed: Named[];
  archived: Named[];
  lastKey: string | undefined;
  /** The first object that `maxBytes` had no room for; undefined if the walk reached the end. */
  stoppedBefore: ListedObject | undefined;
}

const EXAMPLES = 20;
/** The run ends after this many refusals: the cause is then not a single object. */
const MAX_FAILURES = 100;
const NOT_RESTORED = "archived: restore it first";

type Checked = { object: ListedObject; verdict: Verdict | { outcome: "failed"; reason: string } };

export async function walk(deps: WalkDeps, options: WalkOptions): Promise<Walk> {
  const { source, scopes, signal, mover, checkpoint } = deps;
  const { counts, prefix, pageSize, maxBytes = Number.POSITIVE_INFINITY } = options;
  const result: Walk = { counts, failed: [], archived: [], lastKey: options.lastKey, stoppedBefore: undefined };
  let bytesLeft = maxBytes;
  let failures = 0;

  const listing = { prefixes: listingPrefixes(scopes, prefix), startAfter: options.lastKey, pageSize, signal };
  for await (const page of pagesOf(source.store, listing)) {
    const checked = await checkAll(page, deps, options.concurrency);
    const affordable = withinBudget(checked, bytesLeft);
    const moved = await handOverDue(affordable, mover);
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
      throw new ObjectsFailed(
        [`${failures} objects were refused, the first of them:`, ...result.failed.slice(0, 3).map(namedLine)].join("\n"),
      );
    result.lastKey = affordable.at(-1)?.object.key ?? result.lastKey;
    result.stoppedBefore = checked[affordable.length]?.object;
    if (result.lastKey !== undefined) {
      await checkpoint?.write({ lastKey: result.lastKey, counts });
      deps.onProgress(counts, result.lastKey);
    }
    if (result.stoppedBefore !== undefined) break;
  }
  // An abort ends the listing early; the walk then has not reached the end.
  signal.throwIfAborted();
  return result;
}

async function checkAll(page: readonly ListedObject[], deps: WalkDeps, limit: number): Promise<Checked[]> {
  const { source, scopes, presence, signal } = deps;
  const checked: Checked[] = [];
  await forEachBounded(page.entries(), { limit, signal }, async ([index, object]) => {
    try {
      const examined = () => examine(object, { source: source.store, scopes, presence, signal });
      checked[index] = { object, verdict: await retry(examined, deps) };
    } catch (error) {
      if (signal.aborted || !refusedObject(error)) throw error;
      checked[index] = { object, verdict: { outcome: "failed", reason: error.message } };
    }
  });
  return checked;
}

/** The page up to the first due object that exceeds the budget. */
function withinBudget(checked: readonly Checked[], bytesLeft: number): readonly Checked[] {
  let left = bytesLeft;
  const end = checked.findIndex(({ object, verdict }) => {
    if (verdict.outcome === "due") left -= object.sizeBytes;
    return left < 0;
  });
  return end < 0 ? checked : checked.slice(0, end);
}

async function handOverDue(checked: readonly Checked[], mover: Mover | undefined): Promise<Moved[]> {
  if (mover === undefined) return checked.map(({ verdict }) => verdict);
  const due = checked.flatMap(({ object: { key }, verdict }) => (verdict.outcome === "due" ? [{ key, etag: verdict.etag }] : []));
  const moved = (due.length === 0 ? [] : await mover(due)).values();
  return checked.map(({ verdict }) => (verdict.outcome === "due" ? (moved.next().value ?? MISSING) : verdict));
}

const MISSING: Moved = { outcome: "failed", reason: "the engine has not answered for it" };

export async function runWalk({ context, options, deps, engine, checkpoint }: Backfill): Promise<ExitCode> {
  const { bridge, signal, note } = context;
  const { dryRun = false, prefix, concurrency, maxBytes } = options;
  const earlier = dryRun ? undefined : await checkpoint.read();
  if (earlier?.lastKey !== undefined)
    note(`going on after ${keyText(earlier.lastKey)}, the last key of the run of ${earlier.updatedAt} (${checkpoint.path})`);
  const presence = presenceOf(bridge);
  const moving = { bridge, presence, concurrency, signal, sleep: deps.sleep, random: deps.random };
  const progress = new Progress({ now: deps.now, note });
  const before = listedObjects(earlier?.counts ?? noCounts());
  const walked = await walk(
    {
      source: bridge.source,
      scopes: scopesOf(bridge.config),
      presence,
      mover: dryRun ? undefined : engine === "copy" ? createCopier(moving) : createEnqueuer(moving),
      checkpoint: dryRun ? undefined : checkpoint,
      onProgress(counts, lastKey) {
        const { due, present } = counts;
        progress.report(listedObjects(counts) - before, () => {
          const done = `${grouped(due.objects)} ${dryRun ? "to do" : "handed over"} (${bytesText(due.bytes)})`;
          return `${done}, ${grouped(present.objects)} there already, up to ${keyText(lastKey)}`;
        });
      },
      signal,
      sleep: deps.sleep,
      random: deps.random,
    },
    { prefix, concurrency, maxBytes, pageSize: PAGE_SIZE, lastKey: earlier?.lastKey, counts: earlier?.counts ?? noCounts() },
  );
  if (walked.stoppedBefore === undefined && !dryRun) await checkpoint.remove();
  return report({ context, options, deps, engine, checkpoint }, walked);
}

function report({ context, options, deps, engine, checkpoint }: Backfill, walked: Walk): ExitCode {
  const { bridge, note, print, json } = context;
  const { dryRun = false, prefix } = options;
  const { counts, failed, archived, lastKey, stoppedBefore } = walked;
  const ended = stoppedBefore === undefined ? "complete" : "budget";
  const cost = dryRun ? estimate(bridge, engine, counts, deps.prices) : undefined;
  if (json) {
    const about = { command: "backfill", stack: bridge.stack, prefix, engine, dryRun } as const;
    const result: BackfillReport = { ...about, ended, counts, failed, archived, lastKey, cost };
    print(JSON.stringify(result));
  } else {
    print(countsTable(counts, { dryRun }));
    if (cost !== undefined) print(costTable(cost, { copies: engine === "bridge" }));
  }
  for (const line of namedLines("archived:", archived, counts.archived.objects)) note(line);
  for (const line of namedLines("refused:", failed, counts.failed.objects)) note(line);
  if (stoppedBefore !== undefined) {
    const next = `${keyText(stoppedBefore.key)} (${bytesText(stoppedBefore.sizeBytes)})`;
    note(`stopped before ${next}, which would exceed --max-bytes; run it again to continue (${checkpoint.path})`);
  } else if (counts.failed.objects > 0) {
    note("some objects were refused: fix the reasons and run it again");
  } else if (!dryRun && counts.due.objects > 0) {
    note("every due object was handed over; `status` shows when it has arrived");
  }
  return ended === "complete" && counts.failed.objects === 0 ? FINE : FAILED;
}

export interface Listing {
  /** Ascending; no prefix begins with another one. */
  prefixes: readonly string[];
  startAfter?: string | undefined;
  pageSize: number;
  signal: AbortSignal;
}

/** The listing in pages, one of them in memory. Rejects if the listing fails or is not in the order of keys, which checkpoints rely on. */
export async function* pagesOf(store: Pick<ObjectStore, "list">, listing: Listing): AsyncGenerator<ListedObject[]> {
  let page: ListedObject[] = [];
  let last = listing.startAfter;
  for await (const object of objectsOf(store, listing)) {
    if (last !== undefined && compareKeys(last, object.key) >= 0)
      throw new BridgeError(
        "Unexpected",
        "list",
        `the listing is not in order: ${keyText(object.key)} came after ${keyText(last)}`,
      );
    last = object.key;
    page.push(object);
    if (page.length === listing.pageSize) {
      yield page;
      page = [];
    }
  }
  if (page.length > 0) yield page;
}

async function* objectsOf(store: Pick<ObjectStore, "list">, { prefixes, startAfter, signal }: Listing) {
  for (const prefix of prefixes) {
    // If done, every key of the prefix comes before `startAfter`.
    const isDone = startAfter !== undefined && compareKeys(prefix, startAfter) < 0 && !startAfter.startsWith(prefix);
    if (!isDone) yield* store.list(prefix, { signal, startAfter });
  }
}
