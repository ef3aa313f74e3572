import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DataFiles } from "./data-files";
import { readJson, writeJson } from "./json-file";
import { KeyLock } from "./key-lock";
import { KeyRecords, segmentsOf } from "./key-records";
import type { BucketRecord, ReplicationRule, Version } from "./model";
import { UploadRecords } from "./upload-records";

const HEAD = "bucket.json";

export class Bucket {
  private readonly folder: string;
  private readonly settings = new KeyLock();
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

  /** Changes settings. Concurrent changes run one after the other, so that none overwrites another. */
  configure(change: Partial<BucketRecord> | ((record: Readonly<BucketRecord>) => Partial<BucketRecord>)): Promise<void> {
    return this.replace((record) => ({ ...record, ...(typeof change === "function" ? change(record) : change) }));
  }

  /** Removes settings. */
  unset(
    ...names: ("policy" | "policyText" | "encryption" | "tlsVersions" | "cipherSuite" | "lifecycle" | "transferAcceleration")[]
  ): Promise<void> {
    return this.replace((record) => {
      const next = { ...record };
      for (const name of names) delete next[name];
      return next;
    });
  }

  private replace(change: (record: BucketRecord) => BucketRecord): Promise<void> {
    return this.settings.run(HEAD, async () => {
      const next = change(this.current);
      await writeJson(join(this.folder, HEAD), next);
      this.current = next;
    });
  }

  get rules(): readonly ReplicationRule[] {
    return this.current.replication ?? [];
  }

  /** Calls `onPending` for every key that has pending replication. */
  watchedBy(onPending: (key: string) => void): void {
    this.keys.watchedBy({
      rulesOf: (key, version) => this.rules.filter((rule) => concerns(rule, key, version)).map(({ id }) => id),
      onPending,
    });
  }

  get isEmpty(): boolean {
    return this.keys.sorted.size === 0 && ![...this.uploads.all()].length;
  }

  async destroy(): Promise<void> {
    // Remove bucket.json first: a folder without it is not a bucket at the next start.
    await rm(join(this.folder, HEAD));
    await rm(this.folder, { recursive: true });
  }
}

const concerns = ({ status, prefixes, destination }: ReplicationRule, key: string, { replicaOf }: Version): boolean =>
  status === "doing" &&
  (prefixes.length === 0 || prefixes.some((prefix) => key.startsWith(prefix))) &&
  // A replica is replicated only back to the bucket it came from.
  // https://www.alibabacloud.com/help/en/oss/user-guide/data-replication-troubleshooting
  (replicaOf === undefined || replicaOf === destination.bucket);
