/** Rules on roles that AWS enforces and the emulator does not. */
import { setTimeout } from "node:timers/promises";
import {
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
} from "@aws-sdk/client-iam";
import { evaluate } from "../../aws/iam/evaluate";
import type { PolicyDocument } from "../../aws/iam/policy-document";
import { type AwsContext, clientsOf } from "./context";
import { propagationLeft } from "./principals";

export function roleNameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf("/") + 1);
}

/**
 * Lambda refuses a function when it cannot assume the role, also when IAM has not told it of the role yet. The real provider then tries
 * again until IAM has.
 */
export async function assertLambdaMayAssume(context: AwsContext, roleArn: string): Promise<void> {
  const { Role } = await clientsOf(context).iam.send(new GetRoleCommand({ RoleName: roleNameOf(roleArn) }));
  const trust = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? "{}")) as { Statement?: unknown };
  const statements = [trust.Statement ?? []].flat() as Record<string, unknown>[];
  const allows = statements.some((statement) => {
    const services = [(statement.Principal as { Service?: string | string[] } | undefined)?.Service ?? []].flat();
    const actions = [statement.Action ?? []].flat();
    return statement.Effect === "Allow" && actions.includes("sts:AssumeRole") && services.includes("lambda.amazonaws.com");
  });
  if (!allows)
    throw new Error(
      `InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda: the trust policy of ${roleArn} must allow sts:AssumeRole to lambda.amazonaws.com`,
    );
  await setTimeout(propagationLeft(context, Role?.CreateDate));
}

/** @throws Error that names the first action that the role's policies do not allow */
export async function assertRoleAllows(
  context: AwsContext,
  roleArn: string,
  actions: string[],
  resourceArn: string,
): Promise<void> {
  const identityPolicies = await policiesOf(context, roleNameOf(roleArn));
  for (const action of actions) {
    const request = { principal: roleArn, action, resource: resourceArn, accountId: context.accountId };
    if (evaluate(request, { identityPolicies }) !== "Allowed")
      throw new Error(`${roleArn} must be allowed ${action} on ${resourceArn}`);
  }
}

async function policiesOf(context: AwsContext, RoleName: string): Promise<PolicyDocument[]> {
  const { iam } = clientsOf(context);
  const policies: PolicyDocument[] = [];
  const inline = await iam.send(new ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of inline.PolicyNames ?? []) {
    const { PolicyDocument: document = "{}" } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }));
    policies.push(JSON.parse(decodeURIComponent(document)) as PolicyDocument);
  }
  const attached = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  for (const { PolicyArn } of attached.AttachedPolicies ?? []) {
    const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn }));
    const VersionId = Policy?.DefaultVersionId;
    const { PolicyVersion } = await iam.send(new GetPolicyVersionCommand({ PolicyArn, VersionId }));
    policies.push(JSON.parse(decodeURIComponent(PolicyVersion?.Document ?? "{}")) as PolicyDocument);
  }
  return policies;
}
