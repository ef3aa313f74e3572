import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DataFiles } from "./data-files";
import { readJson, writeJson } from "./json-file";
import { KeyRecords, segmentsOf } from "./key-records";
import type { BucketRecord } from "./model";
import { UploadRecords } from "./upload-records";

const HEAD = "bucket.json";

export class Bucket {
  private readonly folder: string;
  private current: BucketRecord;
  readonly data: DataFiles;
  readonly keys: KeyRecords;
  readonly uploads: UploadRecords;

  private constructor(folder: string, record: BucketRecord, data: DataFiles, keys: KeyRecords, uploads: UploadRecords) {
    this.folder = folder;
    this.current = record;
    this.data = data;
    this.keys = keys;
    this.uploads = uploads;
  }

  static async open(folder: string): Promise<Bucket> {
    const record = await readJson<BucketRecord>(join(folder, HEAD));
    const data = new DataFiles(join(folder, "data"));
    const keys = await KeyRecords.load(join(folder, "objects"), data);
    const kept = new Set<string>();
    for (const key of keys.sorted.from("")) for (const { file } of segmentsOf(keys.versions(key))) kept.add(file);
    const uploads = await UploadRecords.load(join(folder, "uploads"), data, kept);
    for (const upload of uploads.all())
      for (const part of Object.values(upload.parts)) for (const { file } of part.segments) kept.add(file);
    await data.sweep(kept);
    return new Bucket(folder, record, data, keys, uploads);
  }

  static async create(folder: string, record: BucketRecord): Promise<Bucket> {
    await writeJson(join(folder, HEAD), record);
    return Bucket.open(folder);
  }

  get record(): Readonly<BucketRecord> {
    return this.current;
  }

  get name(): string {
    return this.current.name;
  }

  async configure(change: Partial<BucketRecord>): Promise<void> {
    const next = { ...this.current, ...change };
    await writeJson(join(this.folder, HEAD), next);
    this.current = next;
  }

  /** Takes settings back to unset. */
  async unset(...names: ("policy" | "encryption" | "tlsVersions")[]): Promise<void> {
    const next = { ...this.current };
    for (const name of names) delete next[name];
    await writeJson(join(this.folder, HEAD), next);
    this.current = next;
  }

  get isEmpty(): boolean {
    return this.keys.sorted.size === 0 && ![...this.uploads.all()].length;
  }

  async destroy(): Promise<void> {
    // The head goes first: a folder without one is no bucket to the next start.
    await rm(join(this.folder, HEAD));
    await rm(this.folder, { recursive: true });
  }
}
