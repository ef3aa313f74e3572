/**
 * Reads policies of buckets and keys: which Deny of a policy hits the bridge, and which Allow it lacks. AWS and Alibaba Cloud share the grammar.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 * https://www.alibabacloud.com/help/en/ram/policy-structure-and-syntax
 */
import { at, isObject, parseJson } from "../../runtime/protocol/json";
import { Unchecked } from "./check";

export type Statement = Readonly<Record<string, unknown>>;

export interface Policy {
  Version?: unknown;
  Statement: Statement[];
}

/** An empty text is a policy without statements. @throws Unchecked for another text that is no policy */
export function parsePolicy(text: string): Policy {
  if (text === "") return { Version: "2012-10-17", Statement: [] };
  const policy = parseJson(text);
  if (!isObject(policy)) throw new Unchecked("the policy is no JSON object");
  return { ...policy, Statement: statementsIn(at(policy, "Statement")) };
}

/** A statement, or a list of them. */
export function statementsIn(value: unknown): Statement[] {
  return (Array.isArray(value) ? value : [value]).filter(isObject);
}

const listOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : value === undefined ? [] : [value]).map((one: unknown) => String(one));

/** Partitions do not mix, and the local clouds of both write the ARNs of one. */
const ofOnePartition = (text: string): string => text.replace(/^arn:aws[\w-]*:/, "arn:aws:");

/** `*` stands for any text, `?` for one character. */
export function matches(pattern: string, text: string): boolean {
  const parts = ofOnePartition(pattern)
    .split(/([*?])/)
    .map((part) => (part === "*" ? "[^]*" : part === "?" ? "[^]" : part.replace(/[\\^$.|+(){}[\]/-]/g, "\\$&")));
  return new RegExp(`^${parts.join("")}$`, "i").test(ofOnePartition(text));
}

/** The principals of a statement: `*`, or the values of all kinds. */
function principalsOf(value: unknown): string[] {
  return isObject(value) && !Array.isArray(value) ? Object.values(value).flatMap(listOf) : listOf(value);
}

/** Whether a principal of a policy stands for this role: itself, its account, or everybody. */
function standsFor(named: string, role: string, accountId: string): boolean {
  return (
    named === "*" || matches(named, role) || named === accountId || new RegExp(`^arn:[\\w-]+:iam::${accountId}:root$`).test(named)
  );
}

/**
 * The required statements that the policy does not allow completely. A statement for the account itself delegates to the policies of its roles,
 * which the bridge writes.
 */
export function missingStatements(
  { Statement }: Policy,
  required: readonly Statement[],
  { accountId }: { accountId: string },
): Statement[] {
  const allows = (principal: string, action: string) =>
    Statement.some(
      (one) =>
        one.Effect === "Allow" &&
        one.Condition === undefined &&
        principalsOf(one.Principal).some((named) => standsFor(named, principal, accountId)) &&
        listOf(one.Action).some((pattern) => matches(pattern, action)),
    );
  return required.filter(({ Principal, Action }) =>
    principalsOf(Principal).some((principal) => listOf(Action).some((action) => !allows(principal, action))),
  );
}

/**
 * The policy with these statements behind its own, none of which is left out: another bridge may have statements of the same id. An id that is
 * taken gets a number.
 */
export function withStatements(policy: Policy, added: readonly Statement[]): Policy {
  const taken = new Set<unknown>(policy.Statement.map(({ Sid }) => Sid));
  const free = (id: string): string => {
    for (let count = 1; ; count++) {
      const name = count === 1 ? id : `${id}${count}`;
      if (taken.has(name)) continue;
      taken.add(name);
      return name;
    }
  };
  const named = added.map((one) => (typeof one.Sid === "string" ? { ...one, Sid: free(one.Sid) } : one));
  return { ...policy, Statement: [...policy.Statement, ...named] };
}

/** The policy, in which these statements no longer deny these roles anything. What they deny to others stays. */
export function withExempt(policy: Policy, denying: readonly Statement[], roles: readonly string[]): Policy {
  const exempt = (one: Statement) => (denying.includes(one) ? { ...one, Condition: exempting(one.Condition, roles) } : one);
  return { ...policy, Statement: policy.Statement.map(exempt) };
}

const PRINCIPAL = "aws:PrincipalArn";

/** All operators of a condition must hold, and `ArnNotLike` holds only if none of its values fits. */
function exempting(condition: unknown, roles: readonly string[]): object {
  const operators = (isObject(condition) ? condition : {}) as Record<string, unknown>;
  const notLike = isObject(operators.ArnNotLike) ? operators.ArnNotLike : {};
  const [key = PRINCIPAL] = Object.keys(notLike).filter((name) => name.toLowerCase() === PRINCIPAL.toLowerCase());
  return { ...operators, ArnNotLike: { ...notLike, [key]: [...new Set([...listOf(at(notLike, key)), ...roles])] } };
}

/** A request of the bridge, as a policy sees it. */
export interface Asked {
  /** As policies name the role. */
  principals: readonly string[];
  accountId: string;
  actions: readonly string[];
  resources: readonly string[];
  /** Condition keys without their service, in lower case. A key with the value undefined is absent from the request. */
  facts: Readonly<Record<string, string | undefined>>;
}

export interface Denial {
  statement: Statement;
  /** The actions of the bridge that it denies. */
  actions: string[];
  /** Condition keys that decide and are not known here: then it is not certain. */
  unknown: string[];
}

/** The Deny statements that hit the request, or may hit it. */
export function denials({ Statement }: Policy, asked: Asked): Denial[] {
  return Statement.flatMap((statement) => {
    if (statement.Effect !== "Deny") return [];
    const actions = asked.actions.filter((action) => isNamed(statement, "Action", [action]));
    if (actions.length === 0 || !isNamed(statement, "Resource", asked.resources)) return [];
    const results = asked.principals
      .filter((principal) => hitsPrincipal(statement, principal, asked.accountId))
      .map((principalarn) => evaluate(statement.Condition, { ...asked.facts, principalarn }))
      .filter(({ holds }) => holds !== false);
    if (results.length === 0) return [];
    const isCertain = results.some(({ holds }) => holds === true);
    return [{ statement, actions, unknown: isCertain ? [] : [...new Set(results.flatMap(({ unknown }) => unknown))] }];
  });
}

/** Whether the element, or its `Not` form, covers one of the texts. */
function isNamed(statement: Statement, element: "Action" | "Resource", texts: readonly string[]): boolean {
  const covers = (name: string, text: string) => listOf(statement[name]).some((pattern) => matches(pattern, text));
  if (statement[`Not${element}`] !== undefined) return texts.some((text) => !covers(`Not${element}`, text));
  return texts.some((text) => covers(element, text));
}

function hitsPrincipal({ Principal, NotPrincipal }: Statement, role: string, accountId: string): boolean {
  const isNamedHere = principalsOf(NotPrincipal ?? Principal).some((one) => standsFor(one, role, accountId));
  return NotPrincipal === undefined ? isNamedHere : !isNamedHere;
}

interface Evaluated {
  /** Undefined if a key decides whose value is not known here. */
  holds: boolean | undefined;
  unknown: string[];
}

function evaluate(condition: unknown, facts: Asked["facts"]): Evaluated {
  const tests = isObject(condition)
    ? Object.entries(condition).flatMap(([operator, keys]) =>
        isObject(keys) ? Object.entries(keys).map(([key, values]) => ({ operator, key, values: listOf(values) })) : [],
      )
    : [];
  const results = tests.map(({ operator, key, values }) => ({ key, holds: test(operator, values, factOf(key, facts)) }));
  if (results.some(({ holds }) => holds === false)) return { holds: false, unknown: [] };
  const unknown = results.filter(({ holds }) => holds === undefined).map(({ key }) => key);
  return { holds: unknown.length > 0 ? undefined : true, unknown };
}

const UNKNOWN = Symbol("unknown");
type Fact = string | undefined | typeof UNKNOWN;

function factOf(key: string, facts: Asked["facts"]): Fact {
  const name = key.replace(/^(?:aws|acs|s3|oss):/i, "").toLowerCase();
  return Object.hasOwn(facts, name) ? facts[name] : UNKNOWN;
}

/** @returns undefined for what cannot be said here */
function test(operator: string, values: readonly string[], fact: Fact): boolean | undefined {
  if (fact === UNKNOWN) return undefined;
  const name = operator.replace(/^ForA(?:ny|ll)Values?:/i, "");
  if (/^Null$/i.test(name)) return values.some((value) => (value.toLowerCase() === "true") === (fact === undefined));
  const base = name.replace(/IfExists$/i, "");
  const isNegated = /Not/i.test(base);
  if (fact === undefined) return isNegated || base !== name;
  const compare = comparison(base.replace(/Not/i, ""));
  if (compare === undefined) return undefined;
  const isIn = values.some((value) => compare(value, fact));
  return isNegated ? !isIn : isIn;
}

/** @param operator without `Not` */
function comparison(operator: string): ((value: string, fact: string) => boolean) | undefined {
  switch (operator.toLowerCase()) {
    case "bool":
    case "stringequalsignorecase":
      return (value, fact) => value.toLowerCase() === fact.toLowerCase();
    case "stringequals":
      return (value, fact) => value === fact;
    case "stringlike":
    case "arnlike":
    case "arnequals":
      return matches;
    // The functions have public addresses that change. Only a network of all addresses covers them for certain.
    case "ipaddress":
      return (value) => /^(?:0\.0\.0\.0|::)\/0$/.test(value);
    case "numericlessthan":
      return (value, fact) => Number(fact) < Number(value);
    default:
      return undefined;
  }
}
