/** Copies one large object as one stream, which is the cheapest way. Only where the link carries it in a short time: nothing of it is kept. */
import { isBridgeError, mayStillLand } from "../stores/errors";
import { LONG_LINK_MS } from "./connections";
import { assertCurrent, type CopyContext, CopyEnded, endingReads, OutOfTime, waitUntilLanded } from "./copy-context";
import { lookAt } from "./destination";
import { firstDifference } from "./equality";
import type { BoundSource, SourceObject } from "./source";
import type { WatchedBody } from "./watched-body";
import { writeObject } from "./write";

/** A stream is judged by what it carries in this time. */
const JUDGED_EVERY_MS = 1_000;
/** So often one after the other it may carry little: a store may take seconds to make room for a large object before it reads the first bytes. */
const MOST_SLOW_TIMES = 1;
/** The rest of a stream takes no longer than this. Several connections may be faster. */
const LONGEST_MS = 10_000;
/** One connection at this rate fills the network of a function, so that more connections bring nothing. */
const FULL_BYTES_PER_SECOND = 64 * 1024 ** 2;
/** The rest of a stream takes this part of the time that is left, at most. */
const SHARE_OF_TIME = 1 / 4;
/** How often the lease is looked at while a stream runs. */
const FENCE_EVERY_MS = 10_000;

/** @returns false where the object has to be copied in parts: nothing was written */
export async function streamObject(context: CopyContext): Promise<boolean> {
  if (!context.mayStream || !isStreamable(context)) return false;
  const { destination, bridge, key, snapshot, outOfTime: signal } = context;
  await context.fence(false);
  const seen = await lookAt(destination, key);
  if (seen !== undefined && firstDifference(snapshot, seen, bridge) === undefined) return true;
  const source = new StreamedSource(context);
  try {
    const { result, reason, difference } = await writeObject({ destination, source, bridge, key, seen, signal }, snapshot);
    if (result === "replicated") return true;
    throw new CopyEnded({ result: result === "superseded" || result === "rejected" ? result : "retry", reason, difference });
  } catch (error) {
    // Also where the write was answered and the look that followed was not.
    if (source.isWhole && (mayStillLand(error) || isBridgeError(error, "Unavailable"))) {
      await waitUntilLanded(context, error);
      return true;
    }
    return afterFailure(source.failure ?? error, signal);
  }
}

function isStreamable({ destination, snapshot, upload, pace }: CopyContext): boolean {
  const { conditionalWrites, maxPutSizeBytes } = destination.capabilities;
  // Where a write has no condition, nothing but the abort of an upload keeps a late one from landing.
  return conditionalWrites && snapshot.sizeBytes <= maxPutSizeBytes && upload === undefined && !pace.hasBegunBefore;
}

/** A stream that broke is not repeated: parts can be tried again one by one. */
function afterFailure(error: unknown, outOfTime: AbortSignal): false {
  if (error instanceof CopyEnded) throw error;
  if (error instanceof OutOfTime || outOfTime.aborted)
    throw new CopyEnded({ result: "continue", reason: "the copier's time ran out" });
  if (error instanceof NoStream || (isBridgeError(error) && error.retryable)) return false;
  throw error;
}

/** The link does not carry the object as one stream in a short time. */
class NoStream extends Error {}

/** The source, whose body ends early where it is too slow, and whose last piece waits until the write may become visible. */
class StreamedSource implements BoundSource {
  /** The whole body was passed on: the write may land. */
  isWhole = false;
  private body: WatchedBody | undefined;
  private refusal: unknown;
  private slowTimes = 0;
  private fencedMs = 0;

  constructor(private readonly context: CopyContext) {}

  /** Why the body did not arrive. */
  get failure(): unknown {
    return this.refusal ?? this.body?.failure;
  }

  async open(options: Parameters<BoundSource["open"]>[0]): Promise<SourceObject> {
    const { clock, pace, snapshot, onPart } = this.context;
    const opened = await endingReads(this.openSoon(options)).catch((error: unknown) => {
      this.refusal = error;
      throw error;
    });
    const beganMs = clock.now();
    this.fencedMs = beganMs;
    let judged = { atMs: beganMs, bytes: 0 };
    let received = 0;
    this.body = pace.watch(opened.body, snapshot.sizeBytes, {
      onPiece: (piece) => {
        received += piece.length;
        const nowMs = clock.now();
        const elapsedMs = nowMs - judged.atMs;
        if (elapsedMs < JUDGED_EVERY_MS) return;
        this.judge(received, (received - judged.bytes) / elapsedMs);
        judged = { atMs: nowMs, bytes: received };
      },
      guard: (isLast) => this.guard(isLast),
      onEnd: () => onPart(received),
    });
    return { ...opened, body: this.body };
  }

  isCurrent: BoundSource["isCurrent"] = (options) => this.context.source.isCurrent(options);
  tags: BoundSource["tags"] = (options) => this.context.source.tags(options);
  isAbsent: BoundSource["isAbsent"] = (options) => this.context.source.isAbsent(options);

  /** On a long link several connections are faster than one, so its answer is not waited for. */
  private async openSoon(options: Parameters<BoundSource["open"]>[0]): Promise<SourceObject> {
    const { source, clock } = this.context;
    const given = new AbortController();
    const late = clock.after(LONG_LINK_MS);
    const giveUp = () => given.abort(new NoStream());
    late.addEventListener("abort", giveUp, { once: true });
    try {
      const signal = options.signal === undefined ? given.signal : AbortSignal.any([options.signal, given.signal]);
      return await source.open({ ...options, signal });
    } catch (error) {
      throw given.signal.aborted ? given.signal.reason : error;
    } finally {
      late.removeEventListener("abort", giveUp);
    }
  }

  /** @throws NoStream */
  private judge(received: number, bytesPerMs: number): void {
    const { pace, snapshot } = this.context;
    const isFull = bytesPerMs * 1000 >= FULL_BYTES_PER_SECOND;
    const longestMs = Math.min(isFull ? Number.POSITIVE_INFINITY : LONGEST_MS, pace.timeLeftMs() * SHARE_OF_TIME);
    this.slowTimes = (snapshot.sizeBytes - received) / bytesPerMs > longestMs ? this.slowTimes + 1 : 0;
    if (this.slowTimes > MOST_SLOW_TIMES) throw new NoStream();
  }

  private guard(isLast: boolean): Promise<void> | undefined {
    const { clock, fence } = this.context;
    if (isLast) return this.beforeLast();
    const nowMs = clock.now();
    if (nowMs - this.fencedMs < FENCE_EVERY_MS) return undefined;
    this.fencedMs = nowMs;
    return fence(false);
  }

  /** The store gets the last piece only while the source is still the same and the lease is held. The lease is read last. */
  private async beforeLast(): Promise<void> {
    await assertCurrent(this.context);
    await this.context.fence(true);
    this.isWhole = true;
  }
}
