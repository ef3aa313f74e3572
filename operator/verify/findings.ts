/** The differences that a verification finds, and the file that keeps them. */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { UsageError } from "../command";
import { linesOf } from "../lines";

/**
 * - `missing`: the destination has no such object.
 * - `different`: the destination has another state of it.
 * - `extra`: the destination has an object that the source does not have.
 * - `unread`: one of the two objects could not be looked at, so nobody knows.
 */
export const KINDS = ["missing", "different", "extra", "unread"] as const;
export type Kind = (typeof KINDS)[number];

const findingSchema = z.strictObject({
  kind: z.enum(KINDS),
  key: z.string(),
  /** Of the source's object; of an extra object its own. */
  sizeBytes: z.number().int().nonnegative(),
  reason: z.string(),
  /** Of the source's object. */
  etag: z.string().optional(),
  /** The bridge leaves it as it is, by its settings: it is reported, and it is no fault. */
  leftAlone: z.literal(true).optional(),
});
export type Finding = z.infer<typeof findingSchema>;

/** One JSON line for each finding. A resumed run cuts off what was written after its last checkpoint, so no finding is there twice. */
export class FindingsFile {
  private buffer: string[] = [];
  private bytes: number;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    lengthBytes: number,
  ) {
    this.bytes = lengthBytes;
  }

  /**
   * @param lengthBytes how much of the file belongs to the run; 0 for a new one
   * @throws UsageError if the file has fewer bytes: findings of the run are lost
   */
  static async open(path: string, lengthBytes: number): Promise<FindingsFile> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, lengthBytes === 0 ? "w+" : "r+", 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      throw lost(path);
    });
    const { size } = await file.stat();
    if (size < lengthBytes) {
      await file.close();
      throw lost(path);
    }
    await file.truncate(lengthBytes);
    return new FindingsFile(path, file, lengthBytes);
  }

  /** Bytes of the file, with what is not written yet. */
  get lengthBytes(): number {
    return this.bytes;
  }

  append(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const line = `${JSON.stringify(finding)}\n`;
      this.buffer.push(line);
      this.bytes += Buffer.byteLength(line);
    }
  }

  /** Resolves once everything that was appended before is on the disk. */
  async flush(): Promise<void> {
    if (this.buffer.length === 0) return;
    const text = Buffer.from(this.buffer.join(""));
    const position = this.bytes - text.length;
    this.buffer = [];
    await this.file.write(text, 0, text.length, position);
    await this.file.datasync();
  }

  /** Every finding, in the order in which they were found. */
  async *read(): AsyncGenerator<Finding> {
    await this.flush();
    for await (const line of linesOf(this.file.createReadStream({ start: 0, autoClose: false })))
      yield findingSchema.parse(JSON.parse(line));
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

function lost(path: string): UsageError {
  return new UsageError(
    `${path} has lost differences that an earlier run found; delete the checkpoint to begin anew, or name another one with --checkpoint`,
  );
}

const tally = z.strictObject({ objects: z.number().int().nonnegative(), bytes: z.number().int().nonnegative() });
const count = z.number().int().nonnegative();

export const countsSchema = z.strictObject({
  /** Keys in scope that were compared, with the bytes of the source's objects. */
  compared: tally,
  /** Proven by checksums or ETags, or by the provenance that the bridge wrote. */
  proven: count,
  /** Of the same size, and nothing speaks against them. */
  sameSize: count,
  /** They differ, but were written so shortly before that the bridge may still have them in hand. */
  onTheWay: count,
  outOfScope: count,
  /** Pairs that were read one by one. */
  looked: count,
  missing: tally,
  different: tally,
  extra: tally,
  unread: tally,
  /** Findings of any kind that the bridge leaves alone. */
  leftAlone: count,
});
export type Counts = z.infer<typeof countsSchema>;

export function noCounts(): Counts {
  const none = () => ({ objects: 0, bytes: 0 });
  const findings = { missing: none(), different: none(), extra: none(), unread: none(), leftAlone: 0 };
  return { compared: none(), proven: 0, sameSize: 0, onTheWay: 0, outOfScope: 0, looked: 0, ...findings };
}

/** Adds `other` to `counts`. */
export function addCounts(counts: Counts, other: Counts): void {
  for (const name of Object.keys(counts) as (keyof Counts)[]) {
    const [own, added] = [counts[name], other[name]];
    if (typeof own === "object" && typeof added === "object") {
      own.objects += added.objects;
      own.bytes += added.bytes;
    } else {
      (counts as unknown as Record<string, number>)[name] = (own as number) + (added as number);
    }
  }
}

export function countFinding(counts: Counts, { kind, sizeBytes, leftAlone }: Finding): void {
  counts[kind].objects += 1;
  counts[kind].bytes += sizeBytes;
  if (leftAlone) counts.leftAlone += 1;
}

/** Differences that the bridge should not have left. */
export function faults(counts: Counts): number {
  return KINDS.reduce((sum, kind) => sum + counts[kind].objects, 0) - counts.leftAlone;
}
