/** The copier's role: one run of a long copy that the receiver leased and started. */
import { randomUUID } from "node:crypto";
import type { CopierConfig } from "../../protocol/env";
import { type Clock, type CopyJob, type Deadline, type Logger, systemRandom } from "../../protocol/ports";
import { type CopyDeps, type CopyResult, copyUnderLease } from "../../replication/copy-under-lease";
import { createLeaseStore, type LeaseStore } from "../../replication/lease";
import { createSlots, type Slots } from "../../replication/slots";
import type { SourceReader } from "../../replication/source";
import type { ObjectStore } from "../../stores/object-store";

export interface CopierDeps {
  config: Pick<CopierConfig, "bridgeId" | "sourceId" | "partSizeBytes" | "partsAtOnce" | "timeoutSeconds">;
  destination: ObjectStore;
  reader: SourceReader;
  clock: Clock;
  logger: Logger;
  /** Where leases are kept; in the destination store when absent. */
  leases?: LeaseStore | undefined;
  /** Where the running copies are counted; in the destination store when absent. */
  slots?: Slots | undefined;
  /** How often one part is tried before the run ends with `retry`. @default 4 */
  triesPerPart?: number | undefined;
  /** Whether the first run may copy an object as one stream. @default true */
  mayStream?: boolean | undefined;
  /** Names a run. @default random */
  newId?: (() => string) | undefined;
  /** In [0, 1). */
  random?: (() => number) | undefined;
  sleep?: ((ms: number) => Promise<void>) | undefined;
}

export class Copier {
  private readonly reader: SourceReader;
  private readonly deps: CopyDeps;

  constructor(deps: CopierDeps) {
    this.reader = deps.reader;
    this.deps = {
      ...deps,
      leases: deps.leases ?? createLeaseStore(deps.destination, deps.config.bridgeId),
      slots: deps.slots ?? createSlots(deps.destination, { bridgeId: deps.config.bridgeId, clock: deps.clock }),
      newId: deps.newId ?? randomUUID,
      random: deps.random ?? systemRandom,
      sleep: deps.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
    };
  }

  /** @throws BridgeError when the lease cannot be read or written */
  async run({ url, ...copy }: CopyJob, deadline: Deadline): Promise<CopyResult> {
    return await copyUnderLease(copy, () => this.reader.bind(url, copy.sourceKey), this.deps, deadline);
  }
}
