/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-overview */
import type { RpcCall, RpcOperation, RpcProduct } from "../api/rpc-api";
import { invalidParameter, type Parameters } from "../api/rpc-parameters";
import { ApiError, type Ram } from "../contracts";
import { isoSeconds } from "./names";
import type { KeptPolicy, Policies, PolicyVersion } from "./policies";
import type { KeptRole, Roles } from "./roles";

const ROTATE = "DeleteOldestNonDefaultVersionWhenLimitExceeded";

export interface RamApiOptions {
  ram: Pick<Ram, "accountId" | "deletePolicy" | "attachPolicyToRole" | "detachPolicyFromRole">;
  roles: Roles;
  policies: Policies;
}

export function ramApi(options: RamApiOptions): RpcProduct {
  const operations = { ...roleOperations(options), ...policyOperations(options), ...tagOperations(options) };
  return { version: "2015-05-01", operations };
}

type Operations = Record<string, RpcOperation>;

function roleOperations({ ram, roles }: RamApiOptions): Operations {
  const permitted = (call: RpcCall, name: string) => permit(call, ram.accountId, "role", name);
  const named = (call: RpcCall) => permitted(call, call.parameters.required("RoleName"));
  return {
    CreateRole: (call) => {
      const { parameters } = call;
      const role = roles.create({
        roleName: named(call),
        assumeRolePolicyDocument: parameters.required("AssumeRolePolicyDocument"),
        ...settingsOf(parameters, "Description", "MaxSessionDuration"),
      });
      for (const [key, value] of tagsOf(parameters)) role.tags.set(key, value);
      return { Role: roleFields(role) };
    },
    GetRole: (call) => ({ Role: roleFields(roles.get(named(call))) }),
    ListRoles: (call) => {
      permit(call, ram.accountId, "role", "*");
      return { Roles: { Role: roles.all().map(roleFields) }, IsTruncated: false };
    },
    UpdateRole: (call) => {
      const { parameters } = call;
      const assumeRolePolicyDocument = parameters.text("NewAssumeRolePolicyDocument");
      const role = roles.update(named(call), {
        ...settingsOf(parameters, "NewDescription", "NewMaxSessionDuration"),
        ...(assumeRolePolicyDocument === undefined ? {} : { assumeRolePolicyDocument }),
      });
      return { Role: roleFields(role) };
    },
    DeleteRole: (call) => {
      roles.delete(named(call));
      return undefined;
    },
    AttachPolicyToRole: (call) => {
      const [policyName, roleName] = [customPolicy(call.parameters), named(call)];
      ram.attachPolicyToRole(policyName, roleName);
      return undefined;
    },
    DetachPolicyFromRole: (call) => {
      const [policyName, roleName] = [customPolicy(call.parameters), named(call)];
      ram.detachPolicyFromRole(policyName, roleName);
      return undefined;
    },
    ListPoliciesForRole: (call) => {
      const policies = [...roles.get(named(call)).attached.keys()].map((policy) => {
        const { PolicyName, PolicyType, Description, DefaultVersion } = policyFields(policy, 1);
        return { PolicyName, PolicyType, Description, DefaultVersion };
      });
      return { Policies: { Policy: policies } };
    },
  };
}

function policyOperations({ ram, roles, policies }: RamApiOptions): Operations {
  const permitted = (call: RpcCall, name: string) => permit(call, ram.accountId, "policy", name);
  const named = (call: RpcCall) => permitted(call, call.parameters.required("PolicyName"));
  const typed = (call: RpcCall) => permitted(call, customPolicy(call.parameters));
  const described = (policy: KeptPolicy) => policyFields(policy, roles.withPolicy(policy).length);
  return {
    CreatePolicy: (call) => {
      const policyDocument = call.parameters.required("PolicyDocument");
      const description = call.parameters.text("Description") ?? "";
      const policy = policies.create({ policyName: named(call), policyDocument, description });
      for (const [key, value] of tagsOf(call.parameters)) policy.tags.set(key, value);
      return { Policy: described(policy) };
    },
    GetPolicy: (call) => {
      const policy = policies.get(typed(call));
      const version = policies.version(policy.policyName, policy.defaultVersion);
      return { Policy: described(policy), DefaultPolicyVersion: versionFields(policy, version) };
    },
    ListPolicies: (call) => {
      permit(call, ram.accountId, "policy", "*");
      const all = call.parameters.text("PolicyType") === "System" ? [] : policies.all();
      return { Policies: { Policy: all.map(described) }, IsTruncated: false };
    },
    UpdatePolicyDescription: (call) => {
      const name = named(call);
      return { Policy: described(policies.describe(name, call.parameters.given("NewDescription") ?? "")) };
    },
    DeletePolicy: (call) => {
      const policy = policies.get(named(call));
      const cascading = call.parameters.flag("CascadingDelete") ?? false;
      if (policy.versions.length > 1 && !cascading)
        throw new ApiError(
          409,
          "DeleteConflict.Policy.Version",
          `The policy ${policy.policyName} has other versions than the default: delete them first, or set CascadingDelete.`,
        );
      ram.deletePolicy(policy.policyName);
      return undefined;
    },
    ListEntitiesForPolicy: (call) => {
      const attached = roles.withPolicy(policies.get(typed(call)));
      const fields = attached.map(({ roleName, roleId, arn, description }) => ({
        ...{ RoleName: roleName, RoleId: roleId, Arn: arn, Description: description },
      }));
      return { Users: { User: [] }, Groups: { Group: [] }, Roles: { Role: fields } };
    },
    CreatePolicyVersion: (call) => {
      const { parameters } = call;
      const name = named(call);
      const rotation = parameters.text("RotateStrategy") ?? "None";
      if (rotation !== "None" && rotation !== ROTATE) throw invalidParameter("RotateStrategy", `it must be None or ${ROTATE}`);
      const options = { asDefault: parameters.flag("SetAsDefault") ?? false, rotate: rotation === ROTATE };
      const version = policies.createVersion(name, parameters.required("PolicyDocument"), options);
      return { PolicyVersion: versionFields(policies.get(name), version) };
    },
    GetPolicyVersion: (call) => {
      const policy = policies.get(typed(call));
      const version = policies.version(policy.policyName, call.parameters.required("VersionId"));
      return { PolicyVersion: versionFields(policy, version) };
    },
    ListPolicyVersions: (call) => {
      const policy = policies.get(typed(call));
      return { PolicyVersions: { PolicyVersion: policy.versions.map((version) => versionFields(policy, version)) } };
    },
    SetDefaultPolicyVersion: (call) => {
      policies.setDefault(named(call), call.parameters.required("VersionId"));
      return undefined;
    },
    DeletePolicyVersion: (call) => {
      policies.deleteVersion(named(call), call.parameters.required("VersionId"));
      return undefined;
    },
  };
}

function tagOperations({ ram, roles, policies }: RamApiOptions): Operations {
  const targets = (call: RpcCall) => {
    const type = call.parameters.required("ResourceType");
    if (type !== "role" && type !== "policy")
      throw invalidParameter("ResourceType", `${type} is not served here: role and policy are`);
    return call.parameters.list("ResourceNames").map((name) => {
      permit(call, ram.accountId, type, name);
      return type === "role" ? { type, name, ...tagged(roles.get(name)) } : { type, name, ...tagged(policies.get(name)) };
    });
  };
  return {
    ListTagResources: (call) => {
      const TagResources = targets(call).flatMap(({ type, name, id, tags }) =>
        [...tags].map(([key, value]) => ({
          ...{ ResourceType: type, ResourceName: name, ResourceId: id, TagKey: key, TagValue: value },
        })),
      );
      return { TagResources };
    },
    TagResources: (call) => {
      const added = tagsOf(call.parameters);
      for (const { tags } of targets(call)) for (const [key, value] of added) tags.set(key, value);
      return undefined;
    },
    UntagResources: (call) => {
      const keys = call.parameters.list(call.parameters.text("TagKeys") === undefined ? "TagKey" : "TagKeys");
      for (const { tags } of targets(call)) for (const key of keys) tags.delete(key);
      return undefined;
    },
  };
}

/** RAM is in no region. Returns the name. */
function permit(call: RpcCall, accountId: string, kind: "role" | "policy", name: string): string {
  call.authorize(`ram:${call.action}`, `acs:ram::${accountId}:${kind}/${name}`);
  return name;
}

/** The vendor's own policies, of type System, do not exist here. */
function customPolicy(parameters: Parameters): string {
  const [name, type] = [parameters.required("PolicyName"), parameters.required("PolicyType")];
  if (type !== "Custom" && type !== "System") throw invalidParameter("PolicyType", `${type} must be Custom or System`);
  if (type === "Custom") return name;
  throw new ApiError(404, "EntityNotExist.Policy", `The policy ${name} of type System does not exist here: only Custom ones do.`);
}

function settingsOf(parameters: Parameters, description: string, duration: string) {
  const [text, seconds] = [parameters.given(description), parameters.whole(duration)];
  return {
    ...(text === undefined ? {} : { description: text }),
    ...(seconds === undefined ? {} : { maxSessionDuration: seconds }),
  };
}

const tagsOf = (parameters: Parameters): [string, string][] =>
  parameters.objects("Tag", ["Key", "Value"]).map(({ Key, Value = "" }) => {
    if (Key === undefined || Key === "") throw invalidParameter("Tag.Key", "a tag has no key");
    return [Key, Value];
  });

const tagged = (one: KeptRole | KeptPolicy) => ({ id: "roleId" in one ? one.roleId : one.policyName, tags: one.tags });

const roleFields = (role: KeptRole) => ({
  RoleId: role.roleId,
  RoleName: role.roleName,
  Arn: role.arn,
  Description: role.description,
  AssumeRolePolicyDocument: role.assumeRolePolicyDocument,
  MaxSessionDuration: role.maxSessionDuration,
  CreateDate: role.createDate,
  UpdateDate: isoSeconds(role.updatedAt),
});

const policyFields = (policy: KeptPolicy, attachmentCount: number) => ({
  PolicyName: policy.policyName,
  PolicyType: "Custom",
  Description: policy.description,
  DefaultVersion: policy.defaultVersion,
  CreateDate: policy.createDate,
  UpdateDate: isoSeconds(policy.updatedAt),
  AttachmentCount: attachmentCount,
});

const versionFields = (policy: KeptPolicy, version: PolicyVersion) => ({
  VersionId: version.versionId,
  IsDefaultVersion: version.versionId === policy.defaultVersion,
  PolicyDocument: version.policyDocument,
  CreateDate: isoSeconds(version.createdAt),
});
