/** Runs one execution, state by state. */
import type { Clock } from "./clock";
import type { CatchRule, Definition, State, TaskState } from "./definition";
import { evaluate, type Scope, truth } from "./evaluate";
import type { RetryRule } from "./fdl-schema";
import { FlowError, fatal } from "./flow-error";
import type { History } from "./history";
import { isObject, type Json, type JsonObject, sizeBytes } from "./json";
import { MAX_DATA_BYTES, MAX_RETRY_INTERVAL_SECONDS, MAX_WAIT_SECONDS } from "./limits";

export interface Run {
  definition: Definition;
  execution: { Name: string; Input: JsonObject; RoleArn: string };
  history: History;
  clock: Clock;
  /** Stops the execution when it aborts. */
  signal: AbortSignal;
  /** Returns the value of `$Output`. @throws FlowError */
  invoke(task: TaskState, body: Json): Promise<JsonObject>;
}

/** The result of a state and the next state. */
interface Outcome {
  output: JsonObject;
  next: string | undefined;
}

/** Returns the output of the last state. @throws FlowError when the execution fails, the signal's reason when it is stopped */
export async function runFlow(run: Run): Promise<JsonObject> {
  let outcome: Outcome = { output: run.execution.Input, next: run.definition.startAt };
  while (outcome.next !== undefined) {
    run.signal.throwIfAborted();
    const state = run.definition.states.get(outcome.next);
    // The compiler has checked all names.
    if (state === undefined) throw new Error(`there is no state ${outcome.next}`);
    outcome = await runState(run, state, outcome.output);
  }
  return outcome.output;
}

async function runState(run: Run, state: State, received: JsonObject): Promise<Outcome> {
  const { history } = run;
  history.add("StepEntered", state.name, { input: received, local: {} });
  const input = limited(state, "input", state.input?.(scopeOf(run, state, received, {})) ?? received);
  history.add("StepStarted", state.name, { input });
  try {
    const outcome = await work(run, state, input);
    history.add("StepSucceeded", state.name, { output: outcome.output });
    history.add("StepExited", state.name, { local: {} });
    return outcome;
  } catch (error) {
    if (!(error instanceof FlowError) || !error.catchable) throw error;
    history.add("StepFailed", state.name, { error: error.code, cause: error.detail });
    const rule = state.type === "Task" ? state.catch.find(({ errors }) => matches(errors, error.code)) : undefined;
    if (rule === undefined) throw error;
    const outcome = { output: limited(state, "output", caught(run, state, rule, input, error)), next: rule.next };
    history.add("StepExited", state.name, { local: {} });
    return outcome;
  }
}

function caught(run: Run, state: State, rule: CatchRule, input: JsonObject, error: FlowError): JsonObject {
  return rule.output(scopeOf(run, state, input, { Error: { Code: error.code, Detail: error.detail } }));
}

async function work(run: Run, state: State, input: JsonObject): Promise<Outcome> {
  const finish = (result: JsonObject): Outcome => {
    const output = state.output?.({ ...scopeOf(run, state, input, { Output: result }), $Output: result }) ?? result;
    return { output: limited(state, "output", output), next: state.next };
  };
  const scope = scopeOf(run, state, input, {});
  switch (state.type) {
    case "Task":
      return finish(await task(run, state, input));
    case "Pass":
    case "Succeed":
      return finish(input);
    case "Fail":
      finish(input);
      throw new FlowError(state.code, state.detail, true);
    case "Wait": {
      await run.clock.sleep(waitSeconds(evaluate(state.seconds, scope)) * 1000, run.signal);
      return finish(input);
    }
    case "Choice": {
      const branch = state.branches.find(({ condition }) => truth(evaluate(condition, scope)));
      return { output: input, next: branch?.next ?? state.next };
    }
  }
}

async function task(run: Run, state: TaskState, input: JsonObject): Promise<JsonObject> {
  const { history, clock, signal } = run;
  const retries = new Retries(state.retry);
  for (;;) {
    const body = state.body(scopeOf(run, state, input, { RetryCount: retries.count }));
    history.add("TaskScheduled", state.name, { resourceArn: state.resourceArn, body });
    history.add("TaskStarted", state.name, {});
    try {
      const output = limited(state, "output", await run.invoke(state, body));
      history.add(state.invocationType === "Async" ? "TaskSubmitted" : "TaskSucceeded", state.name, { output });
      return output;
    } catch (error) {
      if (!(error instanceof FlowError) || !error.catchable) throw error;
      history.add("TaskFailed", state.name, { error: error.code, cause: error.detail });
      const seconds = retries.next(error.code);
      if (seconds === undefined) throw error;
      await clock.sleep(seconds * 1000, signal);
    }
  }
}

function scopeOf(run: Run, state: State, input: JsonObject, current: JsonObject): Scope {
  const Current: JsonObject = { Name: state.name, Input: input, RetryCount: 0, ...current };
  return { $Input: input, $Context: { Execution: run.execution, Current } };
}

function waitSeconds(value: Json): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_WAIT_SECONDS) return value;
  throw fatal("InvalidWait", `a Wait lasts 1 to ${MAX_WAIT_SECONDS} whole seconds, not ${JSON.stringify(value)}`);
}

/** Inputs and outputs are JSON objects of a limited size. */
function limited(state: State, what: "input" | "output", value: Json): JsonObject {
  if (!isObject(value)) throw fatal("ExpressionFailed", `the ${what} of ${state.name} is not an object`);
  const bytes = sizeBytes(value);
  if (bytes > MAX_DATA_BYTES)
    throw fatal("DataTooLarge", `the ${what} of ${state.name} has ${bytes} bytes, more than ${MAX_DATA_BYTES}`);
  return value;
}

/** When a task is tried again. https://www.alibabacloud.com/help/en/serverless-workflow/latest/error-handling */

export const matches = (errors: readonly string[], code: string): boolean => errors.includes(code) || errors.includes("FnF.ALL");

/** The retries of one task. The first rule that matches an error applies; each rule counts its own attempts. */
export class Retries {
  private readonly used = new Map<RetryRule, number>();
  /** The sum over all rules: `$Context.Current.RetryCount`. */
  count = 0;

  constructor(private readonly rules: readonly RetryRule[]) {}

  /** Seconds until the next attempt; undefined when there is none. */
  next(code: string): number | undefined {
    const rule = this.rules.find(({ Errors }) => matches(Errors, code));
    if (rule === undefined) return undefined;
    const used = this.used.get(rule) ?? 0;
    if (used >= rule.MaxAttempts) return undefined;
    this.used.set(rule, used + 1);
    this.count += 1;
    const interval = rule.IntervalSeconds * (rule.BackoffRate ?? 1) ** used;
    return Math.min(interval, rule.MaxBackoffSeconds ?? MAX_RETRY_INTERVAL_SECONDS);
  }
}
