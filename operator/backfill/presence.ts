/** Whether an object is at the destination already, in every mode. */
import type { ObjectSnapshot } from "../../runtime/protocol/snapshot";
import { firstDifference } from "../../runtime/replication/equality";
import { genuineMetadata, readProvenance } from "../../runtime/replication/provenance";
import type { ObjectHead } from "../../runtime/stores/object-store";
import type { OperatedBridge } from "../operated-bridge";
import { isNativeReplica } from "../replication-status";
import type { Verdict } from "./examine";

export type Presence = (key: string, signal: AbortSignal) => Promise<Verdict>;

type Sides = Pick<OperatedBridge, "config" | "source" | "destination">;

export function presenceOf(bridge: Sides): Presence {
  const judge = bridge.config.mode === "native" ? nativeVerdict : bridgeVerdict;
  return async (key, signal) => {
    const head = await bridge.source.store.head(key, { signal });
    return head === undefined ? { outcome: "gone" } : judge(bridge, key, head, signal);
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-status.html */
async function nativeVerdict(bridge: Sides, key: string, head: ObjectHead, signal: AbortSignal): Promise<Verdict> {
  switch (head.replication) {
    case "PENDING":
    case "COMPLETED":
    case "REPLICA":
      return { outcome: "present" };
    case "FAILED":
      return { outcome: "due", etag: head.etag };
    case undefined:
      break;
  }
  // S3 says of each object whether it was replicated, so one that has nothing to say was not. OSS never says it.
  if (bridge.config.source.cloud !== "alicloud") return { outcome: "due", etag: head.etag };
  const replica = await atDestination(bridge, key, signal);
  return replica !== undefined && isNativeReplica(head, replica) ? { outcome: "present" } : { outcome: "due", etag: head.etag };
}

/** Tags are left out: reading them would double the requests, and a change of tags alone comes with an event of its own. */
async function bridgeVerdict(bridge: Sides, key: string, head: ObjectHead, signal: AbortSignal): Promise<Verdict> {
  const { config } = bridge;
  const metadata = genuineMetadata(head.metadata, key);
  // A replica that came from the destination is never sent back to it.
  if (readProvenance(metadata)?.origin === `${config.destination.cloud}:${config.destination.bucket}`)
    return { outcome: "outOfScope" };
  const replica = await atDestination(bridge, key, signal);
  if (replica === undefined) return { outcome: "due", etag: head.etag };
  const shared = head.checksums.find(({ algorithm }) => replica.checksums.some((held) => held.algorithm === algorithm));
  const snapshot: ObjectSnapshot = {
    ...(head.versionId === undefined ? {} : { versionId: head.versionId }),
    etag: head.etag,
    sizeBytes: head.sizeBytes,
    lastModified: head.lastModified.toISOString(),
    headers: head.headers,
    metadata,
    tags: {},
    ...(shared === undefined ? {} : { checksum: shared }),
  };
  const destinationMetadata = genuineMetadata(replica.metadata, bridge.destination.keyPrefix + key);
  const state = { head: { ...replica, metadata: destinationMetadata }, tags: {} };
  return firstDifference(snapshot, state, { bridgeId: config.name }) === undefined
    ? { outcome: "present" }
    : { outcome: "due", etag: head.etag };
}

function atDestination({ destination }: Sides, key: string, signal: AbortSignal): Promise<ObjectHead | undefined> {
  return destination.store.head(destination.keyPrefix + key, { signal });
}
