import type { ApiError } from "../contracts";
import type { FunctionInstance } from "./instance";

export interface InstancePoolOptions {
  /** @throws ApiError when an instance cannot be started */
  start: () => FunctionInstance;
  /** The most processes at the same time. */
  maxInstances: () => number;
  /** Invocations that one process runs at the same time. */
  perInstance: () => number;
  /** The error of a synchronous invocation beyond the limit; undefined within it. */
  refusal: (taken: number) => ApiError | undefined;
  idleMs: number;
}

interface Waiter {
  resolve(instance: FunctionInstance): void;
  reject(error: unknown): void;
}

interface Member {
  /** Invocations that it runs now. */
  running: number;
  /** Has old code and gets no more invocations. */
  retired: boolean;
  idleTimer?: NodeJS.Timeout;
}

/**
 * The processes of one function: started on demand, ended when idle. A new one is started only when all others run as many invocations as they may.
 * https://www.alibabacloud.com/help/en/functioncompute/fc/configure-the-concurrency-of-a-single-instance
 */
export class InstancePool {
  private readonly members = new Map<FunctionInstance, Member>();
  private readonly waiting: Record<"sync" | "async", Waiter[]> = { sync: [], async: [] };
  private closedBy: ApiError | undefined;

  constructor(private readonly options: InstancePoolOptions) {}

  /**
   * Reserves a place in an instance until `release`. Synchronous invocations come first, because their callers wait.
   * @throws ApiError 429 for a synchronous one beyond the limit
   */
  async acquire(kind: "sync" | "async"): Promise<FunctionInstance> {
    if (this.closedBy !== undefined) throw this.closedBy;
    const refusal = kind === "sync" ? this.options.refusal(this.running() + this.waiting.sync.length) : undefined;
    if (refusal !== undefined) throw refusal;
    return new Promise((resolve, reject) => {
      this.waiting[kind].push({ resolve, reject });
      this.pump();
    });
  }

  release(instance: FunctionInstance): void {
    const member = this.members.get(instance);
    if (member !== undefined) {
      member.running -= 1;
      if (member.running === 0) this.rest(instance, member);
    }
    this.pump();
  }

  pids(): number[] {
    return [...this.members.keys()].flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  /** Gives no more invocations to the current instances. Resolves when all of them have ended. */
  async retire(): Promise<void> {
    const old = [...this.members];
    for (const [instance, member] of old) {
      member.retired = true;
      if (member.running === 0) instance.kill();
    }
    await Promise.all(old.map(([instance]) => instance.ended));
  }

  /** Kills all instances. Waiting invocations reject with the error. */
  async close(error: ApiError): Promise<void> {
    this.closedBy = error;
    for (const waiter of [...this.waiting.sync.splice(0), ...this.waiting.async.splice(0)]) waiter.reject(error);
    const all = [...this.members.keys()];
    for (const instance of all) instance.kill();
    await Promise.all(all.map((instance) => instance.ended));
  }

  /** Gives instances to waiting invocations within the limit. */
  pump(): void {
    for (;;) {
      const queue = this.waiting.sync.length > 0 ? this.waiting.sync : this.waiting.async;
      if (queue.length === 0) return;
      let instance = this.withRoom();
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

  /** Nothing runs in it. */
  private rest(instance: FunctionInstance, member: Member): void {
    if (member.retired) instance.kill();
    else member.idleTimer = setTimeout(() => instance.kill(), this.options.idleMs).unref();
  }

  private running(): number {
    return [...this.members.values()].reduce((sum, member) => sum + member.running, 0);
  }

  /** The most recently used one, so that the others become idle and end. */
  private withRoom(): FunctionInstance | undefined {
    const most = this.options.perInstance();
    return [...this.members].findLast(([instance, { running, retired }]) => running < most && !retired && instance.usable)?.[0];
  }

  private add(): FunctionInstance {
    const instance = this.options.start();
    this.members.set(instance, { running: 0, retired: false });
    void instance.ended.then(() => {
      clearTimeout(this.members.get(instance)?.idleTimer);
      this.members.delete(instance);
      if (this.closedBy === undefined) this.pump();
    });
    return instance;
  }

  private take(instance: FunctionInstance): FunctionInstance {
    const member = this.members.get(instance);
    if (member === undefined) return instance;
    clearTimeout(member.idleTimer);
    member.running += 1;
    return instance;
  }
}
