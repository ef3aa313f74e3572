/** The source's events: each starts the dispatcher asynchronously, at least once, until it answers or its tries are used up. */
import type { DecodedLook } from "../../../runtime/protocol/events";
import type { Steps } from "../world/steps";
import type { Attempt, VirtualTime } from "../world/virtual-time";

export interface SourceEvent extends DecodedLook {
  eventId: string;
}

interface Delivery {
  readonly event: SourceEvent;
  atMs: number;
  tries: number;
  state: "waits" | "offered" | "runs";
}

/** Function Compute tries again eight times by default configuration of the bridge. */
const TRIES = 9;
const RETRY_MS = 20_000;

export class Events {
  readonly deliveries: Delivery[] = [];

  constructor(
    private readonly options: {
      time: VirtualTime;
      steps: Steps;
      /** Starts a dispatcher that calls `done` when the event is taken care of. */
      dispatch(event: SourceEvent, done: () => void): Attempt;
      /** The failure destination. */
      park(event: SourceEvent, reason: string): void;
    },
  ) {}

  send(event: SourceEvent, delayMs = 0): void {
    this.deliveries.push({ event, atMs: this.options.time.now() + delayMs, tries: 0, state: "waits" });
    this.deliverDue();
  }

  nextMs(): number | undefined {
    const times = this.deliveries.filter(({ state }) => state === "waits").map(({ atMs }) => atMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  deliverDue(): void {
    const { time, steps } = this.options;
    for (const delivery of this.deliveries) {
      if (delivery.state !== "waits" || delivery.atMs > time.now()) continue;
      delivery.state = "offered";
      void steps.schedule(Promise.resolve(), `deliver ${delivery.event.eventId}`).then(() => this.deliver(delivery));
    }
  }

  private deliver(delivery: Delivery): void {
    delivery.state = "runs";
    delivery.tries++;
    const attempt = this.options.dispatch(delivery.event, () => this.remove(delivery));
    attempt.whenDead(() => {
      if (!this.deliveries.includes(delivery)) return;
      if (delivery.tries >= TRIES) {
        this.remove(delivery);
        this.options.park(delivery.event, `the invocation failed ${TRIES} times`);
        return;
      }
      delivery.atMs = this.options.time.now() + RETRY_MS;
      delivery.state = "waits";
    });
  }

  private remove(delivery: Delivery): void {
    const index = this.deliveries.indexOf(delivery);
    if (index >= 0) this.deliveries.splice(index, 1);
  }
}
