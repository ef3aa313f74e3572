/** Bucket policies. https://www.alibabacloud.com/help/en/oss/developer-reference/putbucketpolicy */
import ipaddr from "ipaddr.js";
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
  Condition?: Record<string, Record<string, string | string[]>>;
}

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

const list = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/**
 * The vendor's suites put statements without a principal, and turn Block Public Access off before they allow something that way. So such a
 * statement is public.
 */
const principals = ({ Principal, NotPrincipal }: Statement): string[] =>
  Principal === undefined && NotPrincipal === undefined ? ["*"] : list(Principal);

function like(pattern: string, text: string, flags = ""): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, `s${flags}`).test(text);
}

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
  StringLike: (actual, wanted) => like(wanted, actual),
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

function holds(condition: Statement["Condition"], conditions: PolicyRequest["conditions"]): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const actual = conditions[key];
      const negated = NEGATED[operator];
      const test = OPERATORS[negated ?? operator];
      if (test === undefined || actual === undefined) return false;
      const one = list(wanted).some((value) => test(actual, value));
      return negated === undefined ? one : !one;
    }),
  );
}

function isAbout(statement: Statement, { principal, action, resource, conditions }: PolicyRequest): boolean {
  const is = (pattern: string) =>
    pattern === "*" || (principal !== undefined && (pattern === principal.accountId || like(pattern, principal.arn)));
  const who = statement.NotPrincipal === undefined ? principals(statement).some(is) : !list(statement.NotPrincipal).some(is);
  const named = (patterns: string | string[] | undefined) => list(patterns).some((pattern) => like(pattern, action, "i"));
  const what = statement.NotAction === undefined ? named(statement.Action) : !named(statement.NotAction);
  return (
    who && what && list(statement.Resource).some((pattern) => like(pattern, resource)) && holds(statement.Condition, conditions)
  );
}

export function evaluate(policy: BucketPolicy | undefined, request: PolicyRequest): Decision {
  const about = policy?.Statement.filter((statement) => isAbout(statement, request)) ?? [];
  if (about.some(({ Effect }) => Effect === "Deny")) return "deny";
  return about.length > 0 ? "allow" : "none";
}

const isOpen = (statement: Statement) =>
  statement.Effect === "Allow" && principals(statement).includes("*") && statement.Condition === undefined;

/** Whether the policy allows access to everyone, which Block Public Access forbids. */
export const isPublic = (policy: BucketPolicy): boolean => policy.Statement.some(isOpen);

/** The policy without the statements that Block Public Access suspends. */
export const withoutPublicAccess = (policy: BucketPolicy): BucketPolicy => ({
  ...policy,
  Statement: policy.Statement.filter((statement) => !isOpen(statement)),
});

/** @throws OssError `MalformedPolicy`, also for a policy that this server cannot enforce */
export function parsePolicy(text: string): BucketPolicy {
  const malformed = (message: string) => new OssError(400, "MalformedPolicy", message);
  let policy: Partial<BucketPolicy>;
  try {
    policy = JSON.parse(text) as Partial<BucketPolicy>;
  } catch {
    throw malformed("The policy is not JSON.");
  }
  if (policy.Version !== "1" || !Array.isArray(policy.Statement)) throw malformed('The policy needs Version "1" and Statement.');
  for (const statement of policy.Statement) {
    if (statement.Effect !== "Allow" && statement.Effect !== "Deny") throw malformed("Effect must be Allow or Deny.");
    if (statement.Principal !== undefined && statement.NotPrincipal !== undefined)
      throw malformed("A statement has Principal or NotPrincipal, not both.");
    if ((statement.Action === undefined) === (statement.NotAction === undefined))
      throw malformed("A statement needs Action or NotAction.");
    if (list(statement.Resource).length === 0) throw malformed("A statement needs Resource.");
    if (!list(statement.Resource).every((resource) => resource.startsWith("acs:oss:")))
      throw malformed("A Resource must be acs:oss:<region>:<uid>:<bucket>/<key>.");
    for (const operator of Object.keys(statement.Condition ?? {}))
      if (OPERATORS[NEGATED[operator] ?? operator] === undefined)
        throw malformed(`The condition operator ${operator} is unknown.`);
  }
  return policy as BucketPolicy;
}
