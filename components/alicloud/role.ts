/** A role that one service takes on, with its one policy. */
import * as alicloud from "@pulumi/alicloud";
import type * as pulumi from "@pulumi/pulumi";
import type { BridgeContext } from "../platform";
import { make } from "../transforms";
import { assumedBy, type PolicyDocument } from "./policies";
import type { RamRoleTransforms } from "./transforms";

export type Service = "fc.aliyuncs.com" | "fnf.aliyuncs.com" | "oss.aliyuncs.com";

export interface Role {
  arn: pulumi.Output<string>;
  roleName: pulumi.Output<string>;
  /** A service that acts in it before this is there is refused. */
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
  transforms: RamRoleTransforms | undefined;
}

export function createRole(name: string, args: RoleArgs): Role {
  const { description, physicalName, transforms } = args;
  const child = { parent: args.parent, provider: args.context.provider };
  const role = make(
    alicloud.ram.Role,
    `${name}-role`,
    { roleName: physicalName, description, assumeRolePolicyDocument: JSON.stringify(assumedBy(args.service)) },
    child,
    transforms?.role,
  );
  const policy = make(
    alicloud.ram.Policy,
    `${name}-policy`,
    {
      policyName: physicalName,
      description,
      policyDocument: args.policy.apply((document) => JSON.stringify(document)),
      // RAM keeps five versions of a policy and refuses the next change otherwise.
      rotateStrategy: "DeleteOldestNonDefaultVersionWhenLimitExceeded",
    },
    child,
    transforms?.policy,
  );
  const attachment = make(
    alicloud.ram.RolePolicyAttachment,
    `${name}-attachment`,
    { policyName: policy.policyName, policyType: "Custom", roleName: role.roleName },
    child,
    transforms?.attachment,
  );
  return { arn: role.arn, roleName: role.roleName, attachment };
}
