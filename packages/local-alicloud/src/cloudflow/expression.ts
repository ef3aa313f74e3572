/**
 * Expressions of the flow definition language: paths into `$Input`, `$Output` and `$Context`, literals, `format`, and in conditions
 * comparisons joined by `&&` and `||`. Other built-in functions are refused.
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/data-transfer
 * https://www.alibabacloud.com/help/en/serverless-workflow/latest/select-choice
 */
import type { Json } from "./json";
import { ExpressionError, type Token, tokenize } from "./tokens";

export type Root = "$Input" | "$Output" | "$Context";
export const COMPARISONS = [">=", ">", "<=", "<", "==", "!="] as const;
export type Comparison = (typeof COMPARISONS)[number];

export type Expression =
  | { kind: "literal"; value: Json }
  | { kind: "path"; root: Root; steps: readonly (string | number)[] }
  | { kind: "format"; args: readonly Expression[] }
  | { kind: "compare"; operator: Comparison; left: Expression; right: Expression }
  | { kind: "and" | "or"; left: Expression; right: Expression };

export interface ExpressionRules {
  /** The roots that may be used at this place. */
  roots: readonly Root[];
  /** Whether comparisons are allowed: in conditions only. */
  operators?: boolean;
}

const BUILT_IN =
  /^(arrayContains|arrayUnique|fromBase64|fromJSON|get|hash|intAdd|jsonMerge|length|map\w+|randomInt|regex\w+|split|stringToJson|to\w+|uuid)$/;
const CONSTANTS: ReadonlyMap<string, Json> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);
/** The fields of `$Context`. `TaskToken` is missing because callbacks are not served. */
const CONTEXT: Readonly<Record<string, readonly string[]>> = {
  Execution: ["Name", "Input", "RoleArn"],
  Current: ["Name", "Input", "Output", "Error", "RetryCount"],
};

/** @throws ExpressionError */
export function parseExpression(text: string, rules: ExpressionRules): Expression {
  return new Parser(text, rules).parse();
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(
    private readonly text: string,
    private readonly rules: ExpressionRules,
  ) {
    this.tokens = tokenize(text);
  }

  parse(): Expression {
    const expression = this.rules.operators ? this.either() : this.primary();
    if (this.peek().kind !== "end")
      this.fail(this.rules.operators ? "unexpected text after the expression" : "only a condition has operators");
    return expression;
  }

  private either(): Expression {
    let left = this.both();
    while (this.skip("||")) left = { kind: "or", left, right: this.both() };
    return left;
  }

  private both(): Expression {
    let left = this.comparison();
    while (this.skip("&&")) left = { kind: "and", left, right: this.comparison() };
    return left;
  }

  private comparison(): Expression {
    const left = this.primary();
    const operator = COMPARISONS.find((symbol) => this.skip(symbol));
    return operator === undefined ? left : { kind: "compare", operator, left, right: this.primary() };
  }

  private primary(): Expression {
    const token = this.take();
    if (token.kind === "string" || token.kind === "number") return { kind: "literal", value: token.value };
    if (token.kind === "symbol" && token.value === "(" && this.rules.operators) {
      const inner = this.either();
      this.expect(")");
      return inner;
    }
    if (token.kind !== "name") return this.fail("a value is missing");
    if (token.value.startsWith("$")) return this.path(token.value);
    if (this.skip("(")) return this.call(token.value);
    const value = CONSTANTS.get(token.value);
    return value === undefined ? this.fail(`${token.value} is not a value`) : { kind: "literal", value };
  }

  private call(name: string): Expression {
    if (name !== "format") {
      const known = BUILT_IN.test(name) ? "is not served by the local cloud" : "is not a built-in function";
      this.fail(`${name}() ${known}`);
    }
    const args = [this.primary()];
    while (this.skip(",")) args.push(this.primary());
    this.expect(")");
    return { kind: "format", args };
  }

  private path(name: string): Expression {
    const root = this.rules.roots.find((known) => known === name);
    if (root === undefined) return this.fail(`${name} is not known here, only ${this.rules.roots.join(", ")}`);
    const steps: (string | number)[] = [];
    for (;;) {
      if (this.skip(".")) {
        const token = this.take();
        if (token.kind !== "name") return this.fail(`a name is missing after ${name}.`);
        steps.push(token.value);
      } else if (this.skip("[")) {
        const token = this.take();
        if (token.kind !== "string" && token.kind !== "number") return this.fail("[ ] takes a number or a string");
        steps.push(token.value);
        this.expect("]");
      } else break;
    }
    if (root === "$Context") this.checkContext(steps);
    return { kind: "path", root, steps };
  }

  private checkContext([part, field]: readonly (string | number)[]): void {
    const fields = Object.hasOwn(CONTEXT, String(part)) ? CONTEXT[String(part)] : undefined;
    if (fields === undefined) this.fail(`$Context has ${Object.keys(CONTEXT).join(" and ")}`);
    else if (field !== undefined && !fields.includes(String(field))) this.fail(`$Context.${part} has ${fields.join(", ")}`);
  }

  private peek(): Token {
    return this.tokens[this.at] ?? { kind: "end" };
  }

  private take(): Token {
    const token = this.peek();
    this.at += 1;
    return token;
  }

  private skip(symbol: string): boolean {
    const token = this.peek();
    if (token.kind !== "symbol" || token.value !== symbol) return false;
    this.at += 1;
    return true;
  }

  private expect(symbol: string): void {
    if (!this.skip(symbol)) this.fail(`${symbol} is missing`);
  }

  private fail(reason: string): never {
    throw new ExpressionError(`the expression "${this.text}" is invalid: ${reason}`);
  }
}
