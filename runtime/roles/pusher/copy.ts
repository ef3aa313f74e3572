/**
 * Makes the destination equal to a source state, as the receiver and the copier do it in pull mode, in one function: a copy that the
 * receiver starts runs right here, in the time that is left.
 */

import type { PusherConfig } from "../../protocol/env";
import type { Receipt } from "../../protocol/messages";
import type { Clock, CopyJob, Logger } from "../../protocol/ports";
import type { ObjectSnapshot } from "../../protocol/snapshot";
import type { LeaseStore } from "../../replication/lease";
import { BridgeError } from "../../stores/errors";
import type { ObjectStore } from "../../stores/object-store";
import { type CopierResult, createCopier } from "../copier/copier";
import { createReceiver } from "../receiver/receiver";
import { createStoreReader, storeAddress } from "./store-reader";

export interface CopyDeps {
  config: PusherConfig;
  source: ObjectStore;
  destination: ObjectStore;
  leases: LeaseStore;
  clock: Clock;
  logger: Logger;
  newId(): string;
  random(): number;
  sleep?(ms: number): Promise<void>;
}

export interface CopyContext {
  /** Time until this step must have written what it writes at once. */
  inlineMs(): number;
  /** Time until the platform ends this attempt. */
  remainingMs(): number;
}

export interface Copied extends Omit<Receipt, "key" | "result" | "bytesMoved"> {
  result: Receipt["result"] | CopierResult["result"];
  bytesMoved: number;
}

/** @param snapshot undefined stands for absent */
export type Copy = (key: string, snapshot: ObjectSnapshot | undefined, context: CopyContext) => Promise<Copied>;

export function createCopy(deps: CopyDeps): Copy {
  const { config, destination, leases, clock, logger, newId } = deps;
  const reader = createStoreReader(deps.source);
  const copier = createCopier({
    config,
    destination,
    reader,
    clock,
    logger,
    leases,
    newId,
    random: deps.random,
    ...(deps.sleep === undefined ? {} : { sleep: deps.sleep }),
  });

  return async (key, snapshot, context) => {
    let job: CopyJob | undefined;
    const receiver = createReceiver({
      config,
      destination,
      reader,
      launcher: {
        start: async (started) => {
          job = started;
        },
      },
      clock,
      logger,
      newId,
      leases,
    });
    const url = storeAddress(key);
    const notice =
      snapshot === undefined ? { key, url, state: "absent" as const } : { key, url, state: "present" as const, snapshot };
    const request = { version: 1 as const, bridgeId: config.bridgeId, notices: [notice] };
    const [receipt] = await receiver(request, { remainingMs: context.inlineMs });
    if (job !== undefined) return await carryOut(job, context);
    if (receipt === undefined) throw new BridgeError("Unexpected", "copy", "the notice was not answered");
    return { bytesMoved: 0, ...receipt };
  };

  async function carryOut(job: CopyJob, context: CopyContext): Promise<Copied> {
    const outcome = await copier(job, { remainingMs: context.remainingMs });
    if (outcome.result === "retry" || outcome.result === "rejected") await markReported(job);
    return { bytesMoved: 0, ...outcome };
  }

  /** The outcome is known here: the next look at the lease would otherwise tell it once more, as another failure. */
  async function markReported({ key, execution }: CopyJob): Promise<void> {
    try {
      const held = await leases.read(key);
      if (held?.lease.execution !== execution || held.lease.outcome === undefined) return;
      await leases.write({ ...held.lease, reported: true }, held);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      logger.warn("the failure will count twice", { key, error });
    }
  }
}
