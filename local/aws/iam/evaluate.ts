/**
 * Decides on a request as IAM does. Covers identity policies and one resource or trust policy, within an account and between
 * accounts. Does not cover permissions boundaries, session policies or policies of organizations; the bridge needs none.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
import { conditionsHold } from "./conditions";
import { matchesAction, matchesArn, type RequestContext } from "./patterns";
import { checkedStatements, type PolicyDocument, type PolicyKind, type PolicyStatement } from "./policy-document";

export interface AccessRequest {
  /** ARN of a role or a user, name of a service, or `anonymous`. */
  principal: string;
  action: string;
  resource: string;
  /** Owner of the resource. */
  accountId: string;
  /** Values of condition keys. */
  context?: Readonly<Record<string, string>> | undefined;
}

export interface AttachedPolicies {
  /** Policies of the principal. */
  identityPolicies?: readonly PolicyDocument[] | undefined;
  /** Policies of the resource. The resource policy of a role is its trust policy. */
  resourcePolicy?: PolicyDocument | undefined;
}

export type Decision = "Allowed" | "ExplicitlyDenied" | "ImplicitlyDenied";

/** A Principal names the caller or its account. A grant to the account needs an identity policy as well. */
type PrincipalMatch = "self" | "account" | "none";

/** @throws Error when a policy is not valid or uses an element that is not covered */
export function evaluate(request: AccessRequest, { identityPolicies = [], resourcePolicy }: AttachedPolicies): Decision {
  const given = Object.entries(request.context ?? {}).map(([key, value]) => [key.toLowerCase(), value]);
  const context: RequestContext = { ...callerKeys(request.principal), ...Object.fromEntries(given) };
  const effectsOf = (document: PolicyDocument, kind: PolicyKind) => {
    const variables = document.Version === "2012-10-17" ? context : undefined;
    return checkedStatements(document, kind)
      .filter((statement) => applies(statement, request, { context, variables }))
      .map(({ Effect, Principal }) => ({ Effect, match: matchOf(Principal, request.principal) }))
      .filter(({ match }) => match !== "none");
  };
  const ofIdentity = identityPolicies.flatMap((document) => effectsOf(document, "identity"));
  const ofResource =
    resourcePolicy === undefined ? [] : effectsOf(resourcePolicy, isAssumeRole(request.action) ? "trust" : "resource");
  if ([...ofIdentity, ...ofResource].some(({ Effect }) => Effect === "Deny")) return "ExplicitlyDenied";
  const allowed = combine(request, {
    byIdentity: ofIdentity.length > 0,
    bySelf: ofResource.some(({ match }) => match === "self"),
    byAccount: ofResource.some(({ match }) => match === "account"),
  });
  return allowed ? "Allowed" : "ImplicitlyDenied";
}

interface Grants {
  byIdentity: boolean;
  /** The resource policy names the caller. */
  bySelf: boolean;
  /** The resource policy names the caller's account. */
  byAccount: boolean;
}

function combine({ principal, action, accountId }: AccessRequest, { byIdentity, bySelf, byAccount }: Grants): boolean {
  const caller = accountOf(principal);
  // A service and an anonymous caller have no policies of their own.
  if (caller === undefined) return bySelf;
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
  if (caller !== accountId) return byIdentity && (bySelf || byAccount);
  // https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html; for trust policies
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html
  if (action.toLowerCase().startsWith("kms:") || isAssumeRole(action)) return bySelf || (byAccount && byIdentity);
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
  return byIdentity || bySelf;
}

function applies(
  { Action, NotAction, Resource, NotResource, Condition = {} }: PolicyStatement,
  { action, resource }: AccessRequest,
  { context, variables }: { context: RequestContext; variables: RequestContext | undefined },
): boolean {
  const isActionOf = (patterns: PolicyStatement["Action"]) =>
    [patterns ?? []].flat().some((pattern) => matchesAction(pattern, action));
  const isResourceOf = (patterns: PolicyStatement["Resource"]) =>
    [patterns ?? []].flat().some((pattern) => matchesArn(pattern, resource, { context: variables, crossing: true }));
  const isOfAction = Action === undefined ? !isActionOf(NotAction) : isActionOf(Action);
  // A trust policy has neither: it applies to its role.
  const isOfResource = Resource === undefined ? !isResourceOf(NotResource) : isResourceOf(Resource);
  return isOfAction && isOfResource && conditionsHold(Condition, context, variables);
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html; an identity policy belongs to the caller. */
function matchOf(policy: PolicyStatement["Principal"], principal: string): PrincipalMatch {
  if (policy === undefined || policy === "*" || typeof policy === "string") return "self";
  const named = [policy.AWS ?? []].flat();
  if (named.includes("*") || named.includes(principal) || [policy.Service ?? []].flat().includes(principal)) return "self";
  const account = accountOf(principal);
  const isAccount = (name: string) => name === account || new RegExp(`^arn:[^:]+:iam::${account}:root$`).test(name);
  return account !== undefined && named.some(isAccount) ? "account" : "none";
}

/** Keys of every signed request. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn */
function callerKeys(principal: string): RequestContext {
  const account = accountOf(principal);
  return account === undefined ? {} : { "aws:principalarn": principal, "aws:principalaccount": account };
}

const isAssumeRole = (action: string): boolean => action.toLowerCase() === "sts:assumerole";

/** @returns undefined for a service and for an anonymous caller */
function accountOf(principal: string): string | undefined {
  if (principal === "anonymous" || /^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(principal)) return undefined;
  const [, account] = /^arn:[^:]+:iam::(\d{12}):(?:role|user)\/./.exec(principal) ?? [];
  if (account === undefined) throw new Error(`${principal} is no role, user or service`);
  return account;
}
