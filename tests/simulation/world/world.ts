/**
 * Two stores and what runs between them, in memory, under a virtual clock and a scheduler. The roles are the real ones; only what surrounds
 * them is replaced. `PullWorld` has a sender, a receiver and a copier, `PushWorld` a dispatcher, a workflow and a pusher.
 */
import type { Logger, Look } from "../../../runtime/protocol/ports";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import { LIMITS, type Settings } from "./config";
import type { Delivery } from "./delivery";
import { effect, type Fault, Faults, type Network, never, overNetwork } from "./network";
import type { Steps } from "./steps";
import type { Attempt, WorldTime } from "./time";
import { Watch } from "./watch";

export interface WorldOptions {
  scheduler: Steps;
  versionedSource: boolean;
  faults: readonly Fault[];
  /** @default "replicate" */
  deletes?: "ignore" | "replicate";
  /** @default false */
  statusTags?: boolean;
  /** @default 1,000: no story fails so often */
  maxAttempts?: number;
  /** @default 3,600 */
  urlExpiresInSeconds?: number;
  names?: { source: string; destination: string };
}

export interface Ground {
  source: MemoryStore;
  destination: MemoryStore;
  time: WorldTime;
}

export interface Notice {
  /** The event says that the object was removed. */
  removal?: boolean;
  /** How often the event is delivered. @default 1 */
  copies?: number;
  /** Between its copies; ms. */
  copiesLaterMs?: number;
}

export const NAMES = { source: "source", destination: "destination" } as const;

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export function openStore(time: WorldTime, name: string, versioned: boolean, capabilities: Partial<StoreCapabilities>) {
  return new MemoryStore({ clock: time, name, versioned, capabilities: { minPartSizeBytes: 1, ...capabilities } });
}

export abstract class World {
  readonly time: WorldTime;
  readonly source: MemoryStore;
  readonly destination: MemoryStore;
  readonly parked: { look: Look; reason: string }[] = [];
  /** Errors of the roles that no simulated failure explains. */
  readonly defects: unknown[] = [];
  readonly watch: Watch;
  readonly settings: Settings;
  /** Brings the source's events, or the messages that they became. */
  abstract readonly delivery: Delivery<unknown>;
  protected readonly network: Network;
  private ids = 0;

  constructor(options: WorldOptions, { source, destination, time }: Ground, network: Pick<Network, "forgetsGivenUp">) {
    this.time = time;
    this.source = source;
    this.destination = destination;
    this.settings = {
      ...(options.names ?? NAMES),
      deletes: options.deletes ?? "replicate",
      statusTags: options.statusTags ?? false,
      queue: true,
      maxAttempts: options.maxAttempts ?? 1000,
      urlExpiresInSeconds: options.urlExpiresInSeconds ?? 3600,
      partBytes: LIMITS.partBytes,
    };
    this.network = { steps: options.scheduler, time, faults: new Faults(options.faults), ...network };
    this.watch = new Watch(source, destination);
  }

  /** One event of the source. */
  abstract notify(key: string, notice?: Notice): void;

  /** Whether nothing is left to be done. */
  get idle(): boolean {
    return this.delivery.messages.length === 0;
  }

  /** From now on nothing breaks. */
  endFaults(): void {
    this.network.faults.end();
  }

  protected newId(prefix = ""): string {
    return `${prefix}${++this.ids}`;
  }

  protected begin(name: string, limitMs: number): Attempt {
    const attempt = this.time.begin(name, limitMs);
    this.watch.begins(attempt);
    return attempt;
  }

  /** What every function has around it. */
  protected surroundings(attempt: Attempt) {
    return {
      clock: this.time,
      logger: quiet,
      random: () => 0.5,
      sleep: async (ms: number) => {
        await this.time.sleep(ms);
        if (attempt.dead) await never();
      },
    };
  }

  /** The source as a function that writes status tags there reaches it. Changed tags are an event too. */
  protected sourceFor(attempt: Attempt): MemoryStore {
    return overNetwork(this.network, attempt, "source", this.source, (op, key) => {
      if (op === "putTags") this.notify(key);
    });
  }

  protected destinationFor(attempt: Attempt, changed: (op: string, key: string) => void = () => undefined): MemoryStore {
    return overNetwork(this.network, attempt, "destination", this.destination, (op, key) => {
      this.watch.landed(attempt, op, key);
      changed(op, key);
    });
  }

  protected deadLettersFor(attempt: Attempt) {
    return {
      park: (look: Look, reason: string) =>
        effect(this.network, attempt, "park", async () => void this.parked.push({ look, reason })),
    };
  }
}
