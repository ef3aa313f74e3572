/** Compares the permissions that AWS identities need with those that their policies grant. */
import { type Decision, evaluate } from "../../../local/aws/iam/evaluate";
import type { PolicyDocument } from "../../../local/aws/iam/policy-document";
import type { RecordedCall } from "./calls";
import { type DeclaredPolicy, type Grant, grantsOf, plainStatements } from "./declared";
import { type Permission, type Place, requiredBy } from "./required";

export interface Need extends Permission {
  /** `role/NAME`, `user/NAME` or `anonymous`. */
  principal: string;
  /** Condition keys that are present. */
  context?: Record<string, string>;
}

export interface Needed extends Need {
  /** Operations that need it. */
  operations: string[];
}

/** The permissions that the calls needed, each once. */
export function neededBy(calls: readonly RecordedCall[], placeOf: (principal: string) => Place): Needed[] {
  const found = new Map<string, Needed>();
  for (const call of calls) {
    const { operation, permissions } = requiredBy(call, placeOf(call.principal));
    for (const { action, resource } of permissions) {
      const id = `${call.principal} ${action} ${resource}`;
      const known = found.get(id) ?? { principal: call.principal, action, resource, operations: [] };
      if (!known.operations.includes(operation)) known.operations.push(operation);
      found.set(id, known);
    }
  }
  return [...found.values()];
}

export interface Decisions {
  policies: readonly DeclaredPolicy[];
  /** At least one of each partition. */
  places: readonly Place[];
  resourcePolicy?: PolicyDocument;
}

export function decide(need: Need, { policies, places, resourcePolicy }: Decisions): Decision {
  const { principal, action, resource, context } = need;
  const own = policies.filter((policy) => policy.principal === principal);
  const place = places.find(({ partition }) => resource.startsWith(`arn:${partition}:`));
  if (place === undefined) throw new Error(`${resource} is in no partition of this test`);
  const { partition, accountId } = place;
  const caller = principal === "anonymous" ? principal : (own[0]?.arn ?? `arn:${partition}:iam::${accountId}:${principal}`);
  return evaluate(
    { principal: caller, action, resource, accountId, context },
    {
      identityPolicies: own.map(({ document }) => document),
      resourcePolicy: resourcePolicy ?? (action.startsWith("kms:") ? delegatingKeyPolicy(place) : undefined),
    },
  );
}

/** The grants that neither `needed` nor `inside` needs, and the number of those that only `inside` needs. */
export function idleGrants(
  needed: readonly Need[],
  inside: readonly Need[],
  { policies, places }: Pick<Decisions, "policies" | "places">,
): { idle: Grant[]; byServices: number } {
  const idle: Grant[] = [];
  let byServices = 0;
  for (const grant of grantsOf(policies)) {
    const others = policies.flatMap((policy) => without(policy, grant));
    const isMissed = (needs: readonly Need[]) =>
      needs.some(
        (need) =>
          need.principal === grant.principal &&
          need.action === grant.action &&
          decide(need, { policies: others, places }) !== "Allowed",
      );
    if (isMissed(needed)) continue;
    if (isMissed(inside)) byServices++;
    else idle.push(grant);
  }
  return { idle, byServices };
}

/** Leaves the decision to the account's IAM policies. https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
function delegatingKeyPolicy({ partition, accountId }: Place): PolicyDocument {
  const Principal = { AWS: `arn:${partition}:iam::${accountId}:root` };
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action: "kms:*", Resource: "*" }] };
}

/** The policy without the grant. Empty if the policy consists of this grant alone. */
function without(policy: DeclaredPolicy, { principal, sid, action, resource }: Grant): DeclaredPolicy[] {
  if (policy.principal !== principal) return [policy];
  const Statement = plainStatements(policy.document).flatMap((statement) => {
    if (statement.Sid !== sid || !statement.Action.includes(action) || !statement.Resource.includes(resource)) return [statement];
    // Keeps the statement's other actions on every resource, and the action on its other resources.
    return [
      { ...statement, Action: statement.Action.filter((one) => one !== action) },
      { ...statement, Sid: `${sid}Others`, Action: [action], Resource: statement.Resource.filter((one) => one !== resource) },
    ].filter(({ Action, Resource }) => Action.length > 0 && Resource.length > 0);
  });
  return Statement.length === 0 ? [] : [{ ...policy, document: { ...policy.document, Statement } }];
}
