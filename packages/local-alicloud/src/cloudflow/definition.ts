/** Compiles the text of a flow to states. Anything unsupported is an error that names its place. */
import { parseDocument } from "yaml";
import type * as z from "zod";
import { type Expression, parseExpression, type Root } from "./expression";
import { definitionSchema, type RetryRule, type StateSource, type TaskSource } from "./fdl-schema";
import type { Json, JsonObject } from "./json";
import { compileObject, type Template } from "./template";
import { at, ExpressionError } from "./tokens";

interface Step {
  name: string;
  input?: Template<JsonObject>;
  output?: Template<JsonObject>;
  /** Undefined when the state ends the flow. */
  next?: string;
}

export interface CatchRule {
  errors: readonly string[];
  output: Template<JsonObject>;
  next: string;
}

export interface TaskState extends Step {
  type: "Task";
  resourceArn: string;
  invocationType: "Sync" | "Async";
  body: Template;
  retry: readonly RetryRule[];
  catch: readonly CatchRule[];
}

export interface WaitState extends Step {
  type: "Wait";
  seconds: Expression;
}

export interface ChoiceState extends Step {
  type: "Choice";
  branches: readonly { condition: Expression; next: string }[];
}

export interface FailState extends Step {
  type: "Fail";
  code: string;
  detail: string;
}

export type State = TaskState | WaitState | ChoiceState | FailState | (Step & { type: "Pass" | "Succeed" });

export interface Definition {
  startAt: string;
  states: ReadonlyMap<string, State>;
}

/** The roots that an expression may use. `$Output` exists only after the state has run. */
const BEFORE: readonly Root[] = ["$Input", "$Context"];
const AFTER: readonly Root[] = ["$Input", "$Output", "$Context"];

/** @throws Error that lists every problem with its place */
export function parseDefinition(text: string): Definition {
  const document = parseDocument(text, { version: "1.2", uniqueKeys: true, strict: true });
  if (document.errors.length > 0) throw new Error(document.errors.map(({ message }) => message).join("; "));
  const parsed = definitionSchema.safeParse(document.toJS());
  if (!parsed.success) throw new Error(parsed.error.issues.flatMap((issue) => lines(issue, document.toJS())).join("; "));
  const { StartAt, States } = parsed.data;
  const problems = namesThatLeadNowhere(StartAt, States);
  if (problems.length > 0) throw new Error(problems.join("; "));
  const states = States.map((source, index): [string, State] => {
    try {
      return [source.Name, compileState(source)];
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      throw new Error(`${place(index, source.Name)}${/^[.[]/.test(error.message) ? "" : ": "}${error.message}`);
    }
  });
  return { startAt: StartAt, states: new Map(states) };
}

const place = (index: number, name: unknown) => `States[${index}]${typeof name === "string" ? ` (${name})` : ""}`;

function lines(issue: z.core.$ZodIssue, document: { States?: { Name?: unknown }[] } | null): string[] {
  const [first, index, ...rest] = issue.path;
  const inState = first === "States" && typeof index === "number";
  const path = (inState ? rest : issue.path).map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`)).join("");
  const where = inState ? `${place(index, document?.States?.[index]?.Name)}${path}` : path.slice(1) || "the definition";
  return [`${where}: ${issue.message}`];
}

function targetsOf(source: StateSource): string[] {
  const caught = source.Type === "Task" ? (source.Catch ?? []).map(({ Next }) => Next) : [];
  if (source.Type === "Choice") return [...source.Branches.map(({ Next }) => Next), source.Default];
  return "Next" in source && source.Next !== undefined ? [source.Next, ...caught] : caught;
}

function namesThatLeadNowhere(startAt: string, states: readonly StateSource[]): string[] {
  const names = states.map(({ Name }) => Name);
  const problems = names.flatMap((name, index) =>
    names.indexOf(name) === index ? [] : [`${place(index, name)}: the name is used twice`],
  );
  if (!names.includes(startAt)) problems.push(`StartAt: there is no state ${startAt}`);
  const reached = new Set([startAt]);
  for (const name of reached) for (const target of targetsOf(states[names.indexOf(name)] ?? EMPTY)) reached.add(target);
  for (const [index, state] of states.entries()) {
    const where = place(index, state.Name);
    for (const target of targetsOf(state)) if (!names.includes(target)) problems.push(`${where}: there is no state ${target}`);
    if (!reached.has(state.Name)) problems.push(`${where}: no state leads to it`);
    if (state.Type === "Task" || state.Type === "Pass" || state.Type === "Wait")
      if ((state.Next !== undefined) === (state.End === true)) problems.push(`${where}: has either Next or End: true`);
  }
  return problems;
}

const EMPTY: StateSource = { Type: "Succeed", Name: "" };

/** @throws ExpressionError that begins with the place within the state */
function compileState(source: StateSource): State {
  const constructorOf = (key: "InputConstructor" | "OutputConstructor", roots: readonly Root[]) => {
    const template = key in source ? (source as Partial<Record<typeof key, JsonObject>>)[key] : undefined;
    return template === undefined ? undefined : at(`.${key}`, () => compileObject(template, roots));
  };
  const input = constructorOf("InputConstructor", BEFORE);
  const output = constructorOf("OutputConstructor", AFTER);
  const step = { name: source.Name, ...(input ? { input } : {}), ...(output ? { output } : {}) };
  const onwards = (next: string | undefined) => (next === undefined ? step : { ...step, next });
  switch (source.Type) {
    case "Task":
      return { ...onwards(source.Next), ...compileTask(source) };
    case "Pass":
      return { ...onwards(source.Next), type: "Pass" };
    case "Succeed":
      return { ...step, type: "Succeed" };
    case "Fail":
      return { ...step, type: "Fail", code: source.Code ?? "Failed", detail: source.Detail };
    case "Wait":
      return { ...onwards(source.Next), type: "Wait", seconds: secondsOf(source) };
    case "Choice": {
      const branches = source.Branches.map(({ Condition, Next }, index) => ({
        condition: at(`.Branches[${index}].Condition`, () => parseExpression(Condition, { roots: BEFORE, operators: true })),
        next: Next,
      }));
      return { ...onwards(source.Default), type: "Choice", branches };
    }
  }
}

function compileTask({ Parameters, Retry = [], Catch = [] }: TaskSource): Omit<TaskState, keyof Step> {
  const { resourceArn, invocationType, body, "body.$": expression } = Parameters;
  if (body !== undefined && expression !== undefined) throw new ExpressionError(".Parameters: has either body or body.$");
  const key = expression === undefined ? "body" : "body.$";
  const event: Json = expression ?? body ?? "";
  const template = at(".Parameters", () => compileObject({ [key]: event }, BEFORE));
  return {
    type: "Task",
    resourceArn,
    invocationType,
    body: (scope) => template(scope).body ?? "",
    retry: Retry,
    catch: Catch.map(({ Errors, OutputConstructor, Next }, index) => ({
      errors: Errors,
      output: at(`.Catch[${index}].OutputConstructor`, () => compileObject(OutputConstructor, BEFORE)),
      next: Next,
    })),
  };
}

function secondsOf(source: Extract<StateSource, { Type: "Wait" }>): Expression {
  const { Seconds, "Seconds.$": expression } = source;
  if ((Seconds === undefined) === (expression === undefined)) throw new ExpressionError("has either Seconds or Seconds.$");
  return expression === undefined
    ? { kind: "literal", value: Seconds ?? 0 }
    : at(".Seconds.$", () => parseExpression(expression, { roots: BEFORE }));
}
