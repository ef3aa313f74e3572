/** One execution of a flow, from its start to its end. */
import type { ExecutionRecord } from "../contracts";
import type { Clock } from "./clock";
import type { Definition } from "./definition";
import { FlowError } from "./flow-error";
import { History } from "./history";
import type { Invoker } from "./invoke-function";
import type { JsonObject } from "./json";
import { runFlow } from "./run-flow";

export interface StartOptions {
  region: string;
  flowName: string;
  name: string;
  input: JsonObject;
  /** The definition at the start; later updates of the flow do not change it. */
  definition: Definition;
  definitionText: string;
  roleArn: string;
  clock: Clock;
  invoke: Invoker;
}

/** The reason of a stop. */
class Stopped extends Error {
  constructor(
    readonly code: string,
    readonly detail: string,
  ) {
    super(detail);
  }
}

export class Execution {
  status: ExecutionRecord["status"] = "Running";
  output: string | undefined;
  stoppedAt: number | undefined;
  readonly startedAt: number;
  readonly name: string;
  readonly flowName: string;
  readonly input: string;
  readonly definitionText: string;
  /** Undefined when it is no longer kept. */
  history: History | undefined;
  /** Resolves when the execution has ended; never rejects. */
  readonly done: Promise<void>;
  private readonly abort = new AbortController();

  constructor(options: StartOptions) {
    const { clock, name, flowName, input, definitionText } = options;
    this.startedAt = clock.now();
    this.name = name;
    this.flowName = flowName;
    this.input = JSON.stringify(input);
    this.definitionText = definitionText;
    const history = new History(clock.now);
    this.history = history;
    history.add("ExecutionStarted", "", { input });
    this.done = this.run(options, history).finally(() => {
      this.stoppedAt = clock.now();
    });
  }

  get running(): boolean {
    return this.status === "Running";
  }

  stop(code: string, detail: string): void {
    this.abort.abort(new Stopped(code, detail));
  }

  record(): ExecutionRecord {
    const { name, flowName, status, input, output, startedAt, stoppedAt } = this;
    const startedTime = new Date(startedAt).toISOString();
    const ended = stoppedAt === undefined ? {} : { stoppedTime: new Date(stoppedAt).toISOString() };
    return { name, flowName, status, input, startedTime, ...(output === undefined ? {} : { output }), ...ended };
  }

  private async run(options: StartOptions, history: History): Promise<void> {
    const { region, name, input, definition, roleArn, clock, invoke } = options;
    const { signal } = this.abort;
    try {
      // Lets StartExecution answer before the first state begins.
      await Promise.resolve();
      const output = await runFlow({
        definition,
        execution: { Name: name, Input: input, RoleArn: roleArn },
        history,
        clock,
        signal,
        invoke: (task, body) => untilAborted(invoke({ region, roleArn, name }, task, body), signal),
      });
      this.output = JSON.stringify(output);
      this.status = "Succeeded";
      history.end("ExecutionSucceeded", { output });
    } catch (error) {
      if (signal.aborted && signal.reason instanceof Stopped) {
        this.status = "Stopped";
        history.end("ExecutionStopped", { error: signal.reason.code, cause: signal.reason.detail });
        return;
      }
      this.status = "Failed";
      const { code, detail } = error instanceof FlowError ? error : { code: "InternalServerError", detail: String(error) };
      history.end("ExecutionFailed", { error: code, cause: detail });
    }
  }
}

/** Rejects when the signal aborts. A running function goes on; its result is ignored. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    void work.then(resolve, reject).then(() => signal.removeEventListener("abort", stop));
  });
}
