/** The receiver's role: replicates the key of each notice, and answers with one receipt for each notice. Knows no HTTP and no vendor. */
import type { ReceiverConfig } from "../../protocol/env";
import type { Notice, Receipt, ReplicationRequest } from "../../protocol/messages";
import type { Clock, CopyJob, CopyLauncher, Deadline, Logger } from "../../protocol/ports";
import { ByteLimit } from "../../replication/byte-limit";
import { KeptAttributes } from "../../replication/kept-attributes";
import { createLeaseStore, type LeaseStore } from "../../replication/lease";
import {
  type AttemptTime,
  attempt,
  cancelCopy,
  type ReplicationDeps,
  type ReplicationResult,
  replicate,
} from "../../replication/replicate";
import { checkReturned, isReturned } from "../../replication/returned";
import { createSlots, type Slots } from "../../replication/slots";
import type { SourceReader } from "../../replication/source";
import { mayStillLand } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";

export interface ReceiverDeps {
  config: Pick<
    ReceiverConfig,
    "bridgeId" | "sourceId" | "destinationId" | "destinationPrefix" | "inlineLimitBytes" | "copiesAtOnce"
  >;
  destination: ObjectStore;
  reader: SourceReader;
  launcher: CopyLauncher;
  clock: Clock;
  logger: Logger;
  newId(): string;
  /** Where leases are kept; in the destination store when absent. */
  leases?: LeaseStore | undefined;
  /** Where the running copies are counted; in the destination store when absent. */
  slots?: Slots | undefined;
  /** What the function knows of the destination from earlier requests. @default nothing */
  kept?: KeptAttributes | undefined;
}

/** Memory of the function for the bytes on their way: all notices of its requests are worked on at once as long as they fit. */
const BYTES_AT_ONCE = 48 * 1024 ** 2;
/** Two sockets with their buffers, the notice and the answers. */
const BYTES_OF_NOTICE = 128 * 1024;
/** A larger object passes through in pieces. The first ones are kept for another try, and others are in the buffers on the way. */
const BYTES_OF_OBJECT = 2 * 1024 ** 2;

export class Receiver {
  private readonly deps: ReceiverDeps & Pick<ReplicationDeps, "leases" | "slots" | "kept">;
  private readonly limit = new ByteLimit(BYTES_AT_ONCE);

  constructor(deps: ReceiverDeps) {
    const { destination, clock, config, leases, slots, kept } = deps;
    const { bridgeId } = config;
    this.deps = {
      ...deps,
      leases: leases ?? createLeaseStore(destination, bridgeId),
      slots: slots ?? createSlots(destination, { bridgeId, clock }),
      kept: kept ?? new KeptAttributes(),
    };
  }

  /** Never rejects. The receipts are in the order of the notices. */
  async handle({ notices }: ReplicationRequest, deadline: Deadline): Promise<Receipt[]> {
    this.deps.reader.warm?.(this.readFirst(notices).map(({ url }) => url));
    return await Promise.all(notices.map((notice) => this.limit.run(bytesOf(notice), () => this.receiptFor(notice, deadline))));
  }

  /** The notices whose bytes may be read at once. The others find the connections of these. */
  private readFirst(notices: readonly Notice[]): Notice[] {
    let left = this.limit.freeBytes;
    return notices.filter((notice) => {
      left -= bytesOf(notice);
      return left >= 0 && mayNeedBytes(notice, this.deps.config);
    });
  }

  private async receiptFor(notice: Notice, deadline: Deadline): Promise<Receipt> {
    const { clock, logger } = this.deps;
    const { key } = notice;
    const result = await attempt((signal, time) => this.replicateNotice(notice, { signal, ...time }), {
      deadline,
      clock,
      role: "receiver",
      onFailure: (error, failed) => logger.warn("notice failed", { key, ...failed, error }),
    });
    return { key, ...result };
  }

  private async replicateNotice(notice: Notice, limits: AttemptTime & { signal: AbortSignal }): Promise<ReplicationResult> {
    const { reader, logger } = this.deps;
    const { key, url } = notice;
    const { askedBefore } = notice;
    const { snapshot = undefined, tagsUrl = undefined, slow = false } = notice.state === "present" ? notice : {};
    const source = reader.bind(url, key, tagsUrl);
    if (snapshot !== undefined && isReturned(snapshot, this.deps.config))
      return await checkReturned(key, snapshot, source, { ...this.deps, signal: limits.signal });
    let result = await replicate(key, snapshot, source, { ...this.deps, ...limits, slow, askedBefore });
    if (result.result === "copy-leased") {
      await this.startCopy({ ...result.copy, url }, limits.signal);
      result = { result: "in-progress", reason: result.reason };
    }
    logger.info("notice", { key, ...result });
    return result;
  }

  private async startCopy(job: CopyJob, signal: AbortSignal): Promise<void> {
    try {
      await this.deps.launcher.start(job);
    } catch (error) {
      if (!mayStillLand(error)) await cancelCopy(job, this.deps, signal);
      throw error;
    }
  }
}

/** Whether the object's bytes are read here if the destination differs. */
function mayNeedBytes(notice: Notice, config: ReceiverDeps["config"]): boolean {
  if (notice.state === "absent" || notice.slow) return false;
  return notice.snapshot.sizeBytes <= config.inlineLimitBytes && !isReturned(notice.snapshot, config);
}

function bytesOf(notice: Notice): number {
  const sizeBytes = notice.state === "present" ? notice.snapshot.sizeBytes : 0;
  return BYTES_OF_NOTICE + Math.min(sizeBytes, BYTES_OF_OBJECT);
}
