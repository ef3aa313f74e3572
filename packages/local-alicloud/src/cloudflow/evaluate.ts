/** Evaluates expressions. A path that does not exist fails the execution; the documentation does not say what the vendor does. */
import type { Comparison, Expression, Root } from "./expression";
import { fatal } from "./flow-error";
import { isObject, type Json } from "./json";

export type Scope = Readonly<Partial<Record<Root, Json>>>;

/** @throws FlowError */
export function evaluate(expression: Expression, scope: Scope): Json {
  switch (expression.kind) {
    case "literal":
      return expression.value;
    case "path":
      return follow(expression.root, expression.steps, scope);
    case "format":
      return format(expression.args.map((argument) => evaluate(argument, scope)));
    case "compare":
      return compare(expression.operator, evaluate(expression.left, scope), evaluate(expression.right, scope));
    case "and":
      return truth(evaluate(expression.left, scope)) && truth(evaluate(expression.right, scope));
    case "or":
      return truth(evaluate(expression.left, scope)) || truth(evaluate(expression.right, scope));
  }
}

/** @throws FlowError when the value is not a boolean */
export function truth(value: Json): boolean {
  if (typeof value !== "boolean") throw fatal("ExpressionFailed", `a condition is true or false, not ${JSON.stringify(value)}`);
  return value;
}

function follow(root: Root, steps: readonly (string | number)[], scope: Scope): Json {
  let value = scope[root];
  let path: string = root;
  const missing = () => fatal("ExpressionFailed", `there is no ${path}`);
  if (value === undefined) throw missing();
  for (const step of steps) {
    path += typeof step === "number" ? `[${step}]` : `.${step}`;
    const within: Json = value;
    const next: Json | undefined =
      typeof step === "number"
        ? Array.isArray(within)
          ? within[step]
          : undefined
        : isObject(within) && Object.hasOwn(within, step)
          ? within[step]
          : undefined;
    if (next === undefined) throw missing();
    value = next;
  }
  return value;
}

/** `format("hello {}", name)`. https://www.alibabacloud.com/help/en/serverless-workflow/latest/built-in-functions */
function format([template, ...values]: readonly Json[]): string {
  if (typeof template !== "string") throw fatal("ExpressionFailed", "format() takes a string first");
  const parts = template.split("{}");
  if (parts.length - 1 !== values.length)
    throw fatal("ExpressionFailed", `format() has ${parts.length - 1} places for ${values.length} values`);
  const texts = values.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  return parts.map((part, at) => (at === 0 ? part : `${texts[at - 1]}${part}`)).join("");
}

/** Compares strings and numbers. */
function compare(operator: Comparison, left: Json, right: Json): boolean {
  const comparable =
    (typeof left === "string" && typeof right === "string") || (typeof left === "number" && typeof right === "number");
  if (!comparable)
    throw fatal(
      "ExpressionFailed",
      `${JSON.stringify(left)} ${operator} ${JSON.stringify(right)} compares neither strings nor numbers`,
    );
  switch (operator) {
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
    case "<":
      return left < right;
    case "<=":
      return left <= right;
  }
}
