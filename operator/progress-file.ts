/** The progress of a long run, in a file that is replaced atomically. Another run never resumes from it. */
import { readFile, rm } from "node:fs/promises";
import type * as z from "zod";
import { UsageError } from "./command";
import { replaceFile } from "./disk";

/** The run that a file belongs to: each of its values must be equal. */
export type RunIdentity = Readonly<Record<string, string | boolean | undefined>>;

export interface ProgressFile<Saved, Progress> {
  path: string;
  /** Resolves to undefined if there is none. @throws UsageError if the file is no checkpoint, or belongs to another run */
  read(): Promise<Saved | undefined>;
  /** Resolves once the file is on the disk. */
  write(progress: Progress): Promise<void>;
  remove(): Promise<void>;
}

export interface ProgressOptions<Saved, Own> {
  /** The kind of run, as in an error: `backfill`. */
  run: string;
  /** The file holds the version, the identity, `updatedAt`, and the progress. */
  schema: z.ZodType<Saved>;
  version: number;
  own: Own;
  /** Milliseconds since the epoch. */
  now(): number;
}

export function openProgressFile<Saved extends object, Progress extends object, Own extends RunIdentity>(
  path: string,
  { run, schema, version, own, now }: ProgressOptions<Saved, Own>,
): ProgressFile<Saved, Progress> {
  return {
    path,
    async read() {
      const text = await readOrUndefined(path);
      if (text === undefined) return undefined;
      const saved = parse(path, text, schema);
      const values = saved as RunIdentity;
      const foreign = Object.keys(own).filter((name) => values[name] !== own[name]);
      if (foreign.length === 0) return saved;
      const difference = foreign.map((name) => `${name} ${show(values[name])} instead of ${show(own[name])}`).join(", ");
      throw new UsageError(
        `${path} is the checkpoint of another ${run} (${difference}): finish the other ${run} first, ${WAY_OUT}`,
      );
    },
    async write(progress) {
      const saved = { version, ...own, updatedAt: new Date(now()).toISOString(), ...progress };
      await replaceFile(path, `${JSON.stringify(saved, undefined, 2)}\n`);
    },
    remove: () => rm(path, { force: true }),
  };
}

const WAY_OUT = "choose another file with --checkpoint, or delete this file";

const show = (value: unknown): string => JSON.stringify(value) ?? "none";

function parse<Saved>(path: string, text: string, schema: z.ZodType<Saved>): Saved {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path} is no checkpoint, it is not JSON: ${WAY_OUT}`, { cause });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.join(".")}: `;
  throw new UsageError(`${path} is no checkpoint (${where}${issue?.message ?? "not valid"}): ${WAY_OUT}`);
}

async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
