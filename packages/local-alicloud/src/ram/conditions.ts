/** https://www.alibabacloud.com/help/en/ram/conditional-operator */
import ipaddr from "ipaddr.js";
import { matchesWildcards } from "../wildcards";

export type ConditionValue = string | number | boolean;
/** Operator -> key -> allowed values. All operators and keys must match; of the values, one must. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, ConditionValue | readonly ConditionValue[]>>>>;

/** Compares the request's value with one value of the policy. */
type Test = (actual: string, wanted: string) => boolean;

const numeric =
  (compare: (actual: number, wanted: number) => boolean): Test =>
  (actual, wanted) =>
    compare(Number(actual), Number(wanted));
const dated =
  (compare: (actual: number, wanted: number) => boolean): Test =>
  (actual, wanted) =>
    compare(Date.parse(actual), Date.parse(wanted));

function inRange(address: string, range: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const given = ipaddr.process(address);
  const [network, bits] = range.includes("/") ? ipaddr.parseCIDR(range) : [ipaddr.process(range), undefined];
  if (given.kind() !== network.kind()) return false;
  return given.match(network, bits ?? (given.kind() === "ipv4" ? 32 : 128));
}

const TESTS: Readonly<Record<string, Test>> = {
  StringEquals: (actual, wanted) => actual === wanted,
  StringEqualsIgnoreCase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  StringLike: (actual, wanted) => matchesWildcards(wanted, actual),
  NumericEquals: numeric((actual, wanted) => actual === wanted),
  NumericLessThan: numeric((actual, wanted) => actual < wanted),
  NumericLessThanEquals: numeric((actual, wanted) => actual <= wanted),
  NumericGreaterThan: numeric((actual, wanted) => actual > wanted),
  NumericGreaterThanEquals: numeric((actual, wanted) => actual >= wanted),
  DateEquals: dated((actual, wanted) => actual === wanted),
  DateLessThan: dated((actual, wanted) => actual < wanted),
  DateLessThanEquals: dated((actual, wanted) => actual <= wanted),
  DateGreaterThan: dated((actual, wanted) => actual > wanted),
  DateGreaterThanEquals: dated((actual, wanted) => actual >= wanted),
  Bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  IpAddress: inRange,
};

const NEGATED: Readonly<Record<string, string>> = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  NumericNotEquals: "NumericEquals",
  DateNotEquals: "DateEquals",
  NotIpAddress: "IpAddress",
};

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

const baseOf = (operator: string): string => own(NEGATED, operator) ?? operator;

const testOf = (operator: string): Test | undefined => own(TESTS, baseOf(operator));

export const isOperator = (operator: string): boolean => testOf(operator) !== undefined;

/** Whether the operator can compare with this value. */
export function isValueFor(operator: string, value: ConditionValue): boolean {
  const text = String(value);
  const base = baseOf(operator);
  if (base === "IpAddress") return text.includes("/") ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text);
  if (base === "Bool") return /^(true|false)$/i.test(text);
  if (base.startsWith("Numeric")) return text.trim() !== "" && Number.isFinite(Number(text));
  if (base.startsWith("Date")) return !Number.isNaN(Date.parse(text));
  return true;
}

/**
 * @param orElse the answer for an unknown operator, and for a negated one whose key the request lacks. The documentation says nothing about
 * these cases, so the caller gives false for an Allow and true for a Deny.
 */
export function conditionsHold(
  conditions: Conditions | undefined,
  request: Readonly<Record<string, string>>,
  orElse: boolean,
): boolean {
  return Object.entries(conditions ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const test = testOf(operator);
      if (test === undefined) return orElse;
      const negated = own(NEGATED, operator) !== undefined;
      const actual = own(request, key);
      if (actual === undefined) return negated && orElse;
      const values = [wanted].flat() as ConditionValue[];
      return values.some((value) => test(actual, String(value))) !== negated;
    }),
  );
}
