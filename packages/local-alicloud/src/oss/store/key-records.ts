import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { DataFiles } from "./data-files";
import { isDraft, readJson, writeJson } from "./json-file";
import { KeyLock } from "./key-lock";
import { isDeleteMarker, type KeyRecord, type Pending, type Segment, type Version } from "./model";
import { SortedKeys } from "./sorted-keys";

export const segmentsOf = (versions: readonly Version[]): Segment[] =>
  versions.flatMap((version) => (isDeleteMarker(version) ? [] : version.segments));

/** How replication follows the changes of a bucket. */
export interface ReplicationWatch {
  /** Ids of the rules that replicate this version of the key. */
  rulesOf(key: string, version: Version): readonly string[];
  /** Called when replication of the key is pending and stored. */
  onPending(key: string): void;
}

type Change<T> = { versions: readonly Version[]; result: T };

/** The objects of a bucket: records on disk with a copy in memory. A change takes effect when its record is renamed. */
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

  /** Keys with pending replication. */
  pendingKeys(): string[] {
    return [...this.records.values()].filter(({ pending }) => pending !== undefined).map(({ key }) => key);
  }

  /**
   * Replaces the versions of a key, and deletes data that no version uses any more. Calls for one key run one after the other.
   * When `change` throws, nothing changes. Changes by replication are not pending for replication.
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

  /** Marks versions of the key as pending for a rule. */
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

  /** Marks versions of the key as done for a rule. A version that changed since it was `seen` stays pending. */
  settlePending(key: string, rule: string, versionIds: readonly string[], seen: readonly Version[]): Promise<void> {
    return this.lock.run(key, async () => {
      const versions = this.versions(key);
      const named = (of: readonly Version[], versionId: string) => of.find((version) => version.versionId === versionId);
      const done = versionIds.filter((versionId) => named(versions, versionId) === named(seen, versionId));
      await this.store(key, versions, withoutPending(this.records.get(key)?.pending, rule, new Set(done)));
    });
  }

  /** Forgets what is pending for a deleted rule. */
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

/** Pure functions on pending replication. */

/** The versions that a change created or replaced, and those that it removed. */
export function changedVersions(before: readonly Version[], after: readonly Version[]): Version[] {
  const old = new Set(before);
  const left = new Set(after.map(({ versionId }) => versionId));
  return [...after.filter((version) => !old.has(version)), ...before.filter(({ versionId }) => !left.has(versionId))];
}

/** @param rulesOf ids of the rules that replicate a version */
export function withPending(
  pending: Pending | undefined,
  changed: readonly Version[],
  rulesOf: (version: Version) => readonly string[],
): Pending | undefined {
  let all = pending;
  for (const version of changed)
    for (const rule of rulesOf(version)) all = { ...all, [rule]: [...new Set([...(all?.[rule] ?? []), version.versionId])] };
  return all;
}

/** Undefined when nothing is left. */
export function withoutPending(pending: Pending | undefined, rule: string, done: ReadonlySet<string>): Pending | undefined {
  const left = (pending?.[rule] ?? []).filter((versionId) => !done.has(versionId));
  const { [rule]: _done, ...others } = pending ?? {};
  const all = left.length === 0 ? others : { ...others, [rule]: left };
  return Object.keys(all).length === 0 ? undefined : all;
}
