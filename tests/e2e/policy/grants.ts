/** What is needed of AWS's identities, held against what their policies grant. */
import type { RecordedCall } from "./calls";
import { type DeclaredPolicy, type Grant, grantsOf, type PolicyDocument } from "./declared";
import { type Permission, type Place, requiredBy } from "./required";
import { simulate, type Verdict } from "./simulate";

export interface Need extends Permission {
  /** `role/NAME` or `user/NAME`; `anonymous` for nobody in particular. */
  principal: string;
  /** Condition keys that are present. */
  context?: Record<string, string>;
}

export interface Needed extends Need {
  /** Operations that asked for it. */
  operations: string[];
}

/** Each permission that the calls needed, once. */
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
  /** One of each partition, at least. */
  places: readonly Place[];
  resourcePolicy?: PolicyDocument;
}

export async function decide(need: Need, { policies, places, resourcePolicy }: Decisions): Promise<Verdict> {
  const { principal, action, resource, context = {} } = need;
  const own = policies.filter((policy) => policy.principal === principal);
  const place = places.find(({ partition }) => resource.startsWith(`arn:${partition}:`));
  if (place === undefined) throw new Error(`${resource} is in no partition of this test`);
  const attached = resourcePolicy ?? (action.startsWith("kms:") ? delegatingKeyPolicy(place) : undefined);
  return simulate({
    principal:
      principal === "anonymous" ? principal : (own[0]?.arn ?? `arn:${place.partition}:iam::${place.accountId}:${principal}`),
    action,
    resource,
    accountId: place.accountId,
    identityPolicies: own.map(({ document }) => document),
    context,
    ...(attached === undefined ? {} : { resourcePolicy: attached }),
  });
}

/** Grants that could be taken away with everything still allowed; and how many more there are that only `inside` needs. */
export async function idleGrants(
  needed: readonly Need[],
  inside: readonly Need[],
  { policies, places }: Pick<Decisions, "policies" | "places">,
): Promise<{ idle: Grant[]; byServices: number }> {
  const idle: Grant[] = [];
  let byServices = 0;
  for (const grant of grantsOf(policies)) {
    const others = policies.map((policy) => without(policy, grant));
    const isMissed = async (needs: readonly Need[]) => {
      for (const need of needs) {
        const concerned = need.principal === grant.principal && need.action === grant.action;
        if (concerned && (await decide(need, { policies: others, places })) !== "Allowed") return true;
      }
      return false;
    };
    if (await isMissed(needed)) continue;
    if (await isMissed(inside)) byServices++;
    else idle.push(grant);
  }
  return { idle, byServices };
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html: leaves the decision to the account's IAM policies. */
function delegatingKeyPolicy({ partition, accountId }: Place): PolicyDocument {
  const Principal = { AWS: `arn:${partition}:iam::${accountId}:root` };
  return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Principal, Action: "kms:*", Resource: "*" }] };
}

function without(policy: DeclaredPolicy, { principal, sid, action, resource }: Grant): DeclaredPolicy {
  if (policy.principal !== principal) return policy;
  const Statement = policy.document.Statement.flatMap((statement) => {
    const [actions, resources] = [[statement.Action].flat(), [statement.Resource].flat()];
    if (statement.Sid !== sid || !actions.includes(action) || !resources.includes(resource)) return [statement];
    // The same without the pair: its other actions on everything, and the action on its other resources.
    return [
      { ...statement, Action: actions.filter((one) => one !== action) },
      { ...statement, Sid: `${sid}Others`, Action: action, Resource: resources.filter((one) => one !== resource) },
    ].filter(({ Action, Resource }) => [Action].flat().length > 0 && [Resource].flat().length > 0);
  });
  return { ...policy, document: { ...policy.document, Statement } };
}
