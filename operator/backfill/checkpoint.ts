/** The progress of a backfill, in a file that is replaced atomically. */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { UsageError } from "../command";
import { countsSchema } from "./counts";
import { ENGINES } from "./engine";

/** The backfill that a checkpoint belongs to. Another backfill never resumes from it. */
const identity = {
  stack: z.string(),
  /** `<cloud>:<region>:<bucket>`. A local cloud and a real one may have stacks of the same name. */
  source: z.string(),
  destination: z.string(),
  local: z.boolean(),
  prefix: z.string(),
  engine: z.enum(ENGINES),
};
const identitySchema = z.strictObject(identity);
export type CheckpointIdentity = z.infer<typeof identitySchema>;

const checkpointSchema = z.strictObject({
  version: z.literal(1),
  ...identity,
  updatedAt: z.iso.datetime(),
  /** Every key up to this one was checked, and handed over if it was due. */
  lastKey: z.string().optional(),
  counts: countsSchema.optional(),
  /** Written before the job is created, so that a restart creates no second job. */
  batch: z.strictObject({ token: z.string(), jobId: z.string().optional() }).optional(),
});
export type Checkpoint = z.infer<typeof checkpointSchema>;
export type CheckpointProgress = Partial<Pick<Checkpoint, "lastKey" | "counts" | "batch">>;

export interface CheckpointFile {
  path: string;
  /** Resolves to undefined if there is none. @throws UsageError if the file is no checkpoint, or belongs to another backfill */
  read(): Promise<Checkpoint | undefined>;
  /** Resolves once the file is on the disk. */
  write(progress: CheckpointProgress): Promise<void>;
  remove(): Promise<void>;
}

export function openCheckpoint(path: string, own: CheckpointIdentity, now: () => number): CheckpointFile {
  return {
    path,
    async read() {
      const text = await readOrUndefined(path);
      if (text === undefined) return undefined;
      const checkpoint = parse(path, text);
      const names = Object.keys(own) as (keyof CheckpointIdentity)[];
      const foreign = names.filter((name) => checkpoint[name] !== own[name]);
      if (foreign.length === 0) return checkpoint;
      const difference = foreign.map((name) => `${name} ${show(checkpoint[name])} instead of ${show(own[name])}`).join(", ");
      throw new UsageError(
        `${path} is the checkpoint of another backfill (${difference}): finish the other backfill first, ${WAY_OUT}`,
      );
    },
    async write(progress) {
      const checkpoint: Checkpoint = { version: 1, ...own, updatedAt: new Date(now()).toISOString(), ...progress };
      await replaceFile(path, `${JSON.stringify(checkpoint, undefined, 2)}\n`);
    },
    remove: () => rm(path, { force: true }),
  };
}

const WAY_OUT = "choose another file with --checkpoint, or delete this file";

const show = (value: unknown): string => JSON.stringify(value);

function parse(path: string, text: string): Checkpoint {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path} is no checkpoint, it is not JSON: ${WAY_OUT}`, { cause });
  }
  const parsed = checkpointSchema.safeParse(value);
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

/** A reader sees the old content or the new content, also after a power failure. */
async function replaceFile(path: string, content: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const draft = `${path}.draft`;
  const file = await open(draft, "w", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  // The rename is durable only after the folder is synced.
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
