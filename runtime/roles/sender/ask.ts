/** Asks the receiver about many keys with few requests, and remembers how the receiver and the link do. */

import { LIMITS, type Notice, type Receipt } from "../../protocol/messages";
import { type Clock, type ReceiverClient, ReceiverUnreachable } from "../../protocol/ports";
import type { Breaker } from "../../replication/breaker";

export interface Asked<T> {
  item: T;
  notice: Notice;
}

export type Answer =
  | { receipt: Receipt }
  | { reason: string; attemptMayRun: boolean; retryable: boolean; retryAfterSeconds?: number | undefined };

/** The notices of one request have at most this many bytes, unless one notice alone has more. So the body stays below LIMITS.bodyBytes. */
const REQUEST_BYTES = LIMITS.bodyBytes / 2;
/** The rate of a link that has not moved anything yet. */
const FIRST_BYTES_PER_SECOND = 2 * 1024 ** 2;
const LEAST_BYTES_PER_SECOND = 32 * 1024;
/** Fewer bytes say more about round trips than about the link. */
const TELLING_BYTES = 256 * 1024;
/** Part of the receiver's time that the objects of one request may take. */
const SHARE_OF_TIME = 0.6;

/** What the link moved lately, over all connections of one request together. */
export class LinkRate {
  #bytesPerSecond = FIRST_BYTES_PER_SECOND;

  /**
   * @param isSlow an object of the request ran out of time
   * @param isShared other requests used the link meanwhile: it carries more than this one moved
   */
  learn(bytes: number, ms: number, { isSlow, isShared }: { isSlow: boolean; isShared: boolean }): void {
    if (isSlow) this.#bytesPerSecond = Math.max(LEAST_BYTES_PER_SECOND, this.#bytesPerSecond / 2);
    else if (bytes >= TELLING_BYTES && ms > 0) {
      const mean = (this.#bytesPerSecond + (bytes * 1000) / ms) / 2;
      this.#bytesPerSecond = isShared ? Math.max(this.#bytesPerSecond, mean) : mean;
    }
  }

  /** Bytes that one request may move. */
  budgetBytes(receiverTimeoutSeconds: number): number {
    return this.#bytesPerSecond * receiverTimeoutSeconds * SHARE_OF_TIME;
  }
}

export interface AskDeps {
  receiver: ReceiverClient;
  config: { bridgeId: string; receiverTimeoutSeconds: number; inlineLimitBytes: number };
  clock: Pick<Clock, "now">;
  breaker: Breaker;
  link: LinkRate;
}

/** Requests of one invocation at the same time. Each takes an instance of the receiver. */
const REQUESTS_AT_ONCE = 4;

/**
 * Sends one request where possible, and several side by side as long as the link carries their bytes within the time of one. A request that is
 * refused as a whole is split in two, so that one bad notice does not fail the others. Once the breaker has opened nothing is sent any more.
 * @returns one answer per asked item, in the order of the items
 */
export async function askReceiver<T>(asked: readonly Asked<T>[], deps: AskDeps): Promise<[Asked<T>, Answer][]> {
  const answers: [Asked<T>, Answer][][] = [];
  const running = new Set<Promise<void>>();
  let flyingBytes = 0;
  let begun = 0;
  let left = [...asked];
  while (left.length > 0) {
    const batch = takeBatch(left, deps);
    const bytes = batch.reduce((sum, { notice }) => sum + inlineBytes(notice, deps.config.inlineLimitBytes), 0);
    const fits = flyingBytes + bytes <= deps.link.budgetBytes(deps.config.receiverTimeoutSeconds);
    // After an answer the rate of the link is known better, so the batch is taken anew.
    if (running.size === REQUESTS_AT_ONCE || (running.size > 0 && !fits)) {
      await Promise.race(running);
      continue;
    }
    left = left.slice(batch.length);
    flyingBytes += bytes;
    const place = begun++;
    const wasAlone = running.size === 0;
    const one = askAbout(batch, { ...deps, isShared: () => !wasAlone || begun > place + 1 })
      .then((some) => {
        answers[place] = some;
      })
      .finally(() => {
        running.delete(one);
        flyingBytes -= bytes;
      });
    running.add(one);
  }
  await Promise.all(running);
  return answers.flat();
}

interface RequestDeps extends AskDeps {
  /** Whether other requests ran at the same time. */
  isShared(): boolean;
}

async function askAbout<T>(batch: readonly Asked<T>[], deps: RequestDeps): Promise<[Asked<T>, Answer][]> {
  return deps.breaker.hasOpened ? notAsked(batch, deps.breaker) : await post(batch, deps);
}

function notAsked<T>(batch: readonly Asked<T>[], breaker: Breaker): [Asked<T>, Answer][] {
  const reason = breaker.reason ?? "the receiver is down";
  return batch.map((one) => [one, { reason, attemptMayRun: false, retryable: true }]);
}

async function post<T>(batch: readonly Asked<T>[], deps: RequestDeps): Promise<[Asked<T>, Answer][]> {
  const { receiver, config, clock, breaker, link, isShared } = deps;
  const startMs = clock.now();
  try {
    const { receipts } = await receiver.post({
      version: 1,
      bridgeId: config.bridgeId,
      notices: batch.map(({ notice }) => notice),
    });
    const bytes = receipts.reduce((sum, { bytesMoved = 0 }) => sum + bytesMoved, 0);
    const isSlow = receipts.some(({ slow }) => slow === true);
    link.learn(bytes, clock.now() - startMs, { isSlow, isShared: isShared() });
    if (receipts.every(isDestinationDown)) breaker.failed(receipts[0]?.reason ?? "the destination store does not work");
    else breaker.succeeded();
    return batch.map((one, index) => [one, answerOf(receipts[index])]);
  } catch (error) {
    if (!(error instanceof ReceiverUnreachable)) throw error;
    // A receiver that throttles, or refuses one request as wrong, works.
    if (error.retryable && !error.throttled) breaker.failed(error.message);
    else breaker.succeeded();
    if (!error.retryable && batch.length > 1) {
      const middle = Math.ceil(batch.length / 2);
      return [...(await post(batch.slice(0, middle), deps)), ...(await post(batch.slice(middle), deps))];
    }
    const { attemptMayRun, retryable, retryAfterSeconds } = error;
    return batch.map((one) => [one, { reason: error.message, attemptMayRun, retryable, retryAfterSeconds }]);
  }
}

function answerOf(receipt: Receipt | undefined): Answer {
  return receipt ? { receipt } : { reason: "the receiver's answer lacks this key", attemptMayRun: true, retryable: true };
}

/** The receiver answers, and the store behind it does not work. */
function isDestinationDown({ result, waitsFor, place }: Receipt): boolean {
  return result === "waiting" && waitsFor === "store" && place !== "source";
}

/** The first notices that one request may hold: by count, by the bytes of the body, and by the bytes of the objects. */
function takeBatch<T>(asked: readonly Asked<T>[], { config, link }: AskDeps): Asked<T>[] {
  const budget = link.budgetBytes(config.receiverTimeoutSeconds);
  const batch: Asked<T>[] = [];
  let bodyBytes = 0;
  let objectBytes = 0;
  for (const one of asked) {
    bodyBytes += Buffer.byteLength(JSON.stringify(one.notice));
    objectBytes += inlineBytes(one.notice, config.inlineLimitBytes);
    const isFull = batch.length === LIMITS.notices || bodyBytes > REQUEST_BYTES || objectBytes > budget;
    if (batch.length > 0 && isFull) break;
    batch.push(one);
  }
  return batch;
}

/** The bytes that the request itself moves: the copier moves those of a large or slow object. */
function inlineBytes(notice: Notice, inlineLimitBytes: number): number {
  if (notice.state === "absent" || notice.slow) return 0;
  const { sizeBytes } = notice.snapshot;
  return sizeBytes > inlineLimitBytes ? 0 : sizeBytes;
}
