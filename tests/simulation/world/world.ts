/**
 * Two stores and a bridge between them, in memory, with a virtual clock and a scheduler. The roles are the real ones. Their dependencies are
 * simulated. `PullWorld` has a sender, a receiver and a copier, `PushWorld` a dispatcher, a workflow and a pusher.
 */
import type { TaggingChange } from "../../../runtime/protocol/events";
import type { Logger, Look } from "../../../runtime/protocol/ports";
import { MemoryStore } from "../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import { LIMITS, principalOf, type Settings } from "./config";
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
  /** @default 1,000, more than a story has failures */
  maxAttempts?: number;
  /** @default a week */
  giveUpAfterSeconds?: number;
  /** @default 3,600 */
  urlExpiresInSeconds?: number;
  names?: { source: string; destination: string };
}

export interface SharedParts {
  source: MemoryStore;
  destination: MemoryStore;
  time: WorldTime;
}

export interface Notice {
  /** The event reports a change of tags alone. */
  tagging?: TaggingChange;
  /** Number of deliveries of the event. @default 1 */
  copies?: number;
  /** Time between the deliveries; ms. */
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
  /** Errors of the roles that no simulated fault explains. */
  readonly defects: unknown[] = [];
  readonly watch: Watch;
  readonly settings: Settings;
  /** Called when the bridge itself has changed tags at the source, like the source's event. */
  onOwnTags: (key: string, change: TaggingChange) => void = (key, tagging) => this.notify(key, { tagging });
  /** Delivers the source's events, or the queue's messages. */
  abstract readonly delivery: Delivery<unknown>;
  /** Resolves when a replayed request has been carried out. */
  replaying: Promise<void> = Promise.resolve();
  protected readonly network: Network;
  private ids = 0;

  constructor(options: WorldOptions, { source, destination, time }: SharedParts, network: Pick<Network, "forgetsGivenUp">) {
    this.time = time;
    this.source = source;
    this.destination = destination;
    this.settings = {
      ...(options.names ?? NAMES),
      deletes: options.deletes ?? "replicate",
      statusTags: options.statusTags ?? false,
      maxAttempts: options.maxAttempts ?? 1000,
      giveUpAfterSeconds: options.giveUpAfterSeconds ?? 604_800,
      urlExpiresInSeconds: options.urlExpiresInSeconds ?? 3600,
      partBytes: LIMITS.partBytes,
    };
    this.network = { steps: options.scheduler, time, faults: new Faults(options.faults), ...network };
    this.watch = new Watch(source, destination);
  }

  /** Sends an event of the source. */
  abstract notify(key: string, notice?: Notice): void;

  /** Every queue and trigger of the bridge. */
  get deliveries(): readonly Delivery<unknown>[] {
    return [this.delivery];
  }

  /** Whether nothing is left to do. */
  get idle(): boolean {
    return this.deliveries.every(({ messages }) => messages.length === 0);
  }

  /** Turns all faults off. */
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

  /** Dependencies of every function. */
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

  /** The source over the network, for a function that writes status tags. A change of tags sends an event that names the function. */
  protected sourceFor(attempt: Attempt): MemoryStore {
    return overNetwork(this.network, attempt, "source", this.source, (op, key) => {
      if (op === "putTags") this.onOwnTags(key, { principal: principalOf(this.settings) });
    });
  }

  protected destinationFor(
    attempt: Attempt,
    changed: (op: string, key: string) => void = () => undefined,
    network = this.network,
  ): MemoryStore {
    return overNetwork(network, attempt, "destination", this.destination, (op, key) => {
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
