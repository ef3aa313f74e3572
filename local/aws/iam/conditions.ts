/** Conditions of IAM statements. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html */
import ipaddr from "ipaddr.js";
import { matchesArn, matchesText, type RequestContext, resolveText } from "./patterns";

type Value = string | boolean | number;
/** Operator -> key -> the values that the key may have. */
export type ConditionBlock = Readonly<Record<string, Readonly<Record<string, Value | readonly Value[]>>>>;

/** `variables` is undefined when the policy's Version has no policy variables. */
type Test = (actual: string, wanted: string, variables: RequestContext | undefined) => boolean;

const equals: Test = (actual, wanted, variables) => resolveText(wanted, variables) === actual;
const equalsIgnoringCase: Test = (actual, wanted, variables) =>
  resolveText(wanted, variables)?.toLowerCase() === actual.toLowerCase();
const like: Test = (actual, wanted, variables) => matchesText(wanted, actual, variables);
const arnLike: Test = (actual, wanted, variables) => matchesArn(wanted, actual, { context: variables, crossing: false });
const inRange: Test = (actual, wanted) => {
  if (!ipaddr.isValid(actual)) return false;
  const address = ipaddr.process(actual);
  const [network, bits] = wanted.includes("/")
    ? ipaddr.parseCIDR(wanted)
    : ([ipaddr.parse(wanted), ipaddr.parse(wanted).kind() === "ipv4" ? 32 : 128] as const);
  return address.kind() === network.kind() && address.match(network, bits);
};
const sameBoolean: Test = (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase();

const TESTS: Readonly<Record<string, { test: Test; negated?: boolean }>> = {
  StringEquals: { test: equals },
  StringNotEquals: { test: equals, negated: true },
  StringEqualsIgnoreCase: { test: equalsIgnoringCase },
  StringNotEqualsIgnoreCase: { test: equalsIgnoringCase, negated: true },
  StringLike: { test: like },
  StringNotLike: { test: like, negated: true },
  // ArnEquals and ArnLike behave alike, as documented.
  ArnEquals: { test: arnLike },
  ArnNotEquals: { test: arnLike, negated: true },
  ArnLike: { test: arnLike },
  ArnNotLike: { test: arnLike, negated: true },
  Bool: { test: sameBoolean },
  IpAddress: { test: inRange },
  NotIpAddress: { test: inRange, negated: true },
};
const IF_EXISTS = /IfExists$/;

export const isConditionOperator = (operator: string): boolean =>
  operator === "Null" || TESTS[operator.replace(IF_EXISTS, "")] !== undefined;

/** All operators and all keys must hold; one of a key's values is enough, and for a negated operator none may match. */
export function conditionsHold(
  conditions: ConditionBlock,
  context: RequestContext,
  variables: RequestContext | undefined,
): boolean {
  return Object.entries(conditions).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const actual = context[key.toLowerCase()];
      const values = [wanted].flat().map(String);
      if (operator === "Null") return values.includes(String(actual === undefined));
      const known = TESTS[operator.replace(IF_EXISTS, "")];
      if (known === undefined) throw new Error(`the condition operator ${operator} is not supported`);
      const { test, negated = false } = known;
      // When the key is absent, a negated operator and an operator with IfExists hold.
      if (actual === undefined) return negated || IF_EXISTS.test(operator);
      return values.some((value) => test(actual, value, variables)) !== negated;
    }),
  );
}
