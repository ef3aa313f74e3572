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

/** Objects up to this size are asked for first, and the receiver always copies them itself. */
const SMALL_BYTES = 8 * 1024 ** 2;
/** Part of the bytes of one request that one object may have. */
const SHARE_OF_REQUEST = 1 / 3;

/** What the link moved lately, over all connections of one request together. */
export class LinkRate {
  #bytesPerSecond = FIRST_BYTES_PER_SECOND;
  #isKnown = false;

  /**
   * @param isSlow an object of the request ran out of time
   * @param isShared other requests used the link meanwhile: it carries more than this one moved
   */
  learn(bytes: number, ms: number, { isSlow, isShared }: { isSlow: boolean; isShared: boolean }): void {
    if (!isSlow && (bytes < TELLING_BYTES || ms <= 0)) return;
    this.#isKnown = true;
    const mean = (this.#bytesPerSecond + (bytes * 1000) / ms) / 2;
    if (isSlow) this.#bytesPerSecond = Math.max(LEAST_BYTES_PER_SECOND, this.#bytesPerSecond / 2);
    else this.#bytesPerSecond = isShared ? Math.max(this.#bytesPerSecond, mean) : mean;
  }

  /** Bytes that one request may move. */
  budgetBytes(receiverTimeoutSeconds: number): number {
    return this.#bytesPerSecond * receiverTimeoutSeconds * SHARE_OF_TIME;
  }

  /** The receiver copies an object up to this size itself. As long as nothing was moved, the configured size is tried. */
  inlineBytes({ inlineLimitBytes, receiverTimeoutSeconds }: AskDeps["config"]): number {
    const carried = this.#isKnown ? this.budgetBytes(receiverTimeoutSeconds) * SHARE_OF_REQUEST : Number.POSITIVE_INFINITY;
    return Math.min(inlineLimitBytes, Math.max(SMALL_BYTES, carried));
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
  // Small objects do not wait for large ones.
  const isSmall = ({ notice }: Asked<T>) => inlineBytes(notice, deps.config) <= SMALL_BYTES;
  let left = [...asked.filter(isSmall), ...asked.filter((one) => !isSmall(one))];
  while (left.length > 0) {
    const batch = takeBatch(left, deps);
    const bytes = batch.reduce((sum, { notice }) => sum + movedBytes(notice, deps), 0);
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
  const order = new Map(asked.map((one, index) => [one, index]));
  return answers.flat().sort(([one], [other]) => (order.get(one) ?? 0) - (order.get(other) ?? 0));
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
  const largest = link.inlineBytes(config);
  // The receiver knows the configured size only.
  const mustBeCopied = (notice: Notice): notice is Extract<Notice, { state: "present" }> => inlineBytes(notice, config) > largest;
  try {
    const { receipts } = await receiver.post({
      version: 1,
      bridgeId: config.bridgeId,
      notices: batch.map(({ notice }) => (mustBeCopied(notice) ? { ...notice, slow: true as const } : notice)),
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
function takeBatch<T>(asked: readonly Asked<T>[], deps: AskDeps): Asked<T>[] {
  const budget = deps.link.budgetBytes(deps.config.receiverTimeoutSeconds);
  const batch: Asked<T>[] = [];
  let bodyBytes = 0;
  let objectBytes = 0;
  let hasSmall = false;
  for (const one of asked) {
    const moved = movedBytes(one.notice, deps);
    bodyBytes += Buffer.byteLength(JSON.stringify(one.notice));
    objectBytes += moved;
    const isFull = batch.length === LIMITS.notices || bodyBytes > REQUEST_BYTES || objectBytes > budget;
    if (batch.length > 0 && (isFull || (hasSmall && moved > SMALL_BYTES))) break;
    hasSmall ||= moved > 0 && moved <= SMALL_BYTES;
    batch.push(one);
  }
  return batch;
}

/** The bytes that the request itself moves: the copier moves those of an object that is too large for the link. */
function movedBytes(notice: Notice, { config, link }: AskDeps): number {
  const sizeBytes = inlineBytes(notice, config);
  return sizeBytes > link.inlineBytes(config) ? 0 : sizeBytes;
}

/** 0 for an object that the copier moves, because it is larger than configured or slow. */
function inlineBytes(notice: Notice, { inlineLimitBytes }: AskDeps["config"]): number {
  if (notice.state === "absent" || notice.slow) return 0;
  const { sizeBytes } = notice.snapshot;
  return sizeBytes > inlineLimitBytes ? 0 : sizeBytes;
}
