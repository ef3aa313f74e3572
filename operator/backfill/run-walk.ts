/** The engines that go through the source themselves, and the dry run of every engine. */
import { type ExitCode, FAILED, FINE } from "../command";
import { scopesOf } from "../scopes";
import { bytesText, grouped, keyText } from "../text";
import type { Backfill } from "./backfill";
import { estimate } from "./cost";
import { noCounts } from "./counts";
import { createCopier, createEnqueuer } from "./move";
import { PAGE_SIZE } from "./pages";
import { presenceOf } from "./presence";
import { type BackfillReport, costTable, countsTable, namedLines } from "./report";
import { walk } from "./walk";

const NOTE_EVERY_MS = 5_000;

export async function runWalk({ context, options, deps, engine, checkpoint }: Backfill): Promise<ExitCode> {
  const { bridge, signal, note, print, json } = context;
  const { dryRun = false, prefix, concurrency, maxBytes } = options;
  const earlier = dryRun ? undefined : await checkpoint.read();
  if (earlier?.lastKey !== undefined)
    note(`going on after ${keyText(earlier.lastKey)}, where the run of ${earlier.updatedAt} came to (${checkpoint.path})`);
  const presence = presenceOf(bridge);
  const moving = { bridge, presence, concurrency, signal, sleep: deps.sleep, random: deps.random };
  let notedAtMs = deps.now();
  const walked = await walk(
    {
      source: bridge.source,
      scopes: scopesOf(bridge.config),
      presence,
      mover: dryRun ? undefined : engine === "copy" ? createCopier(moving) : createEnqueuer(moving),
      checkpoint: dryRun ? undefined : checkpoint,
      onProgress({ due, present }, lastKey) {
        if (deps.now() - notedAtMs < NOTE_EVERY_MS) return;
        notedAtMs = deps.now();
        const done = `${grouped(due.objects)} ${dryRun ? "to do" : "put to work"} (${bytesText(due.bytes)})`;
        note(`${done}, ${grouped(present.objects)} there already, up to ${keyText(lastKey)}`);
      },
      signal,
      sleep: deps.sleep,
      random: deps.random,
    },
    { prefix, concurrency, maxBytes, pageSize: PAGE_SIZE, lastKey: earlier?.lastKey, counts: earlier?.counts ?? noCounts() },
  );
  const { counts, failed, archived, lastKey, stoppedBefore } = walked;
  const ended = stoppedBefore === undefined ? "complete" : "budget";
  if (ended === "complete" && !dryRun) await checkpoint.remove();
  const cost = dryRun ? estimate(bridge, engine, counts, deps.prices) : undefined;
  if (json) {
    const about = { command: "backfill", stack: bridge.stack, prefix, engine, dryRun } as const;
    const told: BackfillReport = { ...about, ended, counts, failed, archived, lastKey, cost };
    print(JSON.stringify(told));
  } else {
    print(countsTable(counts, { dryRun }));
    if (cost !== undefined) print(costTable(cost, engine));
  }
  const told = [
    ...namedLines("archived:", archived, counts.archived.objects),
    ...namedLines("refused:", failed, counts.failed.objects),
  ];
  for (const line of told) note(line);
  if (stoppedBefore !== undefined) {
    const next = `${keyText(stoppedBefore.key)} (${bytesText(stoppedBefore.sizeBytes)})`;
    note(`stopped before ${next}, which would go beyond --max-bytes; run it again to go on (${checkpoint.path})`);
  } else if (counts.failed.objects > 0) {
    note("some objects were refused: run it again once the reasons are mended");
  } else if (!dryRun && counts.due.objects > 0) {
    note("everything that was due is put to work; `status` tells when it has arrived");
  }
  return ended === "complete" && counts.failed.objects === 0 ? FINE : FAILED;
}
