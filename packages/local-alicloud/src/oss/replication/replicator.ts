import { randomBytes } from "node:crypto";
import type { OssHooks, Principal } from "../contracts";
import { ossEvent } from "../event";
import type { Bucket } from "../store/bucket";
import type { DiskStore } from "../store/disk-store";
import type { ReplicationRule } from "../store/model";
import { type KeyTask, replicateKey } from "./replicate-key";
import { type Permit, permitOf, type Roles } from "./role";
import { WorkQueue } from "./work-queue";

export interface ReplicatorOptions extends Roles {
  store: DiskStore;
  hooks: OssHooks;
  /** Wait before work that a role had no permission for is tried again. A change of permissions is not announced. */
  retryMs: number;
  /** How long a new rule is `starting`, and a deleted one `closing`. */
  stateMs: number;
  onFailure: (error: unknown, what: string) => void;
}

const PARALLEL = 4;

/** Work is identified by `<bucket>:<kind>:<key or rule id>`. The name of a bucket has no colon. */
type Work = "key" | "list" | "close";
const nameOf = (bucket: string, work: Work, what: string) => `${bucket}:${work}:${what}`;

/**
 * Data replication between buckets. The records of the keys say what is pending, so that a restart goes on with it; the queue here holds
 * only the names of that work. https://www.alibabacloud.com/help/en/oss/user-guide/cross-region-replication-overview/
 */
export class Replicator {
  private readonly queue = new WorkQueue((name) => this.run(name), PARALLEL);
  private readonly refused = new Set<string>();
  private readonly roles = new Map<string, Principal | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private readonly closing = new Set<NodeJS.Timeout>();

  constructor(private readonly options: ReplicatorOptions) {
    options.store.watchedBy((bucket, key) => this.queue.add(nameOf(bucket.name, "key", key)));
  }

  get stateMs(): number {
    return this.options.stateMs;
  }

  /** Queues the work that the last process left. */
  start(): void {
    for (const bucket of this.options.store.all()) {
      for (const rule of bucket.rules) {
        if (rule.status === "closing") this.queue.add(nameOf(bucket.name, "close", rule.id));
        else this.begin(bucket, rule);
      }
      for (const key of bucket.keys.pendingKeys()) this.queue.add(nameOf(bucket.name, "key", key));
    }
  }

  /** Starts a rule that is stored. */
  begin(bucket: Bucket, { id, historical }: ReplicationRule): void {
    if (historical !== undefined && historical.count === undefined) this.queue.add(nameOf(bucket.name, "list", id));
  }

  /** Removes a rule after `stateMs`, and after work of the bucket that is running. Resolves at once when there is something to wait for. */
  async close(bucket: Bucket, { id }: ReplicationRule): Promise<void> {
    const name = nameOf(bucket.name, "close", id);
    if (this.stateMs > 0) {
      const timer = setTimeout(() => {
        this.closing.delete(timer);
        this.queue.add(name);
      }, this.stateMs);
      this.closing.add(timer.unref());
      return;
    }
    const busy = this.underWay(bucket).length > 0;
    this.queue.add(name);
    if (!busy) await this.queue.active.get(name);
  }

  /** Tries refused work again, and resolves when the queue is empty. */
  async settled(): Promise<void> {
    this.retry();
    await this.queue.whenIdle();
  }

  async stop(): Promise<void> {
    for (const timer of this.closing) clearTimeout(timer);
    await this.queue.stop();
    clearTimeout(this.timer);
  }

  private underWay(bucket: Bucket): Promise<void>[] {
    const others = [...this.queue.active].filter(
      ([name]) => name.startsWith(`${bucket.name}:`) && !name.startsWith(nameOf(bucket.name, "close", "")),
    );
    return others.map(([, running]) => running);
  }

  private async run(name: string): Promise<void> {
    const [bucketName = "", work = ""] = name.split(":", 2);
    const what = name.slice(bucketName.length + work.length + 2);
    const bucket = this.options.store.find(bucketName);
    if (bucket === undefined) return;
    try {
      if (work === "close") await this.finish(bucket, what);
      else {
        const done = work === "list" ? await this.list(bucket, what) : await this.replicate(bucket, what);
        if (!done) this.later(name);
      }
    } catch (error) {
      this.options.onFailure(error, `the replication of ${name}`);
      this.later(name);
    }
    if (this.queue.active.size === 1) this.roles.clear();
  }

  private later(name: string): void {
    this.refused.add(name);
    this.timer ??= setTimeout(() => this.retry(), this.options.retryMs).unref();
  }

  private retry(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const names = [...this.refused];
    this.refused.clear();
    for (const name of names) this.queue.add(name);
  }

  /** Marks every object that is older than the rule as pending. */
  private async list(bucket: Bucket, id: string): Promise<boolean> {
    const rule = bucket.rules.find((one) => one.id === id);
    if (rule?.status !== "doing" || rule.historical?.count !== undefined) return true;
    if (!this.permit(rule, bucket)("oss:ReplicateList", bucket)) return false;
    let count = 0;
    for (const key of [...bucket.keys.sorted.from("")]) {
      if (rule.prefixes.length > 0 && !rule.prefixes.some((prefix) => key.startsWith(prefix))) continue;
      count += bucket.keys.versions(key).filter(({ replicaOf }) => replicaOf === undefined).length;
      await bucket.keys.markPending(key, id, ({ replicaOf }) => replicaOf === undefined);
    }
    await bucket.configure((record) => ({
      replication: (record.replication ?? []).map((one) => (one.id === id ? { ...one, historical: { count } } : one)),
    }));
    return true;
  }

  private async replicate(source: Bucket, key: string): Promise<boolean> {
    let complete = true;
    for (const [id, versionIds] of Object.entries(source.keys.pending(key))) {
      const rule = source.rules.find((one) => one.id === id);
      if (rule?.status !== "doing") {
        await source.keys.dropPending(key, id);
        continue;
      }
      const destination = this.options.store.find(rule.destination.bucket);
      const seen = source.keys.versions(key);
      const done =
        destination === undefined ? [] : await replicateKey(this.task(source, destination, rule, key), versionIds, seen);
      await source.keys.settlePending(key, id, done, seen);
      complete &&= done.length === versionIds.length;
    }
    return complete;
  }

  /** Deletes a rule after all running work of its bucket. */
  private async finish(bucket: Bucket, id: string): Promise<void> {
    await Promise.all(this.underWay(bucket));
    for (const key of bucket.keys.pendingKeys()) await bucket.keys.dropPending(key, id);
    await bucket.configure(({ replication = [] }) => ({ replication: replication.filter((rule) => rule.id !== id) }));
  }

  private permit(rule: ReplicationRule, source: Bucket): Permit {
    const { assumeRole } = this.options;
    // A role is assumed once until the queue is empty; its session lasts longer.
    const assumed = (roleArn: string) => {
      if (!this.roles.has(roleArn)) this.roles.set(roleArn, assumeRole?.(roleArn));
      return this.roles.get(roleArn);
    };
    return permitOf(rule, source, { ...this.options, assumeRole: assumeRole && assumed });
  }

  private task(source: Bucket, destination: Bucket, rule: ReplicationRule, key: string): KeyTask {
    const { now, hooks } = this.options;
    const emit: KeyTask["emit"] = (eventName, object) => {
      const requestId = randomBytes(12).toString("hex").toUpperCase();
      const cause = { at: now(), requestId, sourceIp: "", accountId: source.record.ownerId };
      hooks.onEvent?.(ossEvent(eventName, destination.record, object, cause));
    };
    return { source, destination, key, rule, permit: this.permit(rule, source), emit };
  }
}
