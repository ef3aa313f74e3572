import type { MemoryStore } from "../../../runtime/stores/memory/store";
import type { StoreCapabilities } from "../../../runtime/stores/object-store";
import type { Fault } from "./faults";
import type { Mutation } from "./sabotage";
import type { Steps } from "./steps";
import type { VirtualTime } from "./virtual-time";

export interface WorldOptions {
  scheduler: Steps;
  conditionalWrites: boolean;
  versionedSource: boolean;
  /** Old objects and other vendors' stores have none. */
  sourceChecksums: boolean;
  deletes: "ignore" | "replicate";
  faults: readonly Fault[];
  mutation?: Mutation | undefined;
  /** @default "queue" */
  trigger?: "queue" | "invocation";
  /** The most messages of one delivery. @default 1 */
  batchSize?: number;
  /** @default false */
  statusTags?: boolean;
  /** How far the source's clock is ahead of everybody else's; ms. @default 0 */
  sourceSkewMs?: number;
  /** @default 1,000: no story fails so often */
  maxAttempts?: number;
  /** @default 3,600 */
  urlExpiresInSeconds?: number;
  /** @default 1 */
  triesPerPart?: number;
  /** Beside what the destination can do anyway. */
  destinationCapabilities?: Partial<StoreCapabilities>;
  names?: { source: string; destination: string };
  /** Shared stores and time when two bridges run at once. */
  shared?: { source: MemoryStore; destination: MemoryStore; time: VirtualTime };
}
