/** What the copy of one large object is given, and how it ends without success. */
import type { ObjectSnapshot } from "../protocol/snapshot";
import { isBridgeError } from "../stores/errors";
import type { ObjectStore } from "../stores/object-store";
import { type BridgeIdentity, lookAt } from "./destination";
import { firstDifference } from "./equality";
import type { CopyOutcome, LeasedUpload } from "./lease";
import type { Pace } from "./pace";
import type { BoundSource } from "./source";
import { SUPERSEDED } from "./write";

/** Ends a copy with an outcome that is not a failure. */
export class CopyEnded extends Error {
  readonly outcome: CopyOutcome;
  constructor(outcome: CopyOutcome) {
    super(outcome.reason ?? outcome.result);
    this.name = "CopyEnded";
    this.outcome = outcome;
  }
}

/** The write that makes the object visible was sent and not answered: it may still land. */
export class CompletionUnsettled extends Error {}

/** The run has no time for more parts. */
export class OutOfTime extends Error {
  constructor() {
    super("the copier's time ran out");
  }
}

export interface CopyContext {
  destination: ObjectStore;
  source: BoundSource;
  bridge: BridgeIdentity;
  /** Whether the object may be copied as one stream. */
  mayStream: boolean;
  partSizeBytes: number;
  /** Connections that carry parts at once, at most. */
  partsAtOnce: number;
  /** The destination key. */
  key: string;
  snapshot: ObjectSnapshot;
  /** The upload of an earlier run of the same snapshot. */
  upload: LeasedUpload | undefined;
  /** Resolves once a later run will find the upload and its checked ranges. */
  rememberUpload(upload: LeasedUpload): Promise<void>;
  /** Resolves once no later run will find the upload. Does nothing when the lease names another run. */
  forgetUpload(): Promise<void>;
  /**
   * Throws `CopyEnded` when this run may not go on, and `OutOfTime`. Between its reads of the lease it goes by the time until which the run has it.
   * `isLast`: right before the write that makes the object visible. It always reads the lease then.
   */
  fence(isLast: boolean): Promise<void>;
  clock: { now(): number; after(ms: number): AbortSignal };
  pace: Pace;
  /** The time that is kept for a completion: a store may need minutes for it. */
  completionMs: number;
  /** Ends the parts in flight shortly before the hard end of the run, so that the run can record its outcome. */
  outOfTime: AbortSignal;
  /** Resolves once the next run will take smaller parts and no upload. */
  shrinkParts(partSizeBytes: number): Promise<void>;
  /** Called for every part that was read. */
  onPart(sizeBytes: number): void;
  /** How often one part is tried. */
  tries: number;
  /** The wait after the first failed try. */
  retryDelayMs: number;
  /** In [0, 1). */
  random(): number;
  sleep(ms: number): Promise<void>;
}

/** A read of the source. A refusal ends the copy: the object has changed, or the URL has to be a fresh one. */
export async function endingReads<T>(read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (isBridgeError(error, "PreconditionFailed", "NotFound")) throw new CopyEnded(SUPERSEDED);
    // The presigned URL, or the session that signed it, has expired: the next run goes on with a fresh URL.
    if (isBridgeError(error, "PermissionDenied"))
      throw new CopyEnded({ result: "continue", place: "source", reason: error.message });
    throw error;
  }
}

/** Throws `CopyEnded` when the source is not in the state of the snapshot any more. */
export async function assertCurrent({ source, snapshot }: CopyContext): Promise<void> {
  if (!(await endingReads(source.isCurrent({ pin: snapshot })))) throw new CopyEnded(SUPERSEDED);
}

/** Looks at the destination until about two minutes after a write that was not answered. */
const LANDING_LOOKS = 9;

/**
 * The lease keeps other writers away, and the object was not equal before: if it is equal now, the write has landed.
 * @returns its etag
 * @throws CompletionUnsettled while it has not landed
 */
export async function waitUntilLanded(context: CopyContext, cause: unknown): Promise<string> {
  const { destination, key, snapshot, bridge, pace, sleep, retryDelayMs } = context;
  for (let look = 1; ; look++) {
    const now = await lookAt(destination, key).catch(() => undefined);
    if (now !== undefined && firstDifference(snapshot, now, bridge) === undefined) return now.head.etag;
    const waitMs = retryDelayMs * 2 ** (look - 1);
    if (look === LANDING_LOOKS || pace.timeLeftMs() < waitMs)
      throw new CompletionUnsettled("the completion was not answered", { cause });
    await sleep(waitMs);
  }
}
