/** The differences that a verification finds, and the file that keeps them. */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import * as z from "zod";
import { UsageError } from "../command";
import { onDisk } from "../disk";
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

/** How much of a file belongs to a run, and what it holds. */
export interface FindingsMark {
  bytes: number;
  /** Of these bytes, in hexadecimal digits. */
  sha256: string;
}

const WRITTEN_AT_ONCE = 1000;

/** One JSON line for each finding. A resumed run cuts off what was written after its last checkpoint, so no finding is there twice. */
export class FindingsFile {
  private readonly hash = createHash("sha256");
  /** Lines that are not written yet, the oldest first. */
  private buffer: string[] = [];
  private writtenBytes = 0;
  private bytes = 0;
  private flushing: Promise<void> = Promise.resolve();

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /**
   * @param mark what an earlier run has written; undefined for a new file
   * @throws UsageError if the file holds other bytes: findings of the run are lost
   */
  static async open(path: string, mark: FindingsMark | undefined): Promise<FindingsFile> {
    await onDisk(path, () => mkdir(dirname(path), { recursive: true }));
    const isNew = mark === undefined || mark.bytes === 0;
    const file = await onDisk(path, () => open(path, isNew ? "w+" : "r+", 0o600)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      throw lost(path);
    });
    const findings = new FindingsFile(path, file);
    if (isNew) return findings;
    const { size } = await file.stat();
    const isWhole = size >= mark.bytes && (await sha256Of(file, mark.bytes, findings.hash)) === mark.sha256;
    if (!isWhole) {
      await file.close();
      throw lost(path);
    }
    await file.truncate(mark.bytes);
    findings.writtenBytes = mark.bytes;
    findings.bytes = mark.bytes;
    return findings;
  }

  /** The file as it is once everything that was appended is written. */
  get mark(): FindingsMark {
    return { bytes: this.bytes, sha256: this.hash.copy().digest("hex") };
  }

  append(findings: readonly Finding[]): void {
    for (const finding of findings) {
      const line = `${JSON.stringify(finding)}\n`;
      this.buffer.push(line);
      this.hash.update(line);
      this.bytes += Buffer.byteLength(line);
    }
  }

  /** Resolves once everything that was appended before is on the disk. After a failure the lines are written by the next call. */
  flush(): Promise<void> {
    this.flushing = this.flushing.catch(() => undefined).then(() => onDisk(this.path, () => this.write()));
    return this.flushing;
  }

  private async write(): Promise<void> {
    if (this.buffer.length === 0) return;
    while (this.buffer.length > 0) {
      const lines = this.buffer.slice(0, WRITTEN_AT_ONCE);
      const bytes = Buffer.from(lines.join(""));
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.file.write(bytes, done, bytes.length - done, this.writtenBytes + done);
        done += bytesWritten;
      }
      this.writtenBytes += bytes.length;
      this.buffer = this.buffer.slice(lines.length);
    }
    await this.file.datasync();
  }

  /**
   * Every finding, in the order in which they were found.
   * @throws UsageError before the first one if another program has changed the file
   */
  async *read(): AsyncGenerator<Finding> {
    await this.flush();
    const { bytes, sha256 } = this.mark;
    const { size } = await this.file.stat();
    if (size !== bytes || (await sha256Of(this.file, bytes)) !== sha256) throw changed(this.path);
    if (bytes === 0) return;
    for await (const line of linesOf(this.file.createReadStream({ start: 0, end: bytes - 1, autoClose: false })))
      yield findingSchema.parse(JSON.parse(line));
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}

/** @param hash gets the bytes */
async function sha256Of(file: FileHandle, bytes: number, hash: Hash = createHash("sha256")): Promise<string> {
  if (bytes === 0) return hash.copy().digest("hex");
  for await (const chunk of file.createReadStream({ start: 0, end: bytes - 1, autoClose: false })) hash.update(chunk as Buffer);
  return hash.copy().digest("hex");
}

function lost(path: string): UsageError {
  return new UsageError(
    `${path} has lost differences that an earlier run found; delete the checkpoint to begin anew, or name another one with --checkpoint`,
  );
}

function changed(path: string): UsageError {
  return new UsageError(
    `${path} was changed by another program while this verification wrote to it: run it again, with a file of its own in --out`,
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
