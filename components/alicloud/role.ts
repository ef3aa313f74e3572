/** A role that one service assumes, with one policy. */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../cloud";
import { assumedBy, type PolicyDocument } from "./policies";
import { afterRest } from "./rest";

export type Service = "fc.aliyuncs.com" | "fnf.aliyuncs.com" | "oss.aliyuncs.com";

export interface Role {
  /** Known when the role may be used, as is its name. */
  arn: pulumi.Output<string>;
  roleName: pulumi.Output<string>;
  /** The service must wait for this: without the policy it has no permissions. */
  attachment: pulumi.Resource;
}

export interface RoleArgs {
  context: BridgeContext;
  /** Physical name of the role and of its policy. */
  physicalName: string;
  service: Service;
  description: string;
  policy: pulumi.Output<PolicyDocument>;
  parent: pulumi.Resource;
}

export function createRole(name: string, args: RoleArgs): Role {
  const { description, physicalName } = args;
  const child = { parent: args.parent, provider: args.context.provider };
  const role = new alicloud.ram.Role(
    `${name}-role`,
    { roleName: physicalName, description, assumeRolePolicyDocument: JSON.stringify(assumedBy(args.service)) },
    child,
  );
  const policy = new alicloud.ram.Policy(
    `${name}-policy`,
    {
      policyName: physicalName,
      description,
      policyDocument: args.policy.apply((document) => JSON.stringify(document)),
      // RAM keeps five versions of a policy and would refuse the sixth.
      rotateStrategy: "DeleteOldestNonDefaultVersionWhenLimitExceeded",
    },
    child,
  );
  const attachment = new alicloud.ram.RolePolicyAttachment(
    `${name}-attachment`,
    { policyName: policy.policyName, policyType: "Custom", roleName: role.roleName },
    child,
  );
  const rest = { created: [role.createTime, policy.createTime], after: [attachment], seconds: args.context.config.settleSeconds };
  return { arn: afterRest(role.arn, rest), roleName: afterRest(role.roleName, rest), attachment };
}
