/** Ways to break the protocol on purpose, to see that the invariants notice. */
import type { CopyJob } from "../../../runtime/protocol/ports";
import type { HeldLease, Lease, LeaseStore } from "../../../runtime/replication/lease";
import { withoutProvenance } from "../../../runtime/replication/provenance";
import { snapshotId } from "../../../runtime/replication/snapshot";
import type { CopierDeps } from "../../../runtime/roles/copier/copier";
import type { ReceiverDeps } from "../../../runtime/roles/receiver/receiver";
import type { SenderDeps } from "../../../runtime/roles/sender/sender";
import type { MemoryStore } from "../../../runtime/stores/memory/store";
import type { ObjectStore } from "../../../runtime/stores/object-store";

export interface Sabotage {
  sender?(deps: SenderDeps): SenderDeps;
  receiver?(deps: WithLeases<ReceiverDeps>, source: MemoryStore): ReceiverDeps;
  copier?(deps: WithLeases<CopierDeps>, job: CopyJob): CopierDeps;
  /** Reads take whatever stands there now. */
  unpinned?: true;
  /** The message is deleted before what it asks for is stored again. */
  acknowledgeFirst?: true;
  visibilityMs?: number;
}

type WithLeases<T> = T & { leases: LeaseStore };

export const SABOTAGES = {
  "acknowledge-before-verify": {
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
  "acknowledge-before-enqueue": { acknowledgeFirst: true },
  "drop-if-match": { unpinned: true },
  "skip-re-read": { sender: (deps) => ({ ...deps, source: onceSeen(deps.source) }) },
  "let-old-copier-live": {
    receiver: (deps) => ({ ...deps, leases: everExpired(deps.leases), destination: unfenced(deps.destination) }),
    copier: (deps) => ({ ...deps, leases: everMine(deps.leases) }),
  },
  "lease-after-launch": {
    receiver: (deps) => ({ ...deps, ...launchFirst(deps) }),
    copier: (deps, job) => ({ ...deps, leases: unasked(deps.leases, job) }),
  },
  "skip-stop-mark": { receiver: (deps) => ({ ...deps, leases: unstoppable(deps.leases) }) },
  "skip-source-re-check": {
    copier: (deps) => ({
      ...deps,
      reader: { bind: (url) => ({ ...deps.reader.bind(url), isCurrent: async () => true }) },
    }),
  },
  "equality-without-metadata": {
    receiver: (deps, source) => ({ ...deps, destination: blindToMetadata(deps.destination, source) }),
  },
  "redeliver-before-hard-end": { visibilityMs: 2_000 },
} as const satisfies Record<string, Sabotage>;

export type Mutation = keyof typeof SABOTAGES;

/** The look after an answer is not taken but remembered from the one before. */
function onceSeen(store: ObjectStore): ObjectStore {
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

/** A receiver that takes every copy for dead ... */
function everExpired(leases: LeaseStore): LeaseStore {
  return {
    ...leases,
    read: async (key, signal) => {
      const held = await leases.read(key, signal);
      return held && { ...held, lease: { ...held.lease, leaseUntilMs: 0, reported: true } };
    },
  };
}

/** ... leaves its upload open ... */
function unfenced(store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get: (target, name) => (name === "abortUpload" ? async () => undefined : Reflect.get(target, name)),
  });
}

/** ... and a copier that takes its lease for its own whatever stands there. */
function everMine(leases: LeaseStore): LeaseStore {
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

/** A receiver that starts a copy first and writes it down then ... */
function launchFirst({ leases, launcher }: WithLeases<ReceiverDeps>): Pick<ReceiverDeps, "leases" | "launcher"> {
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

/** ... and a copier that needs no lease to begin. It still gives its last word where one is. */
function unasked(leases: LeaseStore, { key, execution, snapshot }: CopyJob): LeaseStore {
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

/** A receiver that believes its mark to be written. */
function unstoppable(leases: LeaseStore): LeaseStore {
  return {
    ...leases,
    write: async (lease, previous, signal) =>
      lease.stop && previous ? { ...previous, lease } : await leases.write(lease, previous, signal),
  };
}

/** Every destination object seems to have the metadata that it should have. */
function blindToMetadata(store: ObjectStore, source: MemoryStore): ObjectStore {
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
