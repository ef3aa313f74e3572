/** How many connections carry the parts of one copy. More are used as long as that makes the whole faster. */

/** A link whose answers take this long is a long one: each connection carries little, so a copy begins with more of them. */
export const LONG_LINK_MS = 50;
const FIRST_ON_A_SHORT_LINK = 2;
const FIRST_ON_A_LONG_LINK = 8;
/** A rate is measured over this time, and over this many round trips: a new connection is slow for the first of them. */
const WINDOW_MS = 500;
const WINDOW_ROUND_TRIPS = 8;
/** More connections have to bring this much. */
const LEAST_GAIN = 1.1;
/** Where more connections brought nothing, they are tried again after this many windows. */
const WINDOWS_UNTIL_NEXT_TRY = 20;

export interface ConnectionsOptions {
  clock: { now(): number };
  atMost: number;
}

/** A body that was sent waits for the store's answer, and another one begins meanwhile. No more than this many are begun for each connection. */
const BEGUN_PER_CONNECTION = 2;

/** A connection that is taken. */
export interface Connection {
  /** Its body is sent, or nearly: another one may begin. */
  sent(): void;
  /** It is over. */
  close(): void;
}

export class Connections {
  private limit: number;
  /** The shortest time from a request to the headers of its answer. */
  private latencyMs: number | undefined;
  /** The limit that carried the most so far. */
  private best: { limit: number; bytesPerMs: number } | undefined;
  private windowsToWait = 0;
  private window: { fromMs: number; bytes: number } | undefined;
  private sending = 0;
  private begun = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly options: ConnectionsOptions) {
    this.limit = Math.min(FIRST_ON_A_SHORT_LINK, options.atMost);
  }

  /** Bodies that may be sent at once now. */
  get current(): number {
    return this.limit;
  }

  /** Resolves in the order of the calls. */
  async take(): Promise<Connection> {
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      this.admit();
    });
    let isSending = true;
    let isOpen = true;
    const sent = () => {
      if (!isSending) return;
      isSending = false;
      this.sending--;
      this.admit();
    };
    const close = () => {
      if (!isOpen) return;
      isOpen = false;
      this.begun--;
      sent();
      this.admit();
    };
    return { sent, close };
  }

  /** @param latencyMs the time from a request to the headers of its answer */
  answered(latencyMs: number): void {
    const isFirst = this.latencyMs === undefined;
    this.latencyMs = Math.min(latencyMs, this.latencyMs ?? latencyMs);
    if (!isFirst || latencyMs < LONG_LINK_MS) return;
    this.limit = Math.max(this.limit, Math.min(FIRST_ON_A_LONG_LINK, this.options.atMost));
    this.admit();
  }

  /** Called for the bytes of every connection. */
  moved(bytes: number): void {
    const nowMs = this.options.clock.now();
    this.window ??= { fromMs: nowMs, bytes: 0 };
    this.window.bytes += bytes;
    const elapsedMs = nowMs - this.window.fromMs;
    if (elapsedMs < Math.max(WINDOW_MS, WINDOW_ROUND_TRIPS * (this.latencyMs ?? 0))) return;
    const { bytes: moved } = this.window;
    this.window = { fromMs: nowMs, bytes: 0 };
    this.adapt(moved / elapsedMs);
  }

  private adapt(bytesPerMs: number): void {
    if (--this.windowsToWait > 0) return;
    const { best, limit } = this;
    if (best !== undefined && best.limit < limit && bytesPerMs < best.bytesPerMs * LEAST_GAIN) {
      // The last step brought nothing.
      this.limit = best.limit;
      this.best = undefined;
      this.windowsToWait = WINDOWS_UNTIL_NEXT_TRY;
      return;
    }
    this.best = { limit, bytesPerMs };
    this.limit = Math.min(this.options.atMost, limit * 2);
    this.admit();
  }

  private admit(): void {
    while (this.sending < this.limit && this.begun < this.limit * BEGUN_PER_CONNECTION) {
      const next = this.waiting.shift();
      if (next === undefined) return;
      this.sending++;
      this.begun++;
      next();
    }
  }
}
