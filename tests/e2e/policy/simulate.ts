import { anonymousPrincipal, runSimulation, type Simulation } from "@cloud-copilot/iam-simulate";
import type { PolicyDocument } from "./declared";
import type { Permission } from "./required";

export interface SimulatedRequest extends Permission {
  /** ARN of an identity, name of a service, or nobody in particular. */
  principal: string | "anonymous";
  identityPolicies?: readonly PolicyDocument[];
  resourcePolicy?: PolicyDocument;
  /** Condition keys that are present. */
  context?: Record<string, string>;
  /** Owner of the resource. */
  accountId: string;
}

export type Verdict = "Allowed" | "ExplicitlyDenied" | "ImplicitlyDenied";

/** What IAM would decide. @throws Error where a policy, an action or an ARN is not one. */
export async function simulate(request: SimulatedRequest): Promise<Verdict> {
  const { action, resource, accountId, context = {}, identityPolicies = [], resourcePolicy } = request;
  const simulation: Simulation = {
    request: {
      principal: request.principal === "anonymous" ? anonymousPrincipal : request.principal,
      action,
      resource: { resource, accountId },
      contextVariables: context,
    },
    identityPolicies: identityPolicies.map((policy, index) => ({ name: `policy-${index}`, policy })),
    ...(resourcePolicy === undefined ? {} : { resourcePolicy }),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
  };
  const outcome = await runSimulation(known(simulation), {});
  if (outcome.resultType === "error") throw new Error(`${action} on ${resource}: ${JSON.stringify(outcome.errors)}`);
  return outcome.overallResult;
}

/** Keys that end in a name of the caller's are dropped by the simulator after a colon, and kept after a slash. */
function known(simulation: Simulation): Simulation {
  return JSON.parse(JSON.stringify(simulation).replaceAll("kms:EncryptionContext:", "aws:PrincipalTag/")) as Simulation;
}
