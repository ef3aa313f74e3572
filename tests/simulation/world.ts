/**
 * Two clouds, a queue and the functions in memory, under a fake clock and fast-check's scheduler. The roles are the real ones; only what
 * surrounds them is replaced. Every effect has a request and an answer that the scheduler delays at will, in which a function may crash,
 * an effect may fail, and an answer may get lost. What a dead function had sent may still land for a moment.
 */
import type fc from "fast-check";
import {
  type Clock,
  type CopyJob,
  type Logger,
  type Look,
  type Metrics,
  ReceiverUnreachable,
  type SourceReader,
} from "../../runtime/ports";
import type { CopierConfig, ReceiverConfig, SenderConfig } from "../../runtime/protocol/env";
import type { ReplicationRequest, ReplicationResponse } from "../../runtime/protocol/messages";
import { createReceiver } from "../../runtime/receiver/receiver";
import { createLeaseStore, type HeldLease, type LeaseStore } from "../../runtime/replication/lease";
import { createSender } from "../../runtime/sender/sender";
import { BridgeError } from "../../runtime/stores/errors";
import { MemoryStore, parseMemoryUrl } from "../../runtime/stores/memory";
import type { ObjectStore } from "../../runtime/stores/object-store";
import { createCopier } from "../../runtime/workflow/copier";
import { readerOf } from "./source-reader";

export const LIMITS = {
  senderMs: 60_000,
  receiverMs: 29_000,
  copierMs: 120_000,
  /** How long a request that its sender no longer waits for may still land. */
  networkMs: 3_000,
  visibilityMs: 100_000,
  inlineBytes: 8,
  partBytes: 4,
} as const;

/**
 * What befalls one effect: its function crashes before it, it fails, its answer gets lost, or the network holds it back while everything else
 * that can happen does (a scheduler that picks at random almost never waits that long by itself).
 */
export type FaultKind = "crash" | "refuse" | "lose-answer" | "lose-answer-and-crash" | "stall" | "stall-and-crash";

/** The `nth` effect with this label fails so; a stall lasts `hold` passings of time. */
export interface Fault {
  label: string;
  nth: number;
  kind: FaultKind;
  hold: number;
}

/** Ways to break the protocol on purpose, to see that the invariants notice. */
export type Mutation =
  | "acknowledge-before-verify"
  | "drop-if-match"
  | "skip-re-read"
  | "let-old-copier-live"
  | "redeliver-before-hard-end";

export interface WorldOptions {
  scheduler: fc.Scheduler;
  conditionalWrites: boolean;
  versionedSource: boolean;
  /** Old objects and other vendors' stores have none. */
  sourceChecksums: boolean;
  deletes: "ignore" | "replicate";
  faults: readonly Fault[];
  mutation?: Mutation | undefined;
  names?: { source: string; destination: string };
  /** Shared stores and time when two bridges run at once. */
  shared?: { source: MemoryStore; destination: MemoryStore; time: VirtualTime };
}

interface Message {
  id: string;
  look: Look;
  visibleAtMs: number;
  inFlight: boolean;
}

/** A running function. */
class Attempt {
  dead = false;
  private readonly onDeath: (() => void)[] = [];
  constructor(
    readonly name: string,
    readonly deadlineMs: number,
  ) {}
  die(): void {
    if (this.dead) return;
    this.dead = true;
    for (const notify of this.onDeath) notify();
  }
  whenDead(notify: () => void): void {
    this.onDeath.push(notify);
  }
}

export class VirtualTime implements Clock {
  private nowMs = Date.parse("2026-01-01T00:00:00Z");
  private readonly stalled: (() => void)[] = [];
  private readonly alarms: { atMs: number; controller: AbortController }[] = [];
  readonly attempts = new Set<Attempt>();
  now(): number {
    return this.nowMs;
  }
  after(ms: number): AbortSignal {
    const controller = new AbortController();
    this.alarms.push({ atMs: this.nowMs + ms, controller });
    return controller.signal;
  }
  /** Whether something is held back until time passes. */
  get holdsBack(): boolean {
    return this.stalled.length > 0;
  }
  /** Resolves when time has passed. */
  passes(): Promise<void> {
    return new Promise((resolve) => this.stalled.push(resolve));
  }
  advance(ms: number): void {
    this.nowMs += ms;
    for (const alarm of this.alarms.splice(0)) {
      if (alarm.atMs <= this.nowMs) alarm.controller.abort();
      else this.alarms.push(alarm);
    }
    for (const attempt of this.attempts) if (attempt.deadlineMs <= this.nowMs) attempt.die();
    for (const release of this.stalled.splice(0)) release();
  }
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
/** Only what was simulated may fail; anything else is a defect of the code under test. */
const comesBack = (error: unknown): void => {
  if (!(error instanceof BridgeError)) throw error;
};
const unmeasured: Metrics = { add: () => undefined };

export class World {
  readonly time: VirtualTime;
  readonly source: MemoryStore;
  readonly destination: MemoryStore;
  readonly parked: { look: Look; reason: string }[] = [];
  readonly messages: Message[] = [];
  private readonly control: MemoryStore;
  private readonly scheduler: fc.Scheduler;
  private readonly counts = new Map<string, number>();
  private ids = 0;
  private faultsOver = false;
  private readonly bridgeId: string;

  constructor(private readonly options: WorldOptions) {
    this.scheduler = options.scheduler;
    this.time = options.shared?.time ?? new VirtualTime();
    const capabilities = { minPartSizeBytes: 1 };
    const names = options.names ?? { source: "source", destination: "destination" };
    this.bridgeId = `${names.source}-to-${names.destination}`;
    this.source =
      options.shared?.source ??
      new MemoryStore({
        clock: this.time,
        capabilities: { ...capabilities, ...(options.sourceChecksums ? {} : { checksums: [], multipartChecksums: [] }) },
        versioned: options.versionedSource,
        name: names.source,
      });
    this.destination =
      options.shared?.destination ??
      new MemoryStore({
        clock: this.time,
        capabilities: {
          ...capabilities,
          conditionalWrites: options.conditionalWrites,
          conditionalCreate: options.conditionalWrites,
        },
        name: names.destination,
      });
    this.control = new MemoryStore({ clock: this.time, name: "control" });
  }

  /** A source event: now in the queue, as often as it is duplicated. */
  notify(key: string, copies = 1): void {
    for (let copy = 0; copy < copies; copy++) this.add({ key, attempt: 0, firstSeenMs: this.time.now() }, 0);
  }

  /** From here on nothing breaks any more. */
  endFaults(): void {
    this.faultsOver = true;
  }

  /** Whether anything is still to be done. */
  get idle(): boolean {
    return this.messages.length === 0;
  }

  /** When the next message becomes visible, if time has to pass for one. */
  nextVisibleMs(): number | undefined {
    const times = this.messages.map((message) => message.visibleAtMs).filter((atMs) => atMs > this.time.now());
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Schedules the delivery of what is visible. */
  deliverVisible(): void {
    for (const message of this.messages) {
      if (message.inFlight && message.visibleAtMs <= this.time.now()) message.inFlight = false;
      if (message.inFlight || message.visibleAtMs > this.time.now()) continue;
      message.inFlight = true;
      message.visibleAtMs = Number.POSITIVE_INFINITY;
      void this.scheduler.schedule(Promise.resolve(), `deliver ${message.id}`).then(() => this.deliver(message));
    }
  }

  private add(look: Look, delayMs: number): void {
    this.messages.push({ id: `m${++this.ids}`, look, visibleAtMs: this.time.now() + delayMs, inFlight: false });
    this.deliverVisible();
  }

  private deliver(message: Message): void {
    if (!this.messages.includes(message)) return;
    // A message stays hidden from the moment it is received, whatever becomes of its receiver.
    const visibilityMs = this.options.mutation === "redeliver-before-hard-end" ? 2_000 : LIMITS.visibilityMs;
    message.visibleAtMs = this.time.now() + visibilityMs;
    const attempt = this.begin(`sender ${message.id}`, LIMITS.senderMs);
    void this.runSender(attempt, message);
  }

  private begin(name: string, limitMs: number): Attempt {
    const attempt = new Attempt(name, this.time.now() + limitMs);
    this.time.attempts.add(attempt);
    attempt.whenDead(() => this.time.attempts.delete(attempt));
    return attempt;
  }

  private async runSender(attempt: Attempt, message: Message): Promise<void> {
    const sender = createSender({
      config: this.senderConfig(),
      source:
        this.options.mutation === "skip-re-read"
          ? onceSeen(this.effects(attempt, this.source))
          : this.effects(attempt, this.source),
      receiver: { post: (request) => this.post(attempt, request) },
      queue: {
        enqueue: (look, delaySeconds) => this.effect(attempt, "enqueue", async () => this.add(look, delaySeconds * 1000)),
      },
      deadLetters: {
        park: (look, reason) => this.effect(attempt, "park", async () => void this.parked.push({ look, reason })),
      },
      clock: this.time,
      logger: quiet,
      metrics: unmeasured,
      random: () => 0.5,
    });
    const record = { messageId: message.id, looks: [{ bucket: this.source.name, ...message.look }] };
    const { failures } = await sender([record], { remainingMs: () => attempt.deadlineMs - this.time.now() });
    // The platform deletes what the function did not report as failed; a crash in between leaves the message.
    if (failures.length === 0) {
      const acknowledged = this.effect(attempt, "acknowledge", async () => {
        const index = this.messages.indexOf(message);
        if (index >= 0) this.messages.splice(index, 1);
      });
      await acknowledged.catch(comesBack);
    }
    attempt.die();
  }

  /** One request to the receiver, which runs as a function of its own and may outlive the one that asked. */
  private async post(asking: Attempt, request: ReplicationRequest): Promise<ReplicationResponse> {
    const unreachable = (attemptMayRun: boolean) => new ReceiverUnreachable("simulated", { attemptMayRun, retryable: true });
    let running: Promise<ReplicationResponse> | undefined;
    try {
      return await this.effect(asking, "post", () => {
        running = this.runReceiver(request, unreachable);
        if (this.options.mutation === "acknowledge-before-verify") {
          running.catch(() => undefined);
          return Promise.resolve({
            version: 1 as const,
            receipts: request.notices.map(({ key }) => ({ key, result: "replicated" as const })),
          });
        }
        return running;
      });
    } catch (error) {
      throw error instanceof ReceiverUnreachable ? error : unreachable(running !== undefined);
    }
  }

  private runReceiver(request: ReplicationRequest, unreachable: (attemptMayRun: boolean) => Error): Promise<ReplicationResponse> {
    const attempt = this.begin("receiver", LIMITS.receiverMs);
    const receiver = createReceiver({
      config: this.receiverConfig(),
      destination:
        this.options.mutation === "let-old-copier-live"
          ? unfenced(this.effects(attempt, this.destination))
          : this.effects(attempt, this.destination),
      reader: this.reader(attempt),
      launcher: { start: (job) => this.effect(attempt, "launch", async () => this.launch(job)) },
      clock: this.time,
      logger: quiet,
      newId: () => `x${++this.ids}`,
      leases: this.options.mutation === "let-old-copier-live" ? everExpired(this.leases(attempt)) : this.leases(attempt),
    });
    return new Promise((resolve, reject) => {
      attempt.whenDead(() => reject(unreachable(true)));
      receiver(request, { remainingMs: () => attempt.deadlineMs - this.time.now() }).then((receipts) => {
        resolve({ version: 1, receipts });
        attempt.die();
      }, reject);
    });
  }

  private launch(job: CopyJob): void {
    void this.scheduler.schedule(Promise.resolve(), `copier ${job.execution} begins`).then(async () => {
      const attempt = this.begin(`copier ${job.execution}`, LIMITS.copierMs);
      const copier = createCopier({
        config: this.copierConfig(),
        destination: this.effects(attempt, this.destination),
        reader: this.reader(attempt),
        clock: this.time,
        logger: quiet,
        leases: this.options.mutation === "let-old-copier-live" ? everMine(this.leases(attempt)) : this.leases(attempt),
        triesPerPart: 1,
      });
      // A run that throws ends like one that crashed: its lease runs out.
      await copier(job, { remainingMs: () => attempt.deadlineMs - this.time.now() }).catch(comesBack);
      attempt.die();
    });
  }

  private leases(attempt: Attempt): LeaseStore {
    return createLeaseStore(this.effects(attempt, this.control), this.bridgeId);
  }

  private reader(attempt: Attempt): SourceReader {
    return readerOf(this.effects(attempt, this.source), this.time, this.options.mutation === "drop-if-match");
  }

  /** Every method of a store as an effect. */
  private effects(attempt: Attempt, store: MemoryStore): ObjectStore {
    const role = store === this.source ? "source" : store === this.destination ? "destination" : "control";
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]) => {
          const { signal, sent } = withoutSignal(args);
          const effect = this.effect(attempt, `${role} ${String(name)}`, async () => await Reflect.apply(member, target, sent));
          return signal === undefined ? effect : Promise.race([effect, abandoned(signal, String(name))]);
        };
      },
    });
  }

  private async effect<T>(attempt: Attempt, label: string, run: () => Promise<T>): Promise<T> {
    if (attempt.dead) return await never();
    const { kind: fault, hold = 0 } = this.faultAt(label) ?? {};
    if (fault === "stall-and-crash") attempt.die();
    if (fault === "stall" || fault === "stall-and-crash") for (let time = 0; time < hold; time++) await this.time.passes();
    await this.scheduler.schedule(Promise.resolve(), `${attempt.name}: ${label}`);
    const nowMs = this.time.now();
    if (fault === "crash") attempt.die();
    // What a dead function had sent lands within the network's patience, or never.
    if (attempt.dead && (fault === "crash" || nowMs > attempt.deadlineMs + LIMITS.networkMs)) return await never();
    if (fault === "refuse") throw new BridgeError("Unavailable", label, "simulated failure before the effect");
    const result = await run();
    await this.scheduler.schedule(Promise.resolve(), `${attempt.name}: ${label} answered`);
    if (fault === "lose-answer-and-crash") attempt.die();
    if (attempt.dead) return await never();
    if (fault === "lose-answer") throw new BridgeError("Unavailable", label, "simulated loss of the answer");
    return result;
  }

  private faultAt(label: string): Fault | undefined {
    if (this.faultsOver) return undefined;
    const nth = (this.counts.get(label) ?? 0) + 1;
    this.counts.set(label, nth);
    return this.options.faults.find((fault) => fault.label === label && fault.nth === nth);
  }

  private identity() {
    return {
      bridgeId: this.bridgeId,
      sourceId: `memory:${this.source.name}`,
      destinationId: `memory:${this.destination.name}`,
      logLevel: "error" as const,
    };
  }

  private senderConfig(): SenderConfig {
    return {
      ...this.identity(),
      source: { kind: "s3", bucket: this.source.name, region: "memory" },
      scope: { prefixes: [], suffixes: [], tags: {}, minSizeBytes: 0 },
      deletes: this.options.deletes,
      statusTags: false,
      queueUrl: "memory:queue",
      deadLetterUrl: "memory:dead-letters",
      receiverUrl: "https://receiver.invalid/",
      auth: { kind: "token", parameter: "token" },
      urlExpiresInSeconds: 3600,
      receiverTimeoutSeconds: LIMITS.receiverMs / 1000,
      maxAttempts: 1000,
    };
  }

  private destinationSide() {
    return {
      ...this.identity(),
      destination: { kind: "s3" as const, bucket: this.destination.name, region: "memory" },
      destinationPrefix: "",
      allowedSources: [{ origin: "https://source.invalid", pathPrefix: "/" }],
    };
  }

  private receiverConfig(): ReceiverConfig {
    return {
      ...this.destinationSide(),
      auth: { kind: "token", parameter: "token" },
      inlineLimitBytes: LIMITS.inlineBytes,
      timeoutSeconds: LIMITS.receiverMs / 1000,
      copier: { functionName: "copier", timeoutSeconds: LIMITS.copierMs / 1000 },
      allowedCidrs: [],
    };
  }

  private copierConfig(): CopierConfig {
    return { ...this.destinationSide(), timeoutSeconds: LIMITS.copierMs / 1000, partSizeBytes: LIMITS.partBytes, concurrency: 2 };
  }
}

/** Giving up on a request does not call it back: it is sent without its signal, and may land after its caller has gone on. */
function withoutSignal(args: readonly unknown[]): { signal: AbortSignal | undefined; sent: unknown[] } {
  const last = args.at(-1);
  if (typeof last !== "object" || last === null || !("signal" in last)) return { signal: undefined, sent: [...args] };
  const { signal, ...rest } = last as { signal: AbortSignal };
  return { signal, sent: [...args.slice(0, -1), rest] };
}

function abandoned(signal: AbortSignal, op: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    const give = () => reject(new BridgeError("Unavailable", op, "given up"));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}

/** Mutation: the look after an answer is not taken but remembered from the one before. */
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

/** Mutation: a receiver that takes every copy for dead ... */
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
