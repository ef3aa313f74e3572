/** IAM policy documents. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
import { type ConditionBlock, isConditionOperator } from "./conditions";

type OneOrMore = string | readonly string[];

/** A policy as JSON. */
export interface PolicyDocument {
  Version?: string | undefined;
  Id?: string | undefined;
  Statement: PolicyStatement | readonly PolicyStatement[];
}

export interface PolicyStatement {
  Sid?: string | undefined;
  Effect: string;
  /** `*`, or lists of names by kind. */
  Principal?: string | Readonly<Record<string, OneOrMore>> | undefined;
  Action?: OneOrMore | undefined;
  NotAction?: OneOrMore | undefined;
  Resource?: OneOrMore | undefined;
  NotResource?: OneOrMore | undefined;
  Condition?: ConditionBlock | undefined;
}

/** The owner of a policy: a role or user, a resource, or a role (its trust policy). */
export type PolicyKind = "identity" | "resource" | "trust";

const STATEMENT_ELEMENTS = ["Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
const PRINCIPAL_KINDS = ["AWS", "Service"];

export const statementsIn = ({ Statement }: PolicyDocument): readonly PolicyStatement[] => [Statement ?? []].flat();

/** @throws Error that names the first element that is not valid or not covered */
export function checkedStatements(document: PolicyDocument, kind: PolicyKind): readonly PolicyStatement[] {
  if (document.Version !== undefined && document.Version !== "2012-10-17" && document.Version !== "2008-10-17")
    throw new Error(`a policy has the unknown Version ${document.Version}`);
  const statements = statementsIn(document);
  if (statements.length === 0) throw new Error("a policy has no Statement");
  for (const statement of statements) {
    const problem = problemOf(statement, kind);
    if (problem !== undefined) throw new Error(`statement ${statement.Sid ?? JSON.stringify(statement)}: ${problem}`);
  }
  return statements;
}

function problemOf(statement: PolicyStatement, kind: PolicyKind): string | undefined {
  const { Effect, Principal, Action, NotAction, Resource, NotResource, Condition = {} } = statement;
  const unknown = Object.keys(statement).find((name) => !STATEMENT_ELEMENTS.includes(name));
  if (unknown !== undefined) return `${unknown} is not supported`;
  if (Effect !== "Allow" && Effect !== "Deny") return `Effect must be Allow or Deny, not ${Effect}`;
  if ((Action === undefined) === (NotAction === undefined)) return "it must have either Action or NotAction";
  const action = [Action ?? NotAction ?? []].flat().find((one) => !/^(\*|[a-z0-9*-]+:[a-z0-9*?]+)$/i.test(one));
  if (action !== undefined) return `${action} is no action`;
  if ((Principal === undefined) !== (kind === "identity"))
    return kind === "identity" ? "an identity's policy has no Principal" : "it must have a Principal";
  const principalProblem = Principal === undefined ? undefined : problemOfPrincipal(Principal);
  if (principalProblem !== undefined) return principalProblem;
  const resources = [Resource, NotResource].filter((one) => one !== undefined);
  if (resources.length !== (kind === "trust" ? 0 : 1))
    return kind === "trust" ? "a trust policy has no Resource" : "it must have either Resource or NotResource";
  const resource = resources.flat().find((one) => one !== "*" && !/^arn:([^:]*:){4}./.test(one) && !/^arn:.*\*$/.test(one));
  if (resource !== undefined) return `${resource} is no ARN`;
  const operator = Object.keys(Condition).find((name) => !isConditionOperator(name));
  return operator === undefined ? undefined : `the condition operator ${operator} is not supported`;
}

function problemOfPrincipal(principal: NonNullable<PolicyStatement["Principal"]>): string | undefined {
  if (typeof principal === "string") return principal === "*" ? undefined : `${principal} is no Principal`;
  const kind = Object.keys(principal).find((name) => !PRINCIPAL_KINDS.includes(name));
  if (kind !== undefined) return `the principal kind ${kind} is not supported`;
  const name = [principal.AWS ?? []].flat().find((one) => !/^(\*|\d{12}|arn:[^:*]+:(iam|sts)::\d{12}:[^*]+)$/.test(one));
  return name === undefined ? undefined : `${name} is no AWS principal`;
}
