import type { ApiError } from "../contracts";
import type { Instance } from "./instance";

export interface InstancePoolOptions {
  /** @throws ApiError when an instance cannot be started. */
  start: () => Instance;
  /** Processes side by side. */
  maxInstances: () => number;
  /** The refusal of a synchronous invocation when the function already has as many as it may. */
  refusal: (taken: number) => ApiError | undefined;
  idleMs: number;
}

interface Waiter {
  resolve(instance: Instance): void;
  reject(error: unknown): void;
}

interface Member {
  busy: boolean;
  /** Runs old code: takes nothing new. */
  retired: boolean;
  idleTimer?: NodeJS.Timeout;
}

/** The processes of one function: made on demand, one invocation each, ended when idle. */
export class InstancePool {
  private readonly members = new Map<Instance, Member>();
  private readonly waiting: Record<"sync" | "async", Waiter[]> = { sync: [], async: [] };
  private closedBy: ApiError | undefined;

  constructor(private readonly options: InstancePoolOptions) {}

  /**
   * An instance that is the caller's until `release`. Synchronous invocations come first, as somebody waits for them.
   * @throws ApiError 429 for a synchronous one beyond the limit
   */
  async acquire(kind: "sync" | "async"): Promise<Instance> {
    if (this.closedBy !== undefined) throw this.closedBy;
    const refusal = kind === "sync" ? this.options.refusal(this.busy() + this.waiting.sync.length) : undefined;
    if (refusal !== undefined) throw refusal;
    return new Promise((resolve, reject) => {
      this.waiting[kind].push({ resolve, reject });
      this.pump();
    });
  }

  release(instance: Instance): void {
    const member = this.members.get(instance);
    if (member !== undefined) {
      member.busy = false;
      if (member.retired) instance.kill();
      else member.idleTimer = setTimeout(() => instance.kill(), this.options.idleMs).unref();
    }
    this.pump();
  }

  pids(): number[] {
    return [...this.members.keys()].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Lets no instance of now take anything new. Resolves when all of them have ended. */
  async retire(): Promise<void> {
    const old = [...this.members];
    for (const [instance, member] of old) {
      member.retired = true;
      if (!member.busy) instance.kill();
    }
    await Promise.all(old.map(([instance]) => instance.ended));
  }

  /** Ends everything at once; who waits gets the error. */
  async close(error: ApiError): Promise<void> {
    this.closedBy = error;
    for (const waiter of [...this.waiting.sync.splice(0), ...this.waiting.async.splice(0)]) waiter.reject(error);
    const all = [...this.members.keys()];
    for (const instance of all) instance.kill();
    await Promise.all(all.map((instance) => instance.ended));
  }

  /** Gives instances to who waits, as far as there may be some. */
  pump(): void {
    for (;;) {
      const queue = this.waiting.sync.length > 0 ? this.waiting.sync : this.waiting.async;
      if (queue.length === 0) return;
      let instance = this.idle();
      if (instance === undefined && this.members.size >= this.options.maxInstances()) return;
      const waiter = queue.shift() as Waiter;
      try {
        instance ??= this.add();
        waiter.resolve(this.take(instance));
      } catch (error) {
        waiter.reject(error);
      }
    }
  }

  private busy(): number {
    return [...this.members.values()].filter((member) => member.busy).length;
  }

  /** The one used last, so that the others may end. */
  private idle(): Instance | undefined {
    return [...this.members].findLast(([instance, member]) => !member.busy && !member.retired && instance.usable)?.[0];
  }

  private add(): Instance {
    const instance = this.options.start();
    this.members.set(instance, { busy: false, retired: false });
    void instance.ended.then(() => {
      clearTimeout(this.members.get(instance)?.idleTimer);
      this.members.delete(instance);
      if (this.closedBy === undefined) this.pump();
    });
    return instance;
  }

  private take(instance: Instance): Instance {
    const member = this.members.get(instance);
    if (member === undefined) return instance;
    clearTimeout(member.idleTimer);
    member.busy = true;
    return instance;
  }
}
