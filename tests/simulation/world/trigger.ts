/** What brings messages to a sender: a queue, or the platform's own asynchronous invocation. */
import type { Look } from "../../../runtime/protocol/ports";
import type { Steps } from "./steps";
import type { Attempt, VirtualTime } from "./virtual-time";

export interface Message {
  readonly id: string;
  readonly look: Look;
  visibleAtMs: number;
  /** Seen by a receiver of messages, which has not begun to work on it yet. */
  offered: boolean;
  /** How often it was delivered. */
  deliveries: number;
}

/** With `buffer: none` Lambda tries an asynchronous invocation three times, a minute and then two apart. */
export const INVOCATION_TRIES = 3;
export const INVOCATION_RETRY_MS = 60_000;

export interface TriggerOptions {
  kind: "queue" | "invocation";
  time: VirtualTime;
  steps: Steps;
  visibilityMs: number;
  /** The most messages of one delivery. */
  batchSize: number;
  /** Starts a sender; the attempt that it is. */
  deliver(batch: readonly Message[]): Attempt;
  /** The failure destination. */
  park(look: Look, reason: string): void;
}

export class Trigger {
  readonly messages: Message[] = [];
  private ids = 0;

  constructor(private readonly options: TriggerOptions) {}

  add(look: Look, delayMs: number): void {
    const visibleAtMs = this.options.time.now() + delayMs;
    this.messages.push({ id: `m${++this.ids}`, look, visibleAtMs, offered: false, deliveries: 0 });
    this.deliverVisible();
  }

  remove(message: Message): void {
    const index = this.messages.indexOf(message);
    if (index >= 0) this.messages.splice(index, 1);
  }

  /** When the next message becomes visible, if time has to pass for one. */
  nextVisibleMs(): number | undefined {
    const times = this.messages.map(({ visibleAtMs }) => visibleAtMs).filter((atMs) => atMs > this.options.time.now());
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Schedules the delivery of what is visible. */
  deliverVisible(): void {
    const { steps, time } = this.options;
    for (const message of this.messages) {
      if (message.offered || message.visibleAtMs > time.now()) continue;
      message.offered = true;
      void steps.schedule(Promise.resolve(), `deliver ${message.id}`).then(() => this.deliver(message));
    }
  }

  /** With whatever else has been offered meanwhile, as a poller takes several messages at once. */
  private deliver(first: Message): void {
    if (!first.offered || !this.messages.includes(first)) return;
    const others = this.messages.filter((message) => message.offered && message !== first);
    const batch = [first, ...others.slice(0, this.options.batchSize - 1)];
    for (const message of batch) {
      message.offered = false;
      message.deliveries++;
      // A message stays hidden from the moment it is received, whatever becomes of its receiver.
      message.visibleAtMs =
        this.options.kind === "queue" ? this.options.time.now() + this.options.visibilityMs : Number.POSITIVE_INFINITY;
    }
    const attempt = this.options.deliver(batch);
    if (this.options.kind === "invocation") attempt.whenDead(() => this.invocationEnded(first));
  }

  private invocationEnded(message: Message): void {
    if (!this.messages.includes(message)) return;
    if (message.deliveries >= INVOCATION_TRIES) {
      this.remove(message);
      this.options.park(message.look, `the invocation failed ${INVOCATION_TRIES} times`);
    } else message.visibleAtMs = this.options.time.now() + INVOCATION_RETRY_MS * message.deliveries;
  }
}
