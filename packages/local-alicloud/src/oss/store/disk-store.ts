import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Bucket } from "./bucket";
import { readJson, writeJson } from "./json-file";
import { KeyLock } from "./key-lock";
import type { BucketRecord } from "./model";

interface Accounts {
  blockPublicAccess: readonly string[];
}

/** The buckets of all regions. Their names are unique across regions. */
export class DiskStore {
  private readonly folder: string;
  private readonly buckets = new Map<string, Bucket>();
  /** Ids of the accounts that block public access to all of their buckets. */
  private blocking: readonly string[] = [];
  private readonly lock = new KeyLock();
  private onPending: (bucket: Bucket, key: string) => void = () => {};

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Only one process may have a folder open. */
  static async open(folder: string): Promise<DiskStore> {
    const store = new DiskStore(folder);
    // Objects may be private, and the machine may have other users.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (existsSync(join(path, "bucket.json"))) store.keep(await Bucket.open(path));
      else await rm(path, { recursive: true });
    }
    if (existsSync(store.accountsFile)) store.blocking = (await readJson<Accounts>(store.accountsFile)).blockPublicAccess;
    return store;
  }

  /** Calls `onPending` for every key that has pending replication. */
  watchedBy(onPending: (bucket: Bucket, key: string) => void): void {
    this.onPending = onPending;
  }

  private keep(bucket: Bucket): void {
    bucket.watchedBy((key) => this.onPending(bucket, key));
    this.buckets.set(bucket.name, bucket);
  }

  private get accountsFile(): string {
    return join(dirname(this.folder), "accounts.json");
  }

  blocksPublicAccess(accountId: string): boolean {
    return this.blocking.includes(accountId);
  }

  /** Turns Block Public Access of all buckets of an account on or off. */
  setPublicAccessBlock(accountId: string, on: boolean): Promise<void> {
    return this.lock.run(this.accountsFile, async () => {
      const others = this.blocking.filter((id) => id !== accountId);
      const blockPublicAccess = on ? [...others, accountId] : others;
      await writeJson(this.accountsFile, { blockPublicAccess } satisfies Accounts);
      this.blocking = blockPublicAccess;
    });
  }

  find(name: string): Bucket | undefined {
    return this.buckets.get(name);
  }

  all(): Bucket[] {
    return [...this.buckets.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Returns the existing bucket or the new one. */
  create(record: BucketRecord): Promise<{ bucket: Bucket; created: boolean }> {
    return this.lock.run(record.name, async () => {
      const existing = this.buckets.get(record.name);
      if (existing !== undefined) return { bucket: existing, created: false };
      const bucket = await Bucket.create(join(this.folder, record.name), record);
      this.keep(bucket);
      return { bucket, created: true };
    });
  }

  /** False when the bucket is not empty. */
  remove(bucket: Bucket): Promise<boolean> {
    return this.lock.run(bucket.name, async () => {
      if (!bucket.isEmpty) return false;
      this.buckets.delete(bucket.name);
      await bucket.destroy();
      return true;
    });
  }
}
