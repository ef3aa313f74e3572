/**
 * Mutations break the protocol on purpose. Each names stories in which the broken part matters (in other stories another part protects
 * the objects) and the invariant that fails. To add a mutation, add a row: `mutations.test.ts` runs the table.
 */
import type { CopyJob, ReceiverClient } from "../../runtime/protocol/ports";
import type { HeldLease, Lease, LeaseStore } from "../../runtime/replication/lease";
import { withoutProvenance } from "../../runtime/replication/provenance";
import { snapshotId } from "../../runtime/replication/snapshot";
import type { ReceiverDeps } from "../../runtime/roles/receiver/receiver";
import type { MemoryStore } from "../../runtime/stores/memory/store";
import type { ObjectStore } from "../../runtime/stores/object-store";
import type { PullStory, PushStory, SourceAction } from "./script";
import type { Fault, FaultKind } from "./world/network";
import type { PullSabotage, WithLeases } from "./world/pull";
import type { PushSabotage } from "./world/push";

export interface Mutation<Sabotage, Story> {
  sabotage: Sabotage;
  where(story: Story): Partial<Story>;
  /** @default not converged */
  caughtAs?: RegExp;
}

const write = (kind: SourceAction["do"], content: number, after = 0, laterMs = 0): SourceAction => ({
  do: kind,
  key: "a",
  content,
  events: 1,
  laterMs,
  after,
});

const fault = (label: string, nth: number, kind: FaultKind, hold = 0): Fault => ({ label, nth, kind, hold });

/** Number of scheduler steps between the first and the second write. The story draws it. */
const drawnSteps = ({ actions }: PullStory | PushStory, factor = 1): number => (actions[0]?.after ?? 0) * factor;

export const PULL_MUTATIONS: Record<string, Mutation<PullSabotage, PullStory>> = {
  "acknowledge-before-verify": {
    sabotage: {
      sender: (deps) => ({
        ...deps,
        receiver: {
          post: async (request, options) => {
            deps.receiver.post(request, options).catch(() => undefined);
            return { version: 1, receipts: request.notices.map(({ key }) => ({ key, result: "replicated" })) };
          },
        },
      }),
    },
    where: () => ({}),
  },
  "acknowledge-before-enqueue": { sabotage: { acknowledgeFirst: true }, where: () => ({ deletes: "replicate" }) },
  "drop-if-match": {
    sabotage: { uncompared: "pin" },
    where: () => ({ actions: [write("write-large", 0), write("write-large", 1, 20)], sourceChecksums: false }),
    caughtAs: /torn/,
  },
  "skip-re-read": {
    sabotage: { sender: (deps) => ({ ...deps, source: withRepeatedReads(deps.source) }) },
    where: () => ({ actions: [write("write-small", 0), write("write-small", 1, 10)], conditionalWrites: false }),
  },
  "let-old-copier-live": {
    sabotage: {
      receiver: (deps) => ({ ...deps, leases: withExpiredLeases(deps.leases), destination: withoutAborts(deps.destination) }),
      copier: (deps) => ({ ...deps, leases: withForgedLease(deps.leases) }),
    },
    where: (story) => ({
      actions: [write("write-large", 0), write("write-small", 1, drawnSteps(story, 2))],
      conditionalWrites: false,
    }),
  },
  // The receiver crashes after the launch and before it writes the lease. The copier stalls at its last step.
  "lease-after-launch": {
    sabotage: {
      receiver: (deps) => ({ ...deps, ...launchBeforeLease(deps) }),
      copier: (deps, job) => ({ ...deps, leases: withPrivateLease(deps.leases, job) }),
    },
    where: (story) => ({
      actions: [write("write-large", 0), write("write-small", 1, drawnSteps(story, 2))],
      faults: [fault("launch", 1, "lose-answer-and-crash"), fault("destination completeUpload", 1, "stall", 20)],
      conditionalWrites: false,
    }),
  },
  // The copier of the first state completes late, and the message that started it says that nothing was asked before.
  "ask-as-if-fresh": {
    sabotage: { sender: (deps) => ({ ...deps, receiver: withFreshNotices(deps.receiver) }) },
    where: (story) => ({
      actions: [write("write-large", 0), write("write-small", 1, drawnSteps(story, 2))],
      faults: [fault("destination completeUpload", 1, "stall", 40)],
      conditionalWrites: false,
    }),
  },
  // The bytes are equal, so pinned reads do not show that the copy is out of date. Only the stop mark does.
  "skip-stop-mark": {
    sabotage: { receiver: (deps) => ({ ...deps, leases: withoutStopMarks(deps.leases) }) },
    where: (story) => ({ actions: [write("write-large", 0), write("touch", 1, drawnSteps(story, 2))] }),
    caughtAs: /after its stop mark/,
  },
  // A resumed run that has all parts makes no pinned read.
  "skip-source-re-check": {
    sabotage: {
      copier: (deps) => ({
        ...deps,
        reader: { bind: (...of) => ({ ...deps.reader.bind(...of), isCurrent: async () => true }) },
      }),
    },
    where: (story) => ({
      actions: [write("write-large", 0), write("write-small", 1, drawnSteps(story), 4_000 + 500 * drawnSteps(story))],
      faults: [fault("destination head", 2, "refuse")],
      ticksMs: [],
    }),
    caughtAs: /stale/,
  },
  // An old request comes again at rest, after equal bytes were written with other metadata.
  "skip-state-of-the-pin": {
    sabotage: { uncompared: "state" },
    where: () => ({ actions: [write("write-small", 0), write("touch", 1, 0, 100_000)], versionedSource: false, replays: [] }),
    caughtAs: /stale|not converged|replayed request/,
  },
  "skip-tags-at-the-source": {
    sabotage: { uncompared: "tags" },
    where: () => ({ actions: [write("write-small", 0), write("retag", 1, 0, 100_000)], replays: [] }),
    caughtAs: /replayed request/,
  },
  // An old request comes again while a newer object is copied.
  "skip-look-before-stop": {
    sabotage: { uncompared: "look" },
    where: ({ actions }) => ({
      actions: [write("write-large", 0), write("write-large", 1, 0, 100_000)],
      replays: [{ request: 0, after: 20 + (actions[0]?.after ?? 0) }],
    }),
    caughtAs: /stopped the copy of the state/,
  },
  "equality-without-metadata": {
    sabotage: { receiver: (deps, source) => ({ ...deps, destination: withSourceMetadata(deps.destination, source) }) },
    where: () => ({ actions: [write("write-small", 0), write("touch", 1, 40)] }),
  },
  // The old attempt's write stalls, and the sender that would notice it is gone.
  "redeliver-before-hard-end": {
    sabotage: { visibilityMs: 2_000 },
    where: ({ faults }) => ({
      actions: [write("write-small", 0), write("write-small", 1, 10)],
      faults: [...faults, fault("destination put", 1, "stall", 4)],
      conditionalWrites: false,
    }),
  },
};

export const PUSH_MUTATIONS: Record<string, Mutation<PushSabotage, PushStory>> = {
  // The pusher does not read the source again after the copy. The older execution's write stalls.
  "skip-second-look": {
    sabotage: { pusher: (deps) => ({ ...deps, source: withRepeatedReads(deps.source) }) },
    where: (story) => ({
      actions: [write("write-small", 0), write("write-small", 1, drawnSteps(story))],
      faults: [fault("destination put", 1, "stall", 3)],
      ticksMs: [],
    }),
  },
  // The workflow loses the answer of a call whose copy is about to complete.
  "no-lease": {
    sabotage: { pusher: (deps) => ({ ...deps, leases: freeLeases() }) },
    where: (story) => ({
      actions: [write("write-large", 0), write("write-small", 1, drawnSteps(story, 3))],
      faults: [fault("invoke", 1, "lose-answer"), fault("destination completeUpload", 1, "stall", 20)],
      ticksMs: [],
    }),
  },
  // Executions are named by their keys alone. An execution of the first event counts as the second one's.
  "name-without-event": {
    sabotage: { event: (look) => ({ ...look, eventId: "e" }) },
    where: () => ({ actions: [write("write-small", 0), write("write-small", 1, 0, 100_000)] }),
  },
  "repeat-before-hard-end": {
    sabotage: { repeatMs: 1_000 },
    where: () => ({
      actions: [write("write-small", 0), write("write-small", 1, 10)],
      faults: [fault("invoke", 1, "lose-answer"), fault("destination put", 1, "stall", 6)],
      ticksMs: [],
    }),
  },
};

/** A sender that does not say that it asked about a key before. */
function withFreshNotices({ post }: ReceiverClient): ReceiverClient {
  return {
    post: (request, options) =>
      post({ ...request, notices: request.notices.map((notice) => ({ ...notice, askedBefore: undefined })) }, options),
  };
}

/** Returns the result of the first read of a key for the second read as well. */
function withRepeatedReads(store: ObjectStore): ObjectStore {
  const memory = new Map<string, unknown>();
  const alternating = async (name: string, look: () => Promise<unknown>) => {
    const remembered = memory.get(name);
    if (memory.delete(name)) return remembered;
    const seen = await look();
    memory.set(name, seen);
    return seen;
  };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === "head") return (key: string) => alternating(`head ${key}`, () => target.head(key));
      if (name === "getTags") return (key: string) => alternating(`tags ${key}`, () => target.getTags(key));
      return Reflect.get(target, name);
    },
  });
}

/** Makes every lease look expired to the receiver. */
function withExpiredLeases(leases: LeaseStore): LeaseStore {
  return {
    ...leases,
    read: async (key, signal) => {
      const held = await leases.read(key, signal);
      return held && { ...held, lease: { ...held.lease, leaseUntilMs: 0, reported: true } };
    },
  };
}

/** Leaves the old upload open. */
function withoutAborts(store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get: (target, name) => (name === "abortUpload" ? async () => undefined : Reflect.get(target, name)),
  });
}

/** Makes the copier believe that it holds the lease. */
function withForgedLease(leases: LeaseStore): LeaseStore {
  let mine: HeldLease | undefined;
  return {
    ...leases,
    read: async (key, signal) => mine ?? (await leases.read(key, signal)),
    write: async (lease, previous) => {
      mine = { lease, token: previous?.token ?? "" };
      return mine;
    },
  };
}

const isFresh = (lease: Lease): boolean => lease.run === undefined && !lease.stop && lease.outcome === undefined;

/** Makes the receiver start the copier before it writes the lease. */
function launchBeforeLease({ leases, launcher }: WithLeases<ReceiverDeps>): Pick<ReceiverDeps, "leases" | "launcher"> {
  const unwritten = new Map<string, () => Promise<unknown>>();
  return {
    leases: {
      ...leases,
      write: async (lease, previous, signal) => {
        if (!isFresh(lease)) return await leases.write(lease, previous, signal);
        unwritten.set(lease.execution, () => leases.write(lease, previous, signal));
        return { lease, token: "" };
      },
    },
    launcher: {
      start: async (job) => {
        await launcher.start(job);
        await unwritten.get(job.execution)?.();
      },
    },
  };
}

/** Lets the copier begin without a lease. It writes its outcome if a lease is there at its end. */
function withPrivateLease(leases: LeaseStore, { key, execution, snapshot }: CopyJob): LeaseStore {
  const lease: Lease = {
    version: 1,
    key,
    execution,
    snapshotId: snapshotId(snapshot),
    leaseUntilMs: Number.POSITIVE_INFINITY,
    stop: false,
    reported: false,
  };
  let mine: HeldLease = { lease, token: "" };
  return {
    ...leases,
    read: async () => mine,
    write: async (next, _previous, signal) => {
      mine = { lease: next, token: "" };
      const held = next.outcome && (await leases.read(key, signal));
      if (held?.lease.execution === execution) await leases.write({ ...held.lease, ...next }, held, signal);
      return mine;
    },
  };
}

/** Drops stop marks. The receiver believes that they are written. */
function withoutStopMarks(leases: LeaseStore): LeaseStore {
  return {
    ...leases,
    write: async (lease, previous, signal) =>
      lease.stop && previous ? { ...previous, lease } : await leases.write(lease, previous, signal),
  };
}

/** Shows every destination object with the metadata of its source. */
function withSourceMetadata(store: ObjectStore, source: MemoryStore): ObjectStore {
  return new Proxy(store, {
    get: (target, name) => {
      if (name !== "head") return Reflect.get(target, name);
      return async (...args: Parameters<ObjectStore["head"]>) => {
        const head = await target.head(...args);
        const wanted = source.snapshotOf(args[0])?.metadata;
        if (head === undefined || wanted === undefined) return head;
        const own = withoutProvenance(head.metadata);
        const provenance = Object.entries(head.metadata).filter(([key]) => !(key in own));
        return { ...head, metadata: { ...wanted, ...Object.fromEntries(provenance) } };
      };
    },
  });
}

/** A lease store that is private to one function, so that the function finds every lease free. */
function freeLeases(): LeaseStore {
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
