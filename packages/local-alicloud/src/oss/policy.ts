/** Bucket policies. https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpolicy */
import ipaddr from "ipaddr.js";
import { matchesWildcards } from "../wildcards";
import type { Decision, Principal } from "./contracts";
import { OssError } from "./oss-error";

interface Statement {
  Effect: "Allow" | "Deny";
  /** A statement with neither is about everyone. */
  Principal?: string | string[];
  NotPrincipal?: string | string[];
  Action?: string | string[];
  NotAction?: string | string[];
  Resource: string | string[];
  Condition?: Record<string, Record<string, Scalar | Scalar[]>>;
}

type Scalar = string | number | boolean;

export interface BucketPolicy {
  Version: "1";
  Statement: Statement[];
}

export interface PolicyRequest {
  /** Undefined: anonymous. */
  principal: Principal | undefined;
  action: string;
  resource: string;
  conditions: Readonly<Record<string, string>>;
}

const list = <T>(value: T | T[] | undefined): T[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

/**
 * The vendor's suites put statements without a principal, and turn Block Public Access off before they allow something that way. So such a
 * statement is public.
 */
const principals = ({ Principal, NotPrincipal }: Statement): string[] =>
  Principal === undefined && NotPrincipal === undefined ? ["*"] : list(Principal);

function inRange(address: string, range: string): boolean {
  const given = ipaddr.process(address);
  const [network, bits] = range.includes("/") ? ipaddr.parseCIDR(range) : [ipaddr.process(range), undefined];
  if (given.kind() !== network.kind()) return false;
  return given.match(network, bits ?? (given.kind() === "ipv4" ? 32 : 128));
}

/** Compares the request's value with one value of the policy. */
const OPERATORS: Record<string, (actual: string, wanted: string) => boolean> = {
  StringEquals: (actual, wanted) => actual === wanted,
  StringEqualsIgnoreCase: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  StringLike: (actual, wanted) => matchesWildcards(wanted, actual),
  Bool: (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase(),
  IpAddress: inRange,
  DateLessThan: (actual, wanted) => Date.parse(actual) < Date.parse(wanted),
  DateGreaterThan: (actual, wanted) => Date.parse(actual) > Date.parse(wanted),
};

const NEGATED: Record<string, string> = {
  StringNotEquals: "StringEquals",
  StringNotEqualsIgnoreCase: "StringEqualsIgnoreCase",
  StringNotLike: "StringLike",
  NotIpAddress: "IpAddress",
};

const own = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

function holds(condition: Statement["Condition"], conditions: PolicyRequest["conditions"]): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const actual = own(conditions, key);
      const negated = own(NEGATED, operator);
      const test = own(OPERATORS, negated ?? operator);
      if (test === undefined || actual === undefined) return false;
      const one = list(wanted).some((value) => test(actual, String(value)));
      return negated === undefined ? one : !one;
    }),
  );
}

function isAbout(statement: Statement, { principal, action, resource, conditions }: PolicyRequest): boolean {
  const is = (pattern: string) =>
    pattern === "*" || (principal !== undefined && (pattern === principal.accountId || matchesWildcards(pattern, principal.arn)));
  const who = statement.NotPrincipal === undefined ? principals(statement).some(is) : !list(statement.NotPrincipal).some(is);
  const named = (patterns: string | string[] | undefined) =>
    list(patterns).some((pattern) => matchesWildcards(pattern, action, { ignoreCase: true }));
  const what = statement.NotAction === undefined ? named(statement.Action) : !named(statement.NotAction);
  return (
    who &&
    what &&
    list(statement.Resource).some((pattern) => matchesWildcards(pattern, resource)) &&
    holds(statement.Condition, conditions)
  );
}

export function evaluate(policy: BucketPolicy | undefined, request: PolicyRequest): Decision {
  const about = policy?.Statement.filter((statement) => isAbout(statement, request)) ?? [];
  if (about.some(({ Effect }) => Effect === "Deny")) return "deny";
  return about.length > 0 ? "allow" : "none";
}

const isOpen = (statement: Statement) =>
  statement.Effect === "Allow" && principals(statement).includes("*") && !hasConditions(statement);

/** An empty condition holds for everyone. */
const hasConditions = ({ Condition = {} }: Statement): boolean =>
  Object.values(Condition).some((keys) => Object.keys(keys).length > 0);

/** Whether the policy allows access to everyone, which Block Public Access forbids. */
export const isPublic = (policy: BucketPolicy): boolean => policy.Statement.some(isOpen);

/** The policy without the statements that Block Public Access suspends. */
export const withoutPublicAccess = (policy: BucketPolicy): BucketPolicy => ({
  ...policy,
  Statement: policy.Statement.filter((statement) => !isOpen(statement)),
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isScalar = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);
const isTexts = (value: unknown): boolean => list(value).every((one) => typeof one === "string");

const malformed = (message: string) => new OssError(400, "MalformedPolicy", message);

/** A policy is asked at each request of its bucket, so what cannot be evaluated must not get in. */
function checkCondition(condition: unknown): void {
  if (condition === undefined) return;
  if (!isObject(condition)) throw malformed("Condition must be an object.");
  for (const [operator, keys] of Object.entries(condition)) {
    const base = own(NEGATED, operator) ?? operator;
    if (own(OPERATORS, base) === undefined) throw malformed(`The condition operator ${operator} is unknown.`);
    if (!isObject(keys)) throw malformed(`The condition ${operator} must be an object.`);
    for (const value of Object.values(keys).flatMap((one) => list(one))) {
      const isRange = base !== "IpAddress" || ipaddr.isValid(String(value)) || ipaddr.isValidCIDR(String(value));
      if (!isScalar(value) || !isRange)
        throw malformed(`The condition ${operator} cannot be compared with ${JSON.stringify(value)}.`);
    }
  }
}

function checkStatement(statement: unknown): void {
  if (!isObject(statement)) throw malformed("A statement must be an object.");
  const { Effect, Principal, NotPrincipal, Action, NotAction, Resource, Condition } = statement;
  for (const [name, value] of Object.entries({ Principal, NotPrincipal, Action, NotAction, Resource }))
    if (!isTexts(value)) throw malformed(`${name} must be a string or a list of strings.`);
  if (Effect !== "Allow" && Effect !== "Deny") throw malformed("Effect must be Allow or Deny.");
  if (Principal !== undefined && NotPrincipal !== undefined)
    throw malformed("A statement has Principal or NotPrincipal, not both.");
  if ((Action === undefined) === (NotAction === undefined)) throw malformed("A statement needs Action or NotAction.");
  const resources = list(Resource) as string[];
  if (resources.length === 0) throw malformed("A statement needs Resource.");
  if (!resources.every((resource) => resource.startsWith("acs:oss:")))
    throw malformed("A Resource must be acs:oss:<region>:<uid>:<bucket>/<key>.");
  checkCondition(Condition);
}

/** @throws OssError `MalformedPolicy`, also for a policy that this server cannot enforce */
export function parsePolicy(text: string): BucketPolicy {
  let policy: unknown;
  try {
    policy = JSON.parse(text);
  } catch {
    throw malformed("The policy is not JSON.");
  }
  if (!isObject(policy) || policy.Version !== "1" || !Array.isArray(policy.Statement))
    throw malformed('The policy needs Version "1" and Statement.');
  policy.Statement.forEach(checkStatement);
  return policy as unknown as BucketPolicy;
}
