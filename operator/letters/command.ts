/** `bridge letters` shows the dead letters, `bridge redrive` hands them to the bridge again. */
import {
  bridgeCommand,
  type CommandContext,
  type CommonOptions,
  type ExitCode,
  FAILED,
  FINE,
  type RegisterCommand,
  since,
  UsageError,
  whole,
} from "../command";
import type { OperatedBridge, Redriven } from "../operated-bridge";
import { COMMAND } from "../places";
import { Progress } from "../progress";
import { counted, grouped } from "../text";
import { groupByReason, groupText, type LetterFilter, letterLine, selector } from "./letters";

const MAX_LETTERS = 100_000;

export interface LettersOptions extends CommonOptions, LetterFilter {
  limit: number;
}

export interface RedriveCommandOptions extends CommonOptions, LetterFilter {
  dryRun?: true;
  max?: number;
}

const HELP = `
Examples:
  crossborderbridge letters --stack production
  crossborderbridge letters --stack production --reason "no ICP licence"
  crossborderbridge redrive --stack production --reason "no ICP licence" --dry-run
  crossborderbridge redrive --stack production --prefix reports/ --since 2h`;

export const registerLetters: RegisterCommand = (program, onBridge) => {
  bridgeCommand(program, "letters", "Shows the keys that the bridge gave up, by their reason, and leaves them in their queue.")
    .option("--reason <text>", "only letters whose reason has this text; each is shown")
    .option("--prefix <prefix>", "only keys that begin with it", "")
    .option("--since <time>", "only letters since then, such as 2h or 2026-11-30", since)
    .option("--limit <n>", "show at most so many letters one by one", whole(0, MAX_LETTERS), 100)
    .addHelpText("after", HELP)
    .action((options: LettersOptions) => onBridge(options, (context) => showLetters(context, options, Date.now)));
  bridgeCommand(program, "redrive", "Hands dead letters to the bridge again. Each key starts with all its attempts.")
    .option("--reason <text>", "only letters whose reason has this text")
    .option("--prefix <prefix>", "only keys that begin with it", "")
    .option("--since <time>", "only letters since then, such as 2h or 2026-11-30", since)
    .option("--max <n>", "at most so many letters", whole(1, Number.MAX_SAFE_INTEGER))
    .option("--dry-run", "say which letters it would hand over, and do nothing")
    .addHelpText("after", HELP)
    .action((options: RedriveCommandOptions) => onBridge(options, (context) => redrive(context, options, Date.now)));
};

export async function showLetters(context: CommandContext, options: LettersOptions, now: () => number): Promise<ExitCode> {
  const { bridge, json, print, note } = context;
  const { letters, isAll } = await readLetters(context, options, now);
  const newest = [...letters].sort((a, b) => (b.parkedAt?.getTime() ?? 0) - (a.parkedAt?.getTime() ?? 0));
  const groups = groupByReason(letters);
  if (json) {
    for (const letter of newest) print(JSON.stringify(letter));
    print(JSON.stringify({ command: "letters", stack: bridge.stack, letters: letters.length, complete: isAll, groups }));
  } else {
    if (options.reason !== undefined) for (const letter of newest.slice(0, options.limit)) print(letterLine(letter));
    for (const group of groups) print(groupText(group, now()));
    if (letters.length === 0) print("there are no such dead letters");
  }
  if (!isAll) note(`not all dead letters were read, but ${grouped(letters.length)} of them`);
  if (letters.length > 0) note(`fix the cause, then: ${COMMAND} redrive --reason <a part of the reason>`);
  return letters.length === 0 && isAll ? FINE : FAILED;
}

export async function redrive(context: CommandContext, options: RedriveCommandOptions, now: () => number): Promise<ExitCode> {
  const { bridge, json, print, note, signal } = context;
  assertLetters(bridge);
  const { dryRun = false, max = Number.MAX_SAFE_INTEGER } = options;
  const result = (redriven: Redriven) => ({ command: "redrive", stack: bridge.stack, dryRun, ...redriven });
  if (dryRun) {
    const { letters, isAll } = await readLetters(context, options, now);
    const handed = Math.min(letters.length, max);
    if (json) print(JSON.stringify(result({ handed, left: letters.length - handed, complete: isAll })));
    else for (const group of groupByReason(letters)) print(groupText(group, now()));
    note(`redrive would hand over ${counted(handed, "key")}${isAll ? "" : ", and those of letters that were not read"}`);
    return FINE;
  }
  const accepts = selector(options, now());
  const progress = new Progress({ now, note });
  const redriven = await bridge.redrive({
    select: (letters) => letters.some(accepts),
    limit: max,
    onProgress: ({ handed, left }) =>
      progress.report(handed + left, () => `${grouped(handed)} letters handed over, ${grouped(left)} left`),
    signal,
  });
  const { handed, left, again = 0, complete } = redriven;
  if (json) print(JSON.stringify(result(redriven)));
  else print(`${counted(handed, "letter was", "letters were")} handed over, ${grouped(left)} left`);
  if (again > 0)
    note(
      `${counted(again, "of them was", "of them were")} given up again at once: fix the cause first (crossborderbridge letters)`,
    );
  if (!complete && handed < max)
    note("not every letter of the queue was read, because another reader has some: run it again later");
  return again === 0 && (complete || handed === max) ? FINE : FAILED;
}

async function readLetters({ bridge, signal }: CommandContext, filter: LetterFilter, now: () => number) {
  assertLetters(bridge);
  const { letters, complete } = await bridge.deadLetters({ limit: MAX_LETTERS, signal });
  return { letters: letters.filter(selector(filter, now())), isAll: complete };
}

function assertLetters({ config, outputs, stack }: OperatedBridge): void {
  if (outputs.deadLetterQueueUrl !== undefined) return;
  throw new UsageError(`${stack} has no dead-letter queue: mode is ${config.mode}, and the store itself replicates`);
}
