/** Runs a verification: compares both sides, keeps its progress, reports the differences, and repairs them if it is asked to. */
import { createHash, randomInt } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { askAtTerminal } from "../ask";
import { type CommandContext, type ExitCode, FAILED, FINE, UsageError } from "../command";
import { createLimiter } from "../concurrency";
import type { OperatedBridge, OperatedSide } from "../operated-bridge";
import { Progress } from "../progress";
import { listingPrefixes, scopesOf } from "../scopes";
import { assertBuckets } from "../sides";
import { grouped } from "../text";
import { openVerifyCheckpoint, type VerifyCheckpoint, type VerifyCheckpointFile, type VerifyProgress } from "./checkpoint";
import { addCounts, type Counts, type Finding, FindingsFile, faults, KINDS, noCounts } from "./findings";
import { type Inventory, inventoryText, openInventory } from "./inventory";
import { assertNotOver, countKeys, keysIn } from "./keys-file";
import { createLook, type Look } from "./look";
import type { VerifyDeps, VerifyOptions } from "./options";
import { exitCodeOf, type Repaired, repair } from "./repair";
import { findingText, summaryText, type VerifyReport, verdictText } from "./report";
import { openReport } from "./report-files";
import { lookAtAll, type SavedRange, storeListing, Walk } from "./walk";

export const systemDeps = (): VerifyDeps => ({
  now: Date.now,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: () => randomInt(2 ** 32) / 2 ** 32,
  confirm: askAtTerminal,
  interactive: process.stdin.isTTY === true,
  openStore: async (access, bucket) => (await import("../open-bridge")).openSide(access, { bucket }).store,
});

/** Between two checkpoints. */
const SAVE_EVERY_MS = 5_000;
const EXAMPLES = 20;

export async function verify(context: CommandContext, options: VerifyOptions, deps: VerifyDeps): Promise<ExitCode> {
  const { bridge, signal } = context;
  await assertBuckets(bridge, signal);
  const run = await VerifyRun.open(context, options, deps);
  try {
    await run.compare();
    const repaired = await report(run);
    await run.finish();
    const found = faults(run.counts);
    return repaired !== undefined ? exitCodeOf(repaired) : found === 0 ? FINE : FAILED;
  } catch (error) {
    // A run that compared nothing begins anew.
    if (run.counts.compared.objects > 0) await saveAfter(run);
    throw error;
  } finally {
    await run.close();
  }
}

/** The first failure is the one to report. */
async function saveAfter(run: VerifyRun): Promise<void> {
  const { note } = run.context;
  try {
    await run.save();
    note(`run the same command again to resume from ${run.checkpoint.path}`);
  } catch (error) {
    note(`the progress could not be kept: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What a run keeps, and what it finds of an earlier one. */
interface Kept {
  checkpoint: VerifyCheckpointFile;
  findings: FindingsFile;
  earlier: VerifyCheckpoint | undefined;
  /** Only objects that were written since then. */
  sinceMs: number | undefined;
}

/** The comparison, with what has to survive a crash. */
class VerifyRun {
  readonly counts: Counts;
  private ranges: () => SavedRange[] | undefined;
  private lines: Pick<VerifyProgress, "line" | "linesSha256">;
  private savedMs: number;
  private saving: Promise<void> | undefined;
  private failure: unknown;
  private readonly comparedBefore: number;

  private constructor(
    readonly context: CommandContext,
    readonly options: VerifyOptions,
    readonly deps: VerifyDeps,
    private readonly kept: Kept,
  ) {
    const { earlier } = kept;
    this.counts = noCounts();
    if (earlier !== undefined) addCounts(this.counts, earlier.counts);
    this.comparedBefore = this.counts.compared.objects;
    this.ranges = () => earlier?.ranges;
    this.lines = { line: earlier?.line, linesSha256: earlier?.linesSha256 };
    this.savedMs = deps.now();
  }

  get checkpoint(): VerifyCheckpointFile {
    return this.kept.checkpoint;
  }

  get findings(): FindingsFile {
    return this.kept.findings;
  }

  static async open(context: CommandContext, options: VerifyOptions, deps: VerifyDeps): Promise<VerifyRun> {
    const { bridge, local, note } = context;
    const { stack, config } = bridge;
    const identity = (side: "source" | "destination") => `${config[side].cloud}:${config[side].region}:${config[side].bucket}`;
    const file = (ending: string) => join(".crossborderbridge", `verify-${stack.replace(/[^\w.-]+/g, "-")}.${ending}`);
    const out = options.out ?? file("jsonl");
    const { prefix, fromFile, sourceInventory, destinationInventory } = options;
    if (fromFile !== undefined) await assertNotOver(fromFile, out);
    const checkpoint = openVerifyCheckpoint(
      options.checkpoint ?? file("json"),
      {
        ...{ stack, source: identity("source"), destination: identity("destination"), local, prefix, out },
        ...{ since: options.since?.text, bytes: options.bytes === true, fromFile, sourceInventory, destinationInventory },
        settings: settingsDigest(bridge),
      },
      deps.now,
    );
    const earlier = await checkpoint.read();
    if (earlier !== undefined)
      note(
        `resuming the run of ${earlier.updatedAt}, after ${grouped(earlier.counts.compared.objects)} keys (${checkpoint.path})`,
      );
    const findings = await FindingsFile.open(out, earlier?.findings);
    const sinceMs = earlier === undefined ? options.since?.atMs(deps.now()) : earlier.sinceMs;
    return new VerifyRun(context, options, deps, { checkpoint, findings, earlier, sinceMs });
  }

  async compare(): Promise<void> {
    const { context, options, deps } = this;
    const { bridge, signal } = context;
    const scopes = scopesOf(bridge.config);
    const limit = createLimiter(options.concurrency);
    const looking = { ...deps, signal, scopes, bytes: options.bytes === true, graceMs: options.grace };
    const lookAtKey = createLook(bridge, looking);
    const look: Look = (key) => limit(() => lookAtKey(key));
    if (options.fromFile !== undefined) await this.compareKeys(options.fromFile, look);
    else await this.compareListings(look);
    signal.throwIfAborted();
  }

  private async compareListings(look: Look): Promise<void> {
    const { context, options } = this;
    const { earlier, sinceMs } = this.kept;
    const { bridge, signal, note } = context;
    const scopes = scopesOf(bridge.config);
    const inventories = {
      source: await this.openInventory("source", options.sourceInventory),
      destination: await this.openInventory("destination", options.destinationInventory),
    };
    const hasInventory = inventories.source !== undefined || inventories.destination !== undefined;
    const prefixes = hasInventory ? [options.prefix] : listingPrefixes(scopes, options.prefix);
    if (prefixes.length === 0) note(`the bridge carries no key that begins with ${JSON.stringify(options.prefix)}`);
    const progress = this.progress();
    try {
      const walk = new Walk(
        {
          source: inventories.source?.listing ?? storeListing(bridge.source),
          destination: inventories.destination?.listing ?? storeListing(bridge.destination),
          scopes,
          sinceMs,
          etagsCompare: etagsCompare(bridge),
          proveAll: options.bytes === true,
          // A report has to be read from its beginning.
          parallel: hasInventory ? 1 : options.parallel,
          look,
          signal,
          onStep: (step) => this.onStep(step, progress),
        },
        earlier?.ranges ?? prefixes.map((prefix) => ({ prefix })),
      );
      this.ranges = () => walk.ranges();
      await walk.run();
    } finally {
      await Promise.all([inventories.source?.close(), inventories.destination?.close()]);
    }
  }

  private async openInventory(name: OperatedSide["side"], place: string | undefined): Promise<Inventory | undefined> {
    if (place === undefined) return undefined;
    const { bridge, access, signal, note } = this.context;
    const { bucket, keyPrefix } = bridge[name];
    const files = openReport(place, (other) => this.deps.openStore(access[name], other), signal);
    const inventory = await openInventory({ name: place, files, bucket, keyPrefix, signal });
    note(`inventory of the ${name}: ${inventoryText(inventory)}; each difference is looked at as it is now`);
    return inventory;
  }

  private async compareKeys(path: string, look: Look): Promise<void> {
    const { prefix } = this.options;
    const { signal } = this.context;
    const total = await countKeys(path);
    const progress = this.progress(total === undefined ? undefined : total - this.comparedBefore);
    const { line: doneBefore = 0, linesSha256: wanted } = this.lines;
    const hash = createHash("sha256");
    const step = async (keys: readonly string[], line: number, linesSha256: string) => {
      const counts = noCounts();
      counts.compared.objects = keys.length;
      const findings = await lookAtAll(keys, { look, signal, counts });
      this.lines = { line, linesSha256 };
      this.onStep({ counts, findings }, progress);
    };
    const assertSame = (): void => {
      if (wanted !== undefined && hash.copy().digest("hex") !== wanted) throw otherKeys(path);
    };
    let isChecked = doneBefore === 0;
    let keys: string[] = [];
    let last = 0;
    for await (const { number, key } of keysIn(path)) {
      if (!isChecked && number > doneBefore) {
        assertSame();
        isChecked = true;
      }
      hash.update(`${number} ${JSON.stringify(key)}\n`);
      last = number;
      if (number <= doneBefore) continue;
      if (key.startsWith(prefix)) keys.push(key);
      if (keys.length < KEYS_IN_STEP) continue;
      await step(keys, number, hash.copy().digest("hex"));
      keys = [];
    }
    if (!isChecked) assertSame();
    if (keys.length > 0) await step(keys, last, hash.copy().digest("hex"));
  }

  private progress(total?: number): Progress {
    return new Progress({ now: this.deps.now, note: this.context.note, total });
  }

  private onStep({ counts, findings }: { counts: Counts; findings: Finding[] }, progress: Progress): void {
    // The step counts as done, so what it found is kept before anything can fail.
    addCounts(this.counts, counts);
    this.findings.append(findings);
    this.deps.onCompared?.(this.counts.compared.objects);
    if (this.failure !== undefined) throw this.failure;
    progress.report(this.counts.compared.objects - this.comparedBefore, () => this.progressText());
    if (this.saving !== undefined || this.deps.now() - this.savedMs < SAVE_EVERY_MS) return;
    this.saving = this.saveNow()
      .catch((error: unknown) => {
        this.failure = error;
      })
      .finally(() => {
        this.saving = undefined;
      });
  }

  private progressText(): string {
    const { counts } = this;
    const found = KINDS.filter((kind) => counts[kind].objects > 0).map((kind) => `${grouped(counts[kind].objects)} ${kind}`);
    return [`${grouped(counts.compared.objects)} keys compared`, ...found].join(", ");
  }

  async save(): Promise<void> {
    await this.saving;
    await this.saveNow();
  }

  /** The state is taken at once; what is found while it is written belongs to the next checkpoint. */
  private async saveNow(): Promise<void> {
    const progress: VerifyProgress = {
      sinceMs: this.kept.sinceMs,
      ranges: this.ranges(),
      ...this.lines,
      counts: structuredClone(this.counts),
      findings: this.findings.mark,
    };
    await this.findings.flush();
    await this.checkpoint.write(progress);
    this.savedMs = this.deps.now();
  }

  /** The file of findings stays: it is the report. */
  async finish(): Promise<void> {
    await this.saving;
    await this.checkpoint.remove();
  }

  async close(): Promise<void> {
    await this.saving;
    await this.findings.close();
  }
}

const KEYS_IN_STEP = 1000;

function otherKeys(path: string): UsageError {
  return new UsageError(
    `${path} no longer begins with the keys that an earlier run compared: name another checkpoint with --checkpoint, or delete that one`,
  );
}

/** A checkpoint of other settings would hide the keys that they take in. */
function settingsDigest({ config, destination }: OperatedBridge): string {
  const { mode, direction, deletes, scope, replication } = config;
  const settings = { mode, direction, deletes, scope, rules: replication.rules, prefix: destination.keyPrefix };
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 16);
}

/** KMS makes ETags that are no MD5s. A bucket may encrypt so by itself; each of its objects is then looked at. */
function etagsCompare({ config }: Pick<OperatedBridge, "config">): boolean {
  return [config.source, config.destination].every(
    ({ kmsKeyArn, kmsKeyId }) => kmsKeyArn === undefined && kmsKeyId === undefined,
  );
}

async function report(run: VerifyRun): Promise<Repaired | undefined> {
  const { context, options, deps, counts, findings } = run;
  const { bridge, json, print, note, signal } = context;
  if (!json) print(summaryText(counts));
  const shown = { missing: 0, different: 0, extra: 0, unread: 0 };
  for await (const finding of findings.read()) {
    shown[finding.kind] += 1;
    if (json) print(JSON.stringify(finding));
    else if (shown[finding.kind] <= EXAMPLES) print(findingText(finding));
  }
  if (!json) print(verdictText(counts));
  const count = KINDS.reduce((sum, kind) => sum + counts[kind].objects, 0);
  if (count > 0) note(`every difference is in ${findings.path}, a JSON line each`);
  const repaired = options.repair
    ? await repair({ bridge, options, deps, signal, note, findings: () => findings.read() })
    : undefined;
  if (json) {
    const about = { command: "verify", stack: bridge.stack, prefix: options.prefix } as const;
    const result: VerifyReport = { ...about, counts, faults: faults(counts), findings: findings.path, repair: repaired };
    print(JSON.stringify(result));
  }
  return repaired;
}
