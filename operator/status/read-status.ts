/** Reads one key on both sides and returns its replication status. */
import { lookAt } from "../../runtime/replication/destination";
import type { EligibilityRules, ScopeVerdict } from "../../runtime/replication/scope";
import { takeSnapshot } from "../../runtime/replication/snapshot";
import type { OperatedBridge, ParkedKey } from "../operated-bridge";
import { bridgeStatus, nativeStatus, type StatusVerdict } from "../replication-status";
import { isInAnyScope, scopesOf } from "../scopes";
import type { Knowledge } from "./knowledge";

/** The last three are absent if the near side has no such object. */
export interface KeyStatus extends StatusVerdict {
  key: string;
  sizeBytes?: number;
  versionId?: string | undefined;
  lastModified?: string;
}

export type Side = "source" | "destination";

export interface StatusOptions {
  /** The side whose objects are checked: `destination` only in a two-way bridge. */
  side: Side;
  knowledge: Pick<Knowledge, "letters" | "known" | "queued" | "complete">;
  /** Milliseconds since the epoch. */
  now(): number;
  signal: AbortSignal;
}

export type StatusReader = (key: string) => Promise<KeyStatus>;

export function createStatusReader(bridge: OperatedBridge, options: StatusOptions): StatusReader {
  return bridge.config.mode === "native" ? nativeReader(bridge, options) : bridgeReader(bridge, options);
}

function bridgeReader({ config, source, destination }: OperatedBridge, { knowledge, now, signal }: StatusOptions): StatusReader {
  const bridge: EligibilityRules & { bridgeId: string } = {
    bridgeId: config.name,
    scope: config.scope,
    deletes: config.deletes,
    destinationId: `${destination.cloud}:${destination.bucket}`,
  };
  const { known, queued, complete } = knowledge;
  const parked = newestByKey(knowledge.letters);
  return async (key) => {
    const [snapshot, replica] = await Promise.all([
      takeSnapshot(source.store, key, { signal }),
      lookAt(destination.store, destination.keyPrefix + key, signal),
    ]);
    const inHand = { known: known.get(key), queued, complete, nowMs: now() };
    const verdict = bridgeStatus({ bridge, key, snapshot, destination: replica, parked: parked.get(key), inHand });
    return { key, ...verdict, ...described(snapshot) };
  };
}

function nativeReader(bridge: OperatedBridge, { side, signal }: StatusOptions): StatusReader {
  const [near, far] = side === "source" ? [bridge.source, bridge.destination] : [bridge.destination, bridge.source];
  const storeReportsStatus = near.cloud !== "alicloud";
  const scopes = scopesOf(bridge.config);
  return async (key) => {
    const storeKey = near.keyPrefix + key;
    const seen = await near.store.head(storeKey, { signal });
    // A status that the store reports counts, even if the rules have changed since.
    const isIn =
      seen === undefined ||
      seen.replication !== undefined ||
      (await isInAnyScope(near.store, scopes, { key, storeKey, sizeBytes: seen.sizeBytes }, signal));
    // Undefined: the object was deleted before its tags were read.
    const head = isIn === undefined ? undefined : seen;
    const scope: ScopeVerdict = isIn ? { inScope: true } : { inScope: false, reason: "no rule takes such a key in" };
    const replica = storeReportsStatus ? undefined : await far.store.head(far.keyPrefix + key, { signal });
    const verdict = nativeStatus({ source: head, scope, storeReportsStatus, replica });
    return { key, ...verdict, ...described(head) };
  };
}

interface Seen {
  sizeBytes: number;
  versionId?: string | undefined;
  lastModified: string | Date;
}

function described(seen: Seen | undefined): Pick<KeyStatus, "sizeBytes" | "versionId" | "lastModified"> {
  if (seen === undefined) return {};
  const { sizeBytes, versionId, lastModified } = seen;
  return { sizeBytes, lastModified: new Date(lastModified).toISOString(), versionId };
}

/** A letter without a time counts as the newest, because it may be about the current state. */
function newestByKey(letters: readonly ParkedKey[]): ReadonlyMap<string, ParkedKey> {
  const timeOf = ({ parkedAt }: ParkedKey) => parkedAt?.getTime() ?? Number.POSITIVE_INFINITY;
  return new Map([...letters].sort((a, b) => timeOf(a) - timeOf(b)).map((letter) => [letter.key, letter]));
}
