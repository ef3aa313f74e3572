/**
 * Constructors and parameters: JSON in which the value of a key that ends with `.$` is an expression.
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/input-and-output
 */
import { evaluate, type Scope } from "./evaluate";
import { parseExpression, type Root } from "./expression";
import { isObject, type Json, type JsonObject } from "./json";
import { at, ExpressionError } from "./tokens";

/** @throws FlowError when an expression has no value */
export type Template<T extends Json = Json> = (scope: Scope) => T;

/** @throws ExpressionError that begins with the place, e.g. `.key.$: ` */
export function compileObject(source: JsonObject, roots: readonly Root[]): Template<JsonObject> {
  const fields = Object.entries(source).map(([key, value]): [string, Template] => {
    if (!key.endsWith(".$")) return [key, at(`.${key}`, () => compile(value, roots))];
    if (typeof value !== "string") throw new ExpressionError(`.${key}: an expression is a string`);
    const expression = at(`.${key}`, () => parseExpression(value, { roots }));
    return [key.slice(0, -2), (scope) => evaluate(expression, scope)];
  });
  const names = fields.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ExpressionError(`.${twice}: is defined twice, with and without .$`);
  return (scope) => Object.fromEntries(fields.map(([name, template]) => [name, template(scope)]));
}

function compile(source: Json, roots: readonly Root[]): Template {
  if (Array.isArray(source)) {
    const items = source.map((item, index) => at(`[${index}]`, () => compile(item, roots)));
    return (scope) => items.map((item) => item(scope));
  }
  return isObject(source) ? compileObject(source, roots) : () => source;
}
