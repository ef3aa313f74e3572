/** The RAM policies of deployed stacks, as the programs declared them, taken apart into single grants. */

import { evaluatePolicies, type PolicyDocument, parsePolicyDocument } from "local-alicloud";
import type { StackExport } from "../../../local/engine";

export interface DeclaredRole {
  roleName: string;
  /** Of its only policy. */
  document: PolicyDocument;
}

/** One permission, concretely. */
export interface Need {
  roleName: string;
  action: string;
  resource: string;
}

/** A pair of an action and a resource pattern in a role's policy. */
export interface Grant extends Need {
  /** Of the statement that makes it. */
  statement: number;
}

/** Every role with the policy that is attached to it. */
export function declaredRoles({ deployment: { resources = [] } }: StackExport): DeclaredRole[] {
  const inputsOf = (type: string) => resources.filter((one) => one.type === type).map(({ inputs = {} }) => inputs);
  // A kind that is not read here would be a permission that nobody proves.
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
      // Taking one grant away from such a statement would mean something else.
      if (Effect !== "Allow" || NotAction !== undefined || Condition !== undefined)
        throw new Error(`${roleName}: statement ${statement} is no plain grant`);
      return [Action]
        .flat()
        .flatMap((action) => [Resource].flat().map((resource) => ({ roleName, statement, action, resource })));
    }),
  );
}

/** Whether the documents alone allow it, whatever ACLs and bucket policies say. */
export function isAllowed(roles: readonly DeclaredRole[], { roleName, action, resource }: Need): boolean {
  const documents = roles.filter((role) => role.roleName === roleName).map(({ document }) => document);
  return evaluatePolicies(documents, { action, resource, conditions: {} }) === "allow";
}

/** The grants that could be taken away, one at a time, with everything that is needed still allowed. */
export function idleGrants(roles: readonly DeclaredRole[], needs: readonly Need[]): Grant[] {
  return grantsOf(roles).filter((grant) => {
    const others = roles.map((role) => (role.roleName === grant.roleName ? without(role, grant) : role));
    return needs.every((need) => need.roleName !== grant.roleName || need.action !== grant.action || isAllowed(others, need));
  });
}

/** The same without the pair: the statement's other actions on everything, and the action on its other resources. */
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
