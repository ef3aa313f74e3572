/** Groups keys that have not arrived by their reason. Memory holds a bounded number of groups. */
import type { ObjectStatus } from "../replication-status";
import { generalised } from "../text";
import type { KeyStatus } from "./read-status";

export interface ReasonGroup {
  status: ObjectStatus;
  reason: string;
  place?: string | undefined;
  store?: string | undefined;
  objects: number;
  /** One of the keys. */
  example: string;
  /** The longest wait and the most failures of a key, and the earliest next try. */
  sinceMs?: number | undefined;
  failures: number;
  nextTryMs?: number | undefined;
  /** How many of them are in the outage queue. */
  held: number;
}

const MAX_GROUPS = 100;
const OTHER = "other reasons";
const WITH_REASON: ReadonlySet<ObjectStatus> = new Set(["PENDING", "FAILED", "NONE"]);

export class ReasonGroups {
  readonly #groups = new Map<string, ReasonGroup>();

  add({ key, status, reason = "no reason is known", progress }: KeyStatus): void {
    if (!WITH_REASON.has(status)) return;
    const { place, store } = progress ?? {};
    const text = generalised(reason);
    const name = JSON.stringify([status, place, store, text]);
    const known = this.#groups.has(name) || this.#groups.size < MAX_GROUPS;
    const id = known ? name : OTHER;
    const group = this.#groups.get(id) ?? {
      ...(known ? { status, reason: text, place, store } : { status, reason: OTHER }),
      ...{ objects: 0, example: key, failures: 0, held: 0 },
    };
    group.objects += 1;
    group.failures = Math.max(group.failures, progress?.failures ?? 0);
    group.sinceMs = earliest(group.sinceMs, progress?.sinceMs);
    group.nextTryMs = earliest(group.nextTryMs, progress?.nextTryMs);
    if (progress?.state === "held") group.held += 1;
    this.#groups.set(id, group);
  }

  /** The largest first. */
  list(): ReasonGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.objects - a.objects || (a.reason < b.reason ? -1 : 1));
  }
}

const earliest = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
