/** Delivers messages to functions at least once, by a queue or by asynchronous invocation. */
import type { Steps } from "./steps";
import type { Attempt, WorldTime } from "./time";

export interface Message<T> {
  readonly id: string;
  readonly content: T;
  visibleAtMs: number;
  /** A poller has seen it. No function has started for it. */
  offered: boolean;
  /** Number of deliveries. */
  deliveries: number;
}

export interface QueueOptions {
  kind: "queue";
  visibilityMs: number;
  /** Maximum number of messages in one delivery. */
  batchSize: number;
}

export interface InvocationOptions {
  kind: "invocation";
  tries: number;
  retryMs(deliveries: number): number;
}

export interface DeliveryOptions<T> {
  trigger: QueueOptions | InvocationOptions;
  time: WorldTime;
  steps: Steps;
  /** Starts a function. */
  deliver(batch: readonly Message<T>[]): Attempt;
  /** Sends the message of a failed invocation to the failure destination. */
  park(content: T, reason: string): void;
}

export class Delivery<T> {
  readonly messages: Message<T>[] = [];
  private ids = 0;

  constructor(private readonly options: DeliveryOptions<T>) {}

  get trigger(): QueueOptions | InvocationOptions {
    return this.options.trigger;
  }

  add(content: T, delayMs = 0): void {
    const visibleAtMs = this.options.time.now() + delayMs;
    this.messages.push({ id: `m${++this.ids}`, content, visibleAtMs, offered: false, deliveries: 0 });
    this.deliverVisible();
  }

  remove(message: Message<T>): void {
    const index = this.messages.indexOf(message);
    if (index >= 0) this.messages.splice(index, 1);
  }

  /** Time at which the next hidden message becomes visible; undefined if there is none. */
  nextVisibleMs(): number | undefined {
    const times = this.messages
      .map(({ visibleAtMs }) => visibleAtMs)
      .filter((atMs) => Number.isFinite(atMs) && atMs > this.options.time.now());
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Schedules the delivery of all visible messages. */
  deliverVisible(): void {
    const { steps, time } = this.options;
    for (const message of this.messages) {
      if (message.offered || message.visibleAtMs > time.now()) continue;
      message.offered = true;
      void steps.schedule(Promise.resolve(), `deliver ${message.id}`).then(() => this.deliver(message));
    }
  }

  /** Delivers the message, together with other offered messages up to the batch size. */
  private deliver(first: Message<T>): void {
    const { trigger, time } = this.options;
    if (!first.offered || !this.messages.includes(first)) return;
    const others = trigger.kind === "queue" ? this.messages.filter((message) => message.offered && message !== first) : [];
    const batch = [first, ...others.slice(0, trigger.kind === "queue" ? trigger.batchSize - 1 : 0)];
    for (const message of batch) {
      message.offered = false;
      message.deliveries++;
      // A received message is hidden at once, even if its receiver crashes.
      message.visibleAtMs = trigger.kind === "queue" ? time.now() + trigger.visibilityMs : Number.POSITIVE_INFINITY;
    }
    const attempt = this.options.deliver(batch);
    if (trigger.kind === "invocation") attempt.whenDead(() => this.invocationEnded(first, trigger));
  }

  private invocationEnded(message: Message<T>, { tries, retryMs }: InvocationOptions): void {
    if (!this.messages.includes(message)) return;
    if (message.deliveries >= tries) {
      this.remove(message);
      this.options.park(message.content, `the invocation failed ${tries} times`);
    } else message.visibleAtMs = this.options.time.now() + retryMs(message.deliveries);
  }
}
