import { evaluate } from "../../src/cloudflow/evaluate";
import { parseExpression, type Root } from "../../src/cloudflow/expression";
import type { Json } from "../../src/cloudflow/json";
import { compileObject } from "../../src/cloudflow/template";

const ROOTS: readonly Root[] = ["$Input", "$Context"];
const SCOPE = {
  $Input: { key: "a/b", count: 3, ready: true, list: [{ n: 1 }], "odd name": "x", empty: null } as Json,
  $Context: { Execution: { Name: "e", Input: { key: "k" } }, Current: { Error: { Code: "FC.Unknown", Detail: "boom" } } } as Json,
};
const evaluated = (text: string, operators = false) => evaluate(parseExpression(text, { roots: ROOTS, operators }), SCOPE);

test.each<[string, Json]>([
  ["$Input.key", "a/b"],
  ["$Input", SCOPE.$Input],
  ["$Input.list[0].n", 1],
  ['$Input["odd name"]', "x"],
  ["$Input.empty", null],
  ["$Context.Execution.Input.key", "k"],
  ["$Context.Current.Error.Code", "FC.Unknown"],
  ['"text"', "text"],
  ['"a \\"quoted\\" one"', 'a "quoted" one'],
  ["`raw`", "raw"],
  ["-12.5", -12.5],
  ["true", true],
  ['format("{}: {}", $Context.Current.Error.Code, $Input.count)', "FC.Unknown: 3"],
  ["format('{}', $Input.list)", '[{"n":1}]'],
])("%s is %j", (text, expected) => {
  expect(evaluated(text)).toEqual(expected);
});

test.each<[string, boolean]>([
  ['$Input.key == "a/b"', true],
  ['$Input.key=="other"', false],
  ['$Input.key != "other"', true],
  ["$Input.count > 2", true],
  ["$Input.count >= 3 && $Input.count <= 3", true],
  ["$Input.count < 3 || $Input.ready", true],
  ['$Input.ready && ($Input.count > 9 || $Input.key == "a/b")', true],
  ["$Input.count > 9 && $Input.missing == 1", false],
])("the condition %s is %s", (text, expected) => {
  expect(evaluated(text, true)).toBe(expected);
});

test.each<[string, string]>([
  ["$Output.Body", "$Output is not known here"],
  ["$Global.x", "$Global is not known here"],
  ["$Input.", "a name is missing"],
  ["$Input[$Input.count]", "[ ] takes a number or a string"],
  ["$Input[0", "] is missing"],
  ["$Context.Nothing", "$Context has Execution and Current"],
  ["$Context.Current.TaskToken", "$Context.Current has Name"],
  ["$Input.count > 2", "only a condition has operators"],
  ["uuid()", "uuid() is not served by the local cloud"],
  ["shout($Input)", "shout() is not a built-in function"],
  ["key", "key is not a value"],
  ["constructor", "constructor is not a value"],
  ["$Context.constructor.name", "$Context has Execution and Current"],
  ["", "a value is missing"],
  ["$Input.key ~ 1", 'has an unknown symbol at "~ 1"'],
  ['"open', "has an unknown symbol at"],
])("%j is refused: %s", (text, reason) => {
  expect(() => parseExpression(text, { roots: ROOTS })).toThrow(reason);
});

test.each<[string, string]>([
  ["$Input.missing == 1", "there is no $Input.missing"],
  ["$Input.key.deeper == 1", "there is no $Input.key.deeper"],
  ["$Input.list[1].n == 1", "there is no $Input.list[1]"],
  ["$Input.toString == 1", "there is no $Input.toString"],
  ['$Input.count == "3"', "compares neither strings nor numbers"],
  ["$Input.ready == true", "compares neither strings nor numbers"],
  ["$Input.count && true", "a condition is true or false, not 3"],
])("the condition %s fails: %s", (text, reason) => {
  expect(() => evaluated(text, true)).toThrow(reason);
});

test.each<[string, string]>([
  ['format("{}")', "format() has 1 places for 0 values"],
  ['format("", 1)', "format() has 0 places for 1 values"],
  ["format(1)", "format() takes a string first"],
])("%s fails: %s", (text, reason) => {
  expect(() => evaluated(text)).toThrow(reason);
});

test("a constructor evaluates values of keys that end with .$, at any depth", () => {
  const template = compileObject({ "a.$": "$Input.key", b: { list: [{ "n.$": "$Input.count" }, "$Input.key"] }, c: null }, ROOTS);
  expect(template(SCOPE)).toEqual({ a: "a/b", b: { list: [{ n: 3 }, "$Input.key"] }, c: null });
});

test.each<[string, object, string]>([
  ["an expression that is no string", { a: { "b.$": 1 } }, ".a.b.$: an expression is a string"],
  ["a bad expression in a list", { a: [{ "b.$": "no" }] }, '.a[0].b.$: the expression "no" is invalid'],
  ["the same key twice", { a: 1, "a.$": "$Input" }, ".a: is defined twice"],
])("%s is refused with its place", (_, source, reason) => {
  expect(() => compileObject(source as { [key: string]: Json }, ROOTS)).toThrow(reason);
});
