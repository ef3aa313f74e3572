/** Signed calls of one service: addresses, signatures, retries and the clock of the other side. S3 and OSS share it. */

import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { systemClock, systemRandom } from "../protocol/ports";
import {
  type AnswerHeaders,
  type BodyWatch,
  exchange,
  isOpen,
  type OpenAnswer,
  openExchange,
  type WholeAnswer,
  type WireRequest,
} from "./exchange";
import { RenewingAgent } from "./renewing-agent";

/** A body that arrives while it is sent. */
export interface StreamBody {
  /** As it is sent, framing included. */
  readonly sentBytes: number;
  /** Why the body ended before it was complete. */
  readonly failure: Error | undefined;
  /** Opens the body for one try. Undefined where its first bytes are gone, so that it cannot be sent again. */
  open(): Readable | undefined;
}

export interface Call {
  /** For errors. */
  op: string;
  method: WireRequest["method"];
  headers?: Record<string, string> | undefined;
  body?: Uint8Array | StreamBody | undefined;
  signal?: AbortSignal | undefined;
  /** Tries of this call. @default the client's */
  maxAttempts?: number | undefined;
  /** Added to the time limit, for work that the store does before it answers. @default 0 */
  workMs?: number | undefined;
}

/** Where a call goes, and the headers of its signature. */
export type Signed = Pick<WireRequest, "origin" | "path" | "headers">;

export interface CallErrors {
  /** The error for an answer that is no success. */
  refused(op: string, answer: WholeAnswer, mayHaveLanded: boolean): Error;
  /** The error of a call without an answer. An error of this table passes unchanged. */
  broken(op: string, cause: unknown): Error;
  /** The error of a call whose signal was aborted. */
  aborted(op: string, cause: unknown): Error;
  /** Whether the same call may succeed a moment later. */
  isTransient(error: Error): boolean;
}

export interface ClientLimits {
  /** Tries of one call. @default 3 */
  maxAttempts?: number | undefined;
  /** The time from the request to the headers of the answer, besides the time for the bytes of the request. @default 15000 */
  answerTimeoutMs?: number | undefined;
  /** The time between two pieces of the body of an answer. @default 15000 */
  bodyIdleMs?: number | undefined;
  /** A request in memory is given up when its bytes leave more slowly. @default 65536 */
  minBytesPerSecond?: number | undefined;
  /** Milliseconds since the epoch, for signatures. @default the system's clock */
  now?: (() => number) | undefined;
  /** In [0, 1); varies the waits between two tries. @default Math.random */
  random?: (() => number) | undefined;
}

export interface HttpClientOptions<C extends Call> extends ClientLimits {
  dispatcher: Dispatcher;
  errors: CallErrors;
  sign(call: C, nowMs: number): Signed | Promise<Signed>;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
/** AWS and Alibaba Cloud refuse signatures that are 15 minutes off. Anything below is the time that an answer takes. */
const SKEW_MS = 4 * 60_000;

export class HttpClient<C extends Call> {
  /** How far the clock of the other side is ahead of this one. */
  private skewMs = 0;

  private readonly renewing: RenewingAgent | undefined;

  constructor(private readonly options: HttpClientOptions<C>) {
    const { dispatcher } = options;
    this.renewing = dispatcher instanceof RenewingAgent ? dispatcher : undefined;
  }

  /** Now, by the clock of the other side. */
  now(): number {
    return this.clockMs() + this.skewMs;
  }

  /**
   * Sends the call until the other side accepts it and `take` succeeds, at most `maxAttempts` times. A stream is sent again only as long as
   * its first bytes are still in memory.
   */
  send<T>(call: C, take: (answer: WholeAnswer) => T): Promise<T> {
    return this.repeat(call, async (request) => {
      const answer = await exchange(this.options.dispatcher, request);
      if (isSuccess(answer)) return { value: take(answer) };
      return { answer };
    });
  }

  /** Like `send`; the body of a success is left unread. The reader must read it to its end or destroy it. */
  open(call: C, watch: (headers: AnswerHeaders) => BodyWatch): Promise<OpenAnswer> {
    const watchSuccess = (status: number, headers: AnswerHeaders) => (isSuccess({ status }) ? watch(headers) : undefined);
    return this.repeat(call, async (request) => {
      const answer = await openExchange(this.options.dispatcher, request, watchSuccess);
      return isOpen(answer) ? { value: answer } : { answer };
    });
  }

  private async repeat<T>(
    call: C,
    attempt: (request: WireRequest) => Promise<{ value: T } | { answer: WholeAnswer }>,
  ): Promise<T> {
    const { errors, maxAttempts: usual = 3 } = this.options;
    const { op, signal, maxAttempts = usual } = call;
    let mayHaveLanded = false;
    let body = openBody(call.body);
    for (let tries = 1; ; tries++) {
      let error: Error;
      let again: boolean;
      let atOnce = false;
      const generation = this.renewing?.current() ?? 0;
      try {
        const outcome = await attempt(await this.wireRequest(call, body));
        if ("value" in outcome) return outcome.value;
        const isSkewed = this.learnSkew(outcome.answer);
        error = errors.refused(op, outcome.answer, mayHaveLanded);
        again = isSkewed || errors.isTransient(error);
      } catch (cause) {
        if (signal?.aborted) throw errors.aborted(op, cause);
        atOnce = tries === 1 && this.renewing?.noteFailure(cause, generation) === true;
        error = errors.broken(op, bodyFailure(call.body) ?? cause);
        again = errors.isTransient(error);
      }
      if (!again || tries >= maxAttempts || bodyFailure(call.body) !== undefined) throw error;
      body = openBody(call.body);
      if (call.body !== undefined && body === undefined) throw error;
      // A stream that can be sent again was never sent to its end.
      mayHaveLanded ||= !isStream(call.body);
      if (!atOnce) await this.pause(tries, error, signal, op);
    }
  }

  private async pause(tries: number, error: Error, signal: AbortSignal | undefined, op: string): Promise<void> {
    const { random = systemRandom, errors } = this.options;
    const longest = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (tries - 1));
    const { retryAfterSeconds = 0 } = error as { retryAfterSeconds?: number };
    // A longer wait is for the caller, who has other work meanwhile.
    if (retryAfterSeconds * 1000 > MAX_RETRY_MS) throw error;
    await delay(Math.max(longest * (0.5 + random() / 2), retryAfterSeconds * 1000), undefined, { signal }).catch((cause) => {
      throw errors.aborted(op, cause);
    });
  }

  private async wireRequest(call: C, body: Uint8Array | Readable | undefined): Promise<WireRequest> {
    const { answerTimeoutMs = 15_000, bodyIdleMs = 15_000, minBytesPerSecond = 64 * 1024, sign } = this.options;
    const signing = sign(call, this.now());
    const { origin, path, headers } = signing instanceof Promise ? await signing : signing;
    if (isStream(call.body)) headers["content-length"] = `${call.body.sentBytes}`;
    const bytes = body instanceof Uint8Array ? body.byteLength : 0;
    return {
      origin,
      method: call.method,
      path,
      headers,
      body,
      signal: call.signal,
      answerTimeoutMs: answerTimeoutMs + (call.workMs ?? 0) + Math.ceil((bytes / minBytesPerSecond) * 1000),
      bodyIdleMs,
    };
  }

  /** @returns whether the refusal had the clock of this machine as its reason; then the next try has the right time */
  private learnSkew({ status, headers }: WholeAnswer): boolean {
    if (status !== 403 && status !== 400) return false;
    const theirs = Date.parse(headers.date ?? "");
    if (Number.isNaN(theirs) || Math.abs(theirs - this.now()) < SKEW_MS) return false;
    this.skewMs = theirs - this.clockMs();
    return true;
  }

  private clockMs(): number {
    return (this.options.now ?? systemClock.now)();
  }
}

function isSuccess({ status }: { status: number }): boolean {
  return status >= 200 && status < 300;
}

function isStream(body: Call["body"]): body is StreamBody {
  return body !== undefined && !(body instanceof Uint8Array);
}

function openBody(body: Call["body"]): Uint8Array | Readable | undefined {
  return isStream(body) ? body.open() : body;
}

function bodyFailure(body: Call["body"]): Error | undefined {
  return isStream(body) ? body.failure : undefined;
}
