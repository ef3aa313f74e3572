/**
 * What a run has done, a line of JSON for each step. Each line is written before or after its step, so a run that was ended at any moment can
 * go on: it knows its prefix, whether it deployed the stack, and which checks have passed.
 */
import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { UsageError } from "../operator/command";
import { parseJson } from "../runtime/protocol/json";

export const RESULTS = ["passed", "failed", "skipped"] as const;

const resultSchema = z.strictObject({
  type: z.literal("result"),
  id: z.string(),
  name: z.string(),
  result: z.enum(RESULTS),
  /** What was seen, or why it was skipped. */
  evidence: z.array(z.string()),
  startedAt: z.iso.datetime(),
  ms: z.number().nonnegative(),
});
export type CheckResult = z.infer<typeof resultSchema>;

const lineSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("run"), run: z.string(), stack: z.string(), startedAt: z.iso.datetime() }),
  /** Written before `pulumi up` of a stack without resources. */
  z.strictObject({ type: z.literal("deploying") }),
  z.strictObject({ type: z.literal("deployed"), changes: z.record(z.string(), z.number()) }),
  z.strictObject({ type: z.literal("destroyed") }),
  /** The stack was left, deployed as a whole. From then on it is not the run's own. */
  z.strictObject({ type: z.literal("kept") }),
  z.strictObject({ type: z.literal("cleaned"), deleted: z.number() }),
  resultSchema,
]);
export type JournalLine = z.infer<typeof lineSchema>;

export interface JournalState {
  run: string;
  stack: string;
  startedAt: string;
  /** This run deployed the stack, or began to, and did not keep it. */
  ownStack: boolean;
  changes: Record<string, number> | undefined;
  /** The last result of each check, by id. */
  results: ReadonlyMap<string, CheckResult>;
}

export const JOURNAL = "journal.jsonl";

export class Journal {
  private constructor(private readonly path: string) {}

  /** @throws UsageError if the folder holds another run, or none to resume */
  static async open(
    folder: string,
    options: { stack: string; resume: boolean; newRun: () => { run: string; startedAt: string } },
  ): Promise<{ journal: Journal; state: JournalState }> {
    await mkdir(folder, { recursive: true });
    const journal = new Journal(join(folder, JOURNAL));
    const lines = await readLines(journal.path);
    if (lines.length === 0) {
      if (options.resume) throw new UsageError(`${folder} holds no run to resume`);
      const begun = { type: "run" as const, stack: options.stack, ...options.newRun() };
      await journal.write(begun);
      return { journal, state: stateOf([begun]) };
    }
    const state = stateOf(lines);
    if (state.stack !== options.stack) throw new UsageError(`${folder} holds a run of the stack ${state.stack}`);
    if (!options.resume) throw new UsageError(`${folder} holds a run already: add --resume, or name another folder with --out`);
    return { journal, state };
  }

  async write(line: JournalLine): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(line)}\n`);
  }
}

/** A line that was cut by the end of the process is left out. */
async function readLines(path: string): Promise<JournalLine[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  return text.split("\n").flatMap((line) => {
    const parsed = lineSchema.safeParse(parseJson(line));
    return parsed.success ? [parsed.data] : [];
  });
}

export function stateOf(lines: readonly JournalLine[]): JournalState {
  const [first] = lines;
  if (first?.type !== "run") throw new UsageError("the journal does not begin with a run: name another folder with --out");
  const results = new Map<string, CheckResult>();
  let ownStack = false;
  let changes: Record<string, number> | undefined;
  for (const line of lines) {
    if (line.type === "result") results.set(line.id, line);
    if (line.type === "deploying") ownStack = true;
    if (line.type === "deployed") changes = line.changes;
    if (line.type === "destroyed" || line.type === "kept") [ownStack, changes] = [false, undefined];
  }
  const { run, stack, startedAt } = first;
  return { run, stack, startedAt, ownStack, changes, results };
}
