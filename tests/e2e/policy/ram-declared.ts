/** Reads the RAM policies that a stack's program declared, and splits them into single grants. */

import { evaluatePolicies, type PolicyDocument, parsePolicyDocument } from "local-alicloud";
import type { StackExport } from "../../../local/engine";

export interface DeclaredRole {
  roleName: string;
  /** The document of the role's only policy. */
  document: PolicyDocument;
}

/** One permission that a role needs. */
export interface Need {
  roleName: string;
  action: string;
  resource: string;
}

/** A pair of an action and a resource pattern in a role's policy. */
export interface Grant extends Need {
  /** Index of the statement. */
  statement: number;
}

/** Every role with the policy that is attached to it. */
export function declaredRoles({ deployment: { resources = [] } }: StackExport): DeclaredRole[] {
  const inputsOf = (type: string) => resources.filter((one) => one.type === type).map(({ inputs = {} }) => inputs);
  // A kind of policy that is not read here would stay untested.
  const unknown = resources.find(({ type }) => type.startsWith("alicloud:ram/") && !READ.has(type));
  if (unknown !== undefined) throw new Error(`${unknown.type} is not covered`);
  const attachments = inputsOf(ATTACHMENT);
  return inputsOf(ROLE).map(({ roleName }) => {
    const names = attachments.filter((one) => one.roleName === roleName).map(({ policyName }) => policyName);
    const [policy, ...more] = inputsOf(POLICY).filter(({ policyName }) => names.includes(policyName));
    if (policy === undefined || more.length > 0 || names.length > 1) throw new Error(`${String(roleName)} has not one policy`);
    return { roleName: String(roleName), document: parsePolicyDocument(String(policy.policyDocument)) };
  });
}

const ROLE = "alicloud:ram/role:Role";
const POLICY = "alicloud:ram/policy:Policy";
const ATTACHMENT = "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment";
const READ = new Set([ROLE, POLICY, ATTACHMENT]);

export function grantsOf(roles: readonly DeclaredRole[]): Grant[] {
  return roles.flatMap(({ roleName, document }) =>
    document.Statement.flatMap(({ Effect, Action = [], NotAction, Resource, Condition }, statement) => {
      // Removing one grant from such a statement would not remove one permission.
      if (Effect !== "Allow" || NotAction !== undefined || Condition !== undefined)
        throw new Error(`${roleName}: statement ${statement} is no plain grant`);
      return [Action]
        .flat()
        .flatMap((action) => [Resource].flat().map((resource) => ({ roleName, statement, action, resource })));
    }),
  );
}

/** Whether the role's documents allow it. ACLs and bucket policies are ignored. */
export function isAllowed(roles: readonly DeclaredRole[], { roleName, action, resource }: Need): boolean {
  const documents = roles.filter((role) => role.roleName === roleName).map(({ document }) => document);
  return evaluatePolicies(documents, { action, resource, conditions: {} }) === "allow";
}

/** The grants that could be removed, one at a time, with every need still allowed. */
export function idleGrants(roles: readonly DeclaredRole[], needs: readonly Need[]): Grant[] {
  return grantsOf(roles).filter((grant) => {
    const others = roles.map((role) => (role.roleName === grant.roleName ? without(role, grant) : role));
    return needs.every((need) => need.roleName !== grant.roleName || need.action !== grant.action || isAllowed(others, need));
  });
}

/** The role without the pair: it keeps the statement's other actions on every resource, and the action on its other resources. */
function without({ roleName, document }: DeclaredRole, { statement, action, resource }: Grant): DeclaredRole {
  const Statement = document.Statement.flatMap((one, index) => {
    if (index !== statement) return [one];
    const [actions, resources] = [[one.Action ?? []].flat(), [one.Resource].flat()];
    return [
      { ...one, Action: actions.filter((other) => other !== action) },
      { ...one, Action: [action], Resource: resources.filter((other) => other !== resource) },
    ].filter(({ Action, Resource }) => Action.length > 0 && Resource.length > 0);
  });
  return { roleName, document: { ...document, Statement } };
}
