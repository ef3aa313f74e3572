/** Copies the ranges of one large object into the parts of an upload: each body goes from the source straight into its part. */
import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";
import type { ByteRange } from "../protocol/ports";
import { isBridgeError } from "../stores/errors";
import type { UploadedPart } from "../stores/object-store";
import type { CheckedPart } from "./checked-ranges";
import { type Connection, Connections } from "./connections";
import { type CopyContext, CopyEnded, endingReads, OutOfTime } from "./copy-context";
import { connectionsFor, type OpenUpload } from "./copy-upload";
import { TooSlow } from "./pace";
import { type PlannedPart, rangeSize } from "./parts";
import type { WatchedBody } from "./watched-body";

/** @returns the parts in order */
export async function copyParts(context: CopyContext, upload: OpenUpload): Promise<UploadedPart[]> {
  const run = new PartsRun(context, upload);
  const results: Promise<UploadedPart>[] = [];
  for (const planned of upload.plan) {
    const kept = upload.kept.get(planned.partNumber);
    results.push(kept ? Promise.resolve(kept) : run.copy(planned));
  }
  // When one part fails the others are stopped. When there is no time for another part, those in flight go on. The run ends when all have ended.
  await Promise.allSettled(results);
  run.throwIfFailed();
  return await Promise.all(results);
}

class PartsRun {
  private readonly connections: Connections;
  private readonly failed = new AbortController();
  private readonly signal: AbortSignal;

  constructor(
    private readonly context: CopyContext,
    private readonly upload: OpenUpload,
  ) {
    this.connections = new Connections({ clock: context.clock, atMost: connectionsFor(context, upload) });
    this.signal = AbortSignal.any([this.failed.signal, context.outOfTime]);
    // All parts in flight listen to it.
    setMaxListeners(0, this.signal);
  }

  /** The cause is the part that failed first, not the parts that it stopped. */
  throwIfFailed(): void {
    this.failed.signal.throwIfAborted();
  }

  /** A part that failed is read from the source again: its bytes are not kept. */
  async copy(planned: PlannedPart): Promise<UploadedPart> {
    const { tries, retryDelayMs, random, sleep } = this.context;
    // With SHA a part waits for the parts before it, so those must not wait for its connection.
    const isOrdered = this.upload.checked?.isOrdered === true;
    let connection = await this.connections.take();
    try {
      for (let tried = 1; ; tried++) {
        this.throwIfFailed();
        try {
          return await this.tryPart(planned, isOrdered ? undefined : connection);
        } catch (error) {
          this.stopUnlessRepeated(error, tried < tries);
          if (!isOrdered) connection.close();
          await sleep(retryDelayMs * 2 ** (tried - 1) * (1 + random()));
          if (!isOrdered) connection = await this.connections.take();
        }
      }
    } finally {
      connection.close();
    }
  }

  /** @throws the error of the part, unless it is tried again. The parts in flight go on only where a later run continues. */
  private stopUnlessRepeated(error: unknown, mayRepeat: boolean): void {
    const { failed, context, upload } = this;
    const isTimeout = error instanceof OutOfTime || error instanceof TooSlow || context.outOfTime.aborted;
    const cause = isTimeout ? new OutOfTime() : error;
    const continues = isTimeout || (error instanceof CopyEnded && error.outcome.result === "continue");
    // With SHA a part waits for the parts before it, so it would wait for this one.
    if (continues && !failed.signal.aborted && upload.checked?.isOrdered !== true) throw cause;
    if (!continues && mayRepeat && isBridgeError(error) && error.retryable && !failed.signal.aborted) return;
    failed.abort(cause);
    this.throwIfFailed();
  }

  /** @param connection told when the body is nearly through, so that the next one is asked for */
  private async tryPart({ partNumber, range }: PlannedPart, connection: Connection | undefined): Promise<UploadedPart> {
    const { context, signal } = this;
    const { destination, key, pace } = context;
    const { uploadId, checked } = this.upload;
    const sizeBytes = rangeSize(range);
    if (!pace.hasTimeFor(sizeBytes)) throw new OutOfTime();
    await context.fence(false);
    await checked?.rememberSometimes();
    const leftMs = pace.timeLeftMs();
    const opened = await this.openRange(range);
    const sums = checked?.part(range);
    const latencyMs = leftMs - pace.timeLeftMs();
    this.connections.answered(latencyMs);
    const body = this.watch(opened, { sizeBytes, latencyMs, connection, sums });
    const sent = destination.uploadPart(key, { uploadId, partNumber }, body, { sizeBytes, signal });
    const part = await sent.catch((error: unknown) => Promise.reject(body.failure ?? error));
    pace.donePart(sizeBytes, leftMs - pace.timeLeftMs());
    await sums?.add(signal);
    return part;
  }

  private watch(opened: Readable, { sizeBytes, latencyMs, connection, sums }: WatchOptions): WatchedBody {
    const { context, connections } = this;
    const beganMs = context.clock.now();
    let received = 0;
    return context.pace.watch(opened, sizeBytes, {
      onPiece: (piece) => {
        received += piece.length;
        sums?.update(piece);
        connections.moved(piece.length);
        if (received === sizeBytes) context.onPart(sizeBytes);
        // The next body takes one round trip to begin.
        const isNearlyThrough = (sizeBytes - received) * (context.clock.now() - beganMs) <= received * latencyMs;
        if (isNearlyThrough) connection?.sent();
      },
      onEnd: () => connection?.sent(),
    });
  }

  private async openRange(range: ByteRange): Promise<Readable> {
    const { source, snapshot } = this.context;
    return (await endingReads(source.open({ pin: snapshot, range, signal: this.signal }))).body;
  }
}

interface WatchOptions {
  sizeBytes: number;
  /** The time that the source took to answer. */
  latencyMs: number;
  connection: Connection | undefined;
  sums: CheckedPart | undefined;
}
