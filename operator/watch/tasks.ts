/** Work that the page starts, such as a count or a probe: at most one of each kind runs. */
import { isBridgeError } from "../../runtime/stores/errors";
import { CannotLook, ObjectsFailed, UsageError } from "../command";

/** What a kind of work implements. The page shows a kind only if the server has it. */
export interface Task {
  readonly name: TaskName;
  /** Resolves to a result that is plain JSON. Rejects once the signal aborts. */
  run(context: TaskContext, input: TaskInput): Promise<unknown>;
}

export type TaskName = "count" | "probe" | "verify" | "redrive";

/** What the page says with a start. */
export interface TaskInput {
  /** Of `verify`: only keys that begin with it. */
  prefix?: string | undefined;
  /** Of `verify`: whether bytes are read where no common checksum proves them. */
  bytes?: boolean | undefined;
  /** Of `redrive`: only letters with this reason, as the page shows it. */
  reason?: string | undefined;
}

export interface TaskContext {
  signal: AbortSignal;
  report(progress: TaskProgress): void;
}

export interface TaskProgress {
  done: number;
  total?: number | undefined;
}

export interface TaskState {
  name: TaskName;
  state: "idle" | "running" | "done" | "failed" | "cancelled";
  /** Of the last start. */
  input?: TaskInput | undefined;
  startedMs?: number | undefined;
  endedMs?: number | undefined;
  progress?: TaskProgress | undefined;
  result?: unknown;
  error?: string | undefined;
}

export interface TasksOptions {
  now(): number;
  /** Ends every task. */
  signal: AbortSignal;
  onChange(): void;
  /** Called with an error that is a fault of this program. */
  onFault(error: unknown): void;
}

export class Tasks {
  readonly #states = new Map<TaskName, TaskState>();
  readonly #running = new Map<TaskName, { cancel: AbortController; ended: Promise<void> }>();

  constructor(
    private readonly tasks: readonly Task[],
    private readonly options: TasksOptions,
  ) {
    for (const { name } of tasks) this.#states.set(name, { name, state: "idle" });
  }

  list(): TaskState[] {
    return [...this.#states.values()];
  }

  /** @returns why it was not started */
  start(name: string, input: TaskInput = {}): string | undefined {
    const task = this.tasks.find((one) => one.name === name);
    if (task === undefined) return `there is no task ${name}`;
    if (this.#running.has(task.name)) return `the task ${name} runs already`;
    const cancel = new AbortController();
    this.#running.set(task.name, { cancel, ended: this.#run(task, input, cancel) });
    return undefined;
  }

  /** Does nothing if the task does not run. */
  cancel(name: string): void {
    for (const [running, { cancel }] of this.#running) if (running === name) cancel.abort();
  }

  /** Resolves once no task runs. */
  async settled(): Promise<void> {
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async #run(task: Task, input: TaskInput, cancel: AbortController): Promise<void> {
    const { now, onFault } = this.options;
    const { name } = task;
    const signal = AbortSignal.any([this.options.signal, cancel.signal]);
    const startedMs = now();
    let state: TaskState = { name, state: "running", input, startedMs };
    const change = (changed: Partial<TaskState>) => {
      state = { ...state, ...changed };
      this.#states.set(name, state);
      this.options.onChange();
    };
    change({});
    try {
      const result = await task.run({ signal, report: (progress) => change({ progress }) }, input);
      this.#running.delete(name);
      change({ state: "done", endedMs: now(), result });
    } catch (error) {
      this.#running.delete(name);
      if (signal.aborted) return change({ state: "cancelled", endedMs: now() });
      if (!isExpected(error)) onFault(error);
      change({ state: "failed", endedMs: now(), error: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** Errors of a cloud and of the user, whose message says what to do. */
export const isExpected = (error: unknown): boolean =>
  isBridgeError(error) || error instanceof UsageError || error instanceof CannotLook || error instanceof ObjectsFailed;
