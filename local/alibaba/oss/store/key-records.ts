import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DataFiles } from "./data-files";
import { isDraft, readJson, writeJson } from "./json-file";
import { KeyLock } from "./key-lock";
import { isDeleteMarker, type KeyRecord, type Segment, type Version } from "./model";
import { SortedKeys } from "./sorted-keys";

export const segmentsOf = (versions: readonly Version[]): Segment[] =>
  versions.flatMap((version) => (isDeleteMarker(version) ? [] : version.segments));

/** The objects of a bucket: records on disk, mirrored in memory; the rename of a record is the moment of a change. */
export class KeyRecords {
  private readonly lock = new KeyLock();
  private readonly folder: string;
  private readonly data: DataFiles;
  private readonly records: Map<string, KeyRecord>;
  readonly sorted: SortedKeys;

  private constructor(folder: string, data: DataFiles, records: Map<string, KeyRecord>) {
    this.folder = folder;
    this.data = data;
    this.records = records;
    this.sorted = new SortedKeys(records.keys());
  }

  static async load(folder: string, data: DataFiles): Promise<KeyRecords> {
    const records = new Map<string, KeyRecord>();
    await mkdir(folder, { recursive: true });
    for (const shard of await readdir(folder))
      for (const name of await readdir(join(folder, shard))) {
        const path = join(folder, shard, name);
        if (isDraft(name)) await rm(path);
        else {
          const record = await readJson<KeyRecord>(path);
          records.set(record.key, record);
        }
      }
    return new KeyRecords(folder, data, records);
  }

  versions(key: string): readonly Version[] {
    return this.records.get(key)?.versions ?? [];
  }

  /**
   * Replaces the versions of a key; calls for one key wait for each other. Data that no version names any more is deleted.
   * When `change` throws nothing happens.
   */
  update<T>(
    key: string,
    change: (
      versions: readonly Version[],
    ) => { versions: readonly Version[]; result: T } | Promise<{ versions: readonly Version[]; result: T }>,
  ): Promise<T> {
    return this.lock.run(key, async () => {
      const before = this.versions(key);
      const { versions, result } = await change(before);
      if (versions === before) return result;
      await this.store(key, versions);
      const kept = new Set(segmentsOf(versions).map(({ file }) => file));
      await this.data.remove(segmentsOf(before).filter(({ file }) => !kept.has(file)));
      return result;
    });
  }

  private async store(key: string, versions: readonly Version[]): Promise<void> {
    const name = createHash("sha256").update(key).digest("hex");
    const path = join(this.folder, name.slice(0, 2), `${name}.json`);
    if (versions.length === 0) {
      await rm(path, { force: true });
      this.records.delete(key);
      this.sorted.delete(key);
    } else {
      const record: KeyRecord = { key, versions: [...versions] };
      await writeJson(path, record);
      this.records.set(key, record);
      this.sorted.add(key);
    }
  }
}
