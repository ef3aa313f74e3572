/** Ways to break push mode on purpose, to see that the invariants notice. */

import type { DecodedLook } from "../../../runtime/protocol/events";
import type { PushState } from "../../../runtime/protocol/push";
import type { HeldLease, LeaseStore } from "../../../runtime/replication/lease";
import type { DispatcherDeps } from "../../../runtime/roles/dispatcher/dispatcher";
import type { PusherDeps } from "../../../runtime/roles/pusher/pusher";
import { advance } from "../../../runtime/roles/pusher/transitions";

export interface Sabotage {
  event?(look: DecodedLook): DecodedLook;
  dispatcher?(deps: DispatcherDeps): DispatcherDeps;
  pusher?(deps: PusherDeps): PusherDeps;
  /** Carries out a step in the pusher's place; undefined leaves it to the pusher. */
  step?(state: PushState): Promise<PushState> | undefined;
  /** Between two tries of one step. */
  repeatMs?: number;
}

export const SABOTAGES = {
  /** What the copy said is believed, and the source is not looked at again. */
  "skip-verify": {
    step: (state) =>
      state.next === "verify" ? Promise.resolve(advance(state, "record", { result: state.result ?? "replicated" })) : undefined,
  },
  "no-lease": { pusher: (deps) => ({ ...deps, leases: alwaysFree() }) },
  /** A removal is named after the state that it brings back, and a finished execution of that state counts for it. */
  "removal-without-event": { event: ({ removal: _removal, ...look }) => look, dispatcher: takesFinishedForDone },
  "finished-is-done": { dispatcher: takesFinishedForDone },
  "running-is-done": { dispatcher: takesRunningForDone },
  "repeat-before-hard-end": { repeatMs: 1_000 },
} as const satisfies Record<string, Sabotage>;

export type Mutation = keyof typeof SABOTAGES;

function takesFinishedForDone(deps: DispatcherDeps): DispatcherDeps {
  const { flow } = deps;
  return {
    ...deps,
    flow: { ...flow, start: async (...of) => ((await flow.start(...of)) === "running" ? "running" : "started") },
  };
}

function takesRunningForDone(deps: DispatcherDeps): DispatcherDeps {
  const { flow } = deps;
  return {
    ...deps,
    flow: { ...flow, start: async (...of) => ((await flow.start(...of)) === "finished" ? "finished" : "started") },
  };
}

/** Each function believes that it is alone. */
function alwaysFree(): LeaseStore {
  let mine: HeldLease | undefined;
  return {
    read: async () => mine,
    write: async (lease) => {
      mine = { lease, token: "" };
      return mine;
    },
    remove: async () => {
      mine = undefined;
    },
  };
}
