import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DataFiles } from "./data-files";
import { isDraft, readJson, writeJson } from "./json-file";
import { KeyLock } from "./key-lock";
import { isDeleteMarker, type KeyRecord, type Pending, type Segment, type Version } from "./model";
import { changedVersions, withoutPending, withPending } from "./pending";
import { SortedKeys } from "./sorted-keys";

export const segmentsOf = (versions: readonly Version[]): Segment[] =>
  versions.flatMap((version) => (isDeleteMarker(version) ? [] : version.segments));

/** What replication wants to know of a bucket's changes. */
export interface ReplicationWatch {
  /** Ids of the rules that a version of the key concerns. */
  rulesOf(key: string, version: Version): readonly string[];
  /** Something is pending for the key, and durable. */
  onPending(key: string): void;
}

type Change<T> = { versions: readonly Version[]; result: T };

/** The objects of a bucket: records on disk, mirrored in memory; the rename of a record is the moment of a change. */
export class KeyRecords {
  private readonly lock = new KeyLock();
  private readonly folder: string;
  private readonly data: DataFiles;
  private readonly records: Map<string, KeyRecord>;
  private watch: ReplicationWatch = { rulesOf: () => [], onPending: () => {} };
  /** The keys that have a version. */
  readonly sorted: SortedKeys;

  private constructor(folder: string, data: DataFiles, records: Map<string, KeyRecord>) {
    this.folder = folder;
    this.data = data;
    this.records = records;
    this.sorted = new SortedKeys([...records.values()].filter(({ versions }) => versions.length > 0).map(({ key }) => key));
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

  watchedBy(watch: ReplicationWatch): void {
    this.watch = watch;
  }

  versions(key: string): readonly Version[] {
    return this.records.get(key)?.versions ?? [];
  }

  pending(key: string): Pending {
    return this.records.get(key)?.pending ?? {};
  }

  /** Keys for which something is pending. */
  pendingKeys(): string[] {
    return [...this.records.values()].filter(({ pending }) => pending !== undefined).map(({ key }) => key);
  }

  /**
   * Replaces the versions of a key; calls for one key wait for each other. Data that no version names any more is deleted.
   * When `change` throws nothing happens. What replication itself writes is not replicated on.
   */
  update<T>(
    key: string,
    change: (versions: readonly Version[]) => Change<T> | Promise<Change<T>>,
    { byReplication = false } = {},
  ): Promise<T> {
    return this.lock.run(key, async () => {
      const before = this.versions(key);
      const { versions, result } = await change(before);
      if (versions === before) return result;
      const known = this.records.get(key)?.pending;
      const changed = byReplication ? [] : changedVersions(before, versions);
      const pending = withPending(known, changed, (version) => this.watch.rulesOf(key, version));
      await this.store(key, versions, pending);
      const kept = new Set(segmentsOf(versions).map(({ file }) => file));
      await this.data.remove(segmentsOf(before).filter(({ file }) => !kept.has(file)));
      if (pending !== known) this.watch.onPending(key);
      return result;
    });
  }

  /** Has a rule look at these versions of the key. */
  markPending(key: string, rule: string, wanted: (version: Version) => boolean): Promise<void> {
    return this.lock.run(key, async () => {
      const versions = this.versions(key);
      const known = this.records.get(key)?.pending;
      const pending = withPending(known, versions.filter(wanted), () => [rule]);
      if (pending === known) return;
      await this.store(key, versions, pending);
      this.watch.onPending(key);
    });
  }

  /** Says that a rule looked at versions of the key. One that changed since it was `seen` stays pending. */
  settlePending(key: string, rule: string, versionIds: readonly string[], seen: readonly Version[]): Promise<void> {
    return this.lock.run(key, async () => {
      const versions = this.versions(key);
      const named = (of: readonly Version[], versionId: string) => of.find((version) => version.versionId === versionId);
      const done = versionIds.filter((versionId) => named(versions, versionId) === named(seen, versionId));
      await this.store(key, versions, withoutPending(this.records.get(key)?.pending, rule, new Set(done)));
    });
  }

  /** For a rule that is gone. */
  dropPending(key: string, rule: string): Promise<void> {
    return this.lock.run(key, async () => {
      const ids = new Set(this.pending(key)[rule]);
      if (ids.size > 0) await this.store(key, this.versions(key), withoutPending(this.pending(key), rule, ids));
    });
  }

  private async store(key: string, versions: readonly Version[], pending: Pending | undefined): Promise<void> {
    const name = createHash("sha256").update(key).digest("hex");
    const path = join(this.folder, name.slice(0, 2), `${name}.json`);
    if (versions.length === 0 && pending === undefined) {
      await rm(path, { force: true });
      this.records.delete(key);
    } else {
      const record: KeyRecord = { key, versions: [...versions], ...(pending === undefined ? {} : { pending }) };
      await writeJson(path, record);
      this.records.set(key, record);
    }
    if (versions.length === 0) this.sorted.delete(key);
    else this.sorted.add(key);
  }
}
