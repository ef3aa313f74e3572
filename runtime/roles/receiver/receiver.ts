/**
 * The receiver's role: makes the destination equal to each notice and answers one receipt for each. Knows no HTTP and no vendor.
 */
import pLimit from "p-limit";
import { inControlPrefix } from "../../protocol/control";
import type { ReceiverConfig } from "../../protocol/env";
import type { Notice, Receipt, ReplicationRequest } from "../../protocol/messages";
import type { Clock, CopyLauncher, Deadline, Logger, SourceReader } from "../../protocol/ports";
import { decide, type Plan, type PresentNotice } from "../../replication/decide";
import { lookAt } from "../../replication/destination";
import type { DestinationState } from "../../replication/equality";
import { createLeaseStore, type HeldLease, isLive, type LeaseStore } from "../../replication/lease";
import { snapshotId } from "../../replication/snapshot";
import { deleteObject, writeObject, writeTags } from "../../replication/write";
import { BridgeError, isPermanent, mayStillLand } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";

export interface ReceiverDeps {
  config: Pick<ReceiverConfig, "bridgeId" | "sourceId" | "destinationPrefix" | "inlineLimitBytes">;
  destination: ObjectStore;
  reader: SourceReader;
  launcher: CopyLauncher;
  clock: Clock;
  logger: Logger;
  newId(): string;
  /** Where leases are kept; in the destination store when absent. */
  leases?: LeaseStore;
}

/** Notices worked on side by side: enough to hide round trips, few enough for the memory of a small function. */
const SIDE_BY_SIDE = 8;
/** No item is started later than this before the hard end: an answer must still get out. */
const LAST_START_MS = 3_000;
/** Work in flight is given up this long before the hard end. */
const ANSWER_MS = 1_500;
/** An accepted asynchronous start that has not begun by then never will. */
const START_GRACE_MS = 120_000;

export type Receiver = (request: ReplicationRequest, context: Deadline) => Promise<Receipt[]>;

export function createReceiver(deps: ReceiverDeps): Receiver {
  const leases = deps.leases ?? createLeaseStore(deps.destination, deps.config.bridgeId);
  const bridge = { bridgeId: deps.config.bridgeId, sourceId: deps.config.sourceId };

  return async (request, context) => {
    const limit = pLimit(SIDE_BY_SIDE);
    const giveUp = deps.clock.after(context.remainingMs() - ANSWER_MS);
    return await Promise.all(request.notices.map((notice) => limit(() => receipt(notice, context, giveUp))));
  };

  async function receipt(notice: Notice, context: Deadline, signal: AbortSignal): Promise<Receipt> {
    if (context.remainingMs() < LAST_START_MS) {
      return { key: notice.key, result: "retry", reason: "the receiver ran out of time before this item" };
    }
    try {
      const result = await replicate(notice, signal);
      deps.logger.info("notice", { key: notice.key, ...result });
      return { key: notice.key, ...result };
    } catch (error) {
      const result = failureReceipt(error, signal);
      deps.logger.warn("notice failed", { key: notice.key, ...result, error });
      return { key: notice.key, ...result };
    }
  }

  async function replicate(notice: Notice, signal: AbortSignal): Promise<Omit<Receipt, "key">> {
    const { destination, reader, clock, config } = deps;
    const key = config.destinationPrefix + notice.key;
    assertReplicable(notice, key);
    reader.assertAllowed(notice.url);

    // One after the other: a copy writes before its lease is over, so only a look that follows the one at the lease has seen it all.
    const held = await leases.read(key, signal);
    const seen = await lookAt(destination, key, signal);
    const plan = decide({
      notice,
      destination: seen,
      lease: held?.lease,
      nowMs: clock.now(),
      bridge,
      inlineLimitBytes: config.inlineLimitBytes,
    });
    return await carryOut(plan, notice, key, seen, held, signal);
  }

  async function carryOut(
    plan: Plan,
    notice: Notice,
    key: string,
    seen: DestinationState | undefined,
    held: HeldLease | undefined,
    signal: AbortSignal,
  ): Promise<Omit<Receipt, "key">> {
    const write = { store: deps.destination, reader: deps.reader, bridge, key, seen, signal };
    switch (plan.step) {
      case "wait":
        return { result: "in-progress" };
      case "stop-copy":
        if (held && !held.lease.stop) await leases.write({ ...held.lease, stop: true }, held, signal);
        return { result: "in-progress", reason: "an older copy of this key is being stopped" };
      case "report":
        if (held) await leases.write({ ...held.lease, reported: true }, held, signal);
        return {
          result: plan.outcome.result === "rejected" ? "rejected" : "retry",
          ...(plan.outcome.reason === undefined ? {} : { reason: plan.outcome.reason }),
        };
      case "copy":
        return await startCopy(plan.notice, key, held, signal);
      case "unchanged":
        await clear(held, key, signal);
        return { result: "unchanged", ...(plan.reason === undefined ? {} : { reason: plan.reason }) };
      case "tag":
        await clear(held, key, signal);
        return await writeTags(write, plan.notice);
      case "write":
        await clear(held, key, signal);
        return await writeObject(write, plan.notice);
      case "delete":
        await clear(held, key, signal);
        return await deleteObject(write, notice);
    }
  }

  async function startCopy(
    notice: PresentNotice,
    key: string,
    held: HeldLease | undefined,
    signal: AbortSignal,
  ): Promise<Omit<Receipt, "key">> {
    const id = snapshotId(notice.snapshot);
    const resumable =
      held?.lease.snapshotId === id && held.lease.outcome?.result !== "replicated" ? held.lease.upload : undefined;
    if (resumable === undefined) await abandonUpload(held, key, signal);
    const execution = deps.newId();
    const written = await leases.write(
      {
        version: 1,
        key,
        execution,
        snapshotId: id,
        leaseUntilMs: deps.clock.now() + START_GRACE_MS,
        stop: false,
        ...(resumable === undefined ? {} : { upload: resumable }),
        reported: false,
      },
      held,
      signal,
    );
    // Somebody else was faster; which copy runs now is for the next ask to see.
    if (written === undefined) return { result: "in-progress" };
    await deps.launcher.start({ execution, key, url: notice.url, snapshot: notice.snapshot });
    return { result: "in-progress" };
  }

  /** A lease that is over has no more to say: fence what it left behind and remove it. */
  async function clear(held: HeldLease | undefined, key: string, signal: AbortSignal): Promise<void> {
    if (held === undefined || isLive(held.lease, deps.clock.now())) return;
    await abandonUpload(held, key, signal);
    await leases.remove(held, signal);
  }

  /** Without its upload, not even a copier that outlived everything can complete. */
  async function abandonUpload(held: HeldLease | undefined, key: string, signal: AbortSignal): Promise<void> {
    const lease = held?.lease;
    if (lease?.upload === undefined || lease.outcome?.result === "replicated" || lease.outcome?.result === "superseded") return;
    await deps.destination.abortUpload(key, lease.upload.uploadId, { signal });
  }

  function assertReplicable(notice: Notice, key: string): void {
    const { capabilities } = deps.destination;
    const keyBytes = Buffer.byteLength(key);
    if (inControlPrefix(notice.key) || inControlPrefix(key)) {
      throw new BridgeError("Invalid", "receive", "the key lies under the bridge's own control prefix");
    }
    if (keyBytes > capabilities.maxKeyBytes) {
      throw new BridgeError(
        "Invalid",
        "receive",
        `the destination key would have ${keyBytes} bytes, the store allows ${capabilities.maxKeyBytes}: shorten the destination prefix or the key`,
      );
    }
    if (notice.state === "present" && notice.snapshot.sizeBytes > capabilities.maxPartSizeBytes * capabilities.maxParts) {
      throw new BridgeError(
        "Invalid",
        "receive",
        `the object has ${notice.snapshot.sizeBytes} bytes, more than the destination can hold`,
      );
    }
  }
}

function failureReceipt(error: unknown, signal: AbortSignal): Omit<Receipt, "key"> {
  if (signal.aborted) return { result: "retry", reason: "the receiver ran out of time on this item", unsettled: true };
  if (isPermanent(error)) return { result: "rejected", reason: error.message };
  const reason = error instanceof BridgeError ? error.message : "unexpected failure in the receiver";
  return { result: "retry", reason, ...(mayStillLand(error) ? { unsettled: true as const } : {}) };
}
