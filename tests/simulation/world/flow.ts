/** A workflow service. Its durable executions call the pusher like the deployed definition. */
import type { FlowStarter } from "../../../runtime/protocol/ports";
import { type PushCall, type PushState, parsePushCall, parsePushState, Unfinished } from "../../../runtime/protocol/push";
import { LIMITS } from "./config";
import { effect, type Network } from "./network";
import type { Attempt } from "./time";

export interface Execution {
  readonly name: string;
  /** JSON, as the starter sent it. */
  readonly input: string;
  status: "Running" | "Succeeded" | "Failed";
  /** Its current or last state. */
  state: PushState;
}

export interface FlowOptions {
  network: Network;
  /** Time between two tries of one call; ms. */
  repeatMs: number;
  /** Calls the pusher. Rejects with `Unfinished`, or with `InvocationFailed` when the workflow gets no result. */
  invoke(call: PushCall, execution: string): Promise<PushState>;
}

export class Flow {
  readonly executions = new Map<string, Execution>();

  constructor(private readonly options: FlowOptions) {}

  get idle(): boolean {
    return [...this.executions.values()].every(({ status }) => status !== "Running");
  }

  /** The service over the network, for one function. */
  starterFor(attempt: Attempt): FlowStarter {
    const { network } = this.options;
    return {
      start: (name, input) => effect(network, attempt, "flow start", async () => this.start(name, JSON.stringify(input))),
      describe: (name) =>
        effect(network, attempt, "flow describe", async () => {
          const known = this.executions.get(name);
          return known && { status: known.status, input: known.input };
        }),
    };
  }

  private start(name: string, input: string): "started" | "running" | "finished" {
    const known = this.executions.get(name);
    if (known !== undefined) {
      if (known.status !== "Running") return "finished";
      return known.input === input ? "started" : "running";
    }
    const execution: Execution = { name, input, status: "Running", state: parsePushState(JSON.parse(input)) };
    this.executions.set(name, execution);
    void this.run(execution);
    return "started";
  }

  private async run(execution: Execution): Promise<void> {
    const { time, steps } = this.options.network;
    const { name } = execution;
    const enter = async (what: string) => void (await steps.schedule(Promise.resolve(), `flow ${name}: ${what}`));
    execution.state = await this.first(execution, enter);
    while (execution.state.next !== "done") {
      const { next, waitSeconds } = execution.state;
      await enter(next);
      if (next === "wait") {
        if (waitSeconds === undefined) throw new Error("a wait without its seconds");
        await time.sleep(waitSeconds * 1000);
      }
      execution.state = await this.again({ why: "again", state: execution.state }, name);
    }
    execution.status = execution.state.result === "parked" ? "Failed" : "Succeeded";
  }

  /** The state after the first call. If it has not ended the key, its error carries the state. */
  private async first({ state, name }: Execution, enter: (what: string) => Promise<void>): Promise<PushState> {
    await enter("first");
    try {
      return await this.call({ why: "first", state }, name);
    } catch (error) {
      if (error instanceof Unfinished) return await this.again({ why: "resume", state, detail: error.message }, name);
      if (!(error instanceof InvocationFailed)) throw error;
      await this.options.network.time.sleep(this.options.repeatMs);
      return await this.again({ why: "again", state }, name);
    }
  }

  private async call(call: PushCall, name: string): Promise<PushState> {
    // The service keeps its input and output as JSON.
    const { why, state, detail } = parsePushCall(JSON.parse(JSON.stringify(call)));
    return parsePushState(JSON.parse(JSON.stringify(await this.options.invoke({ why, state, detail }, name))));
  }

  /** Repeats a call that fails. After the last try the next step is `park`. */
  private async again(call: PushCall, name: string): Promise<PushState> {
    for (let tries = 1; tries <= LIMITS.stepTries; tries++) {
      try {
        return await this.call(call, name);
      } catch (error) {
        if (!(error instanceof InvocationFailed)) throw error;
        await this.options.network.time.sleep(this.options.repeatMs);
      }
    }
    const { state } = call;
    if (state.next === "park") throw new Error(`${state.key} could be neither replicated nor parked`);
    return { ...state, next: "park", reason: `the call ${call.why} failed ${LIMITS.stepTries} times` };
  }
}

/** A function crashed, timed out or failed, or its answer was lost. */
export class InvocationFailed extends Error {}
