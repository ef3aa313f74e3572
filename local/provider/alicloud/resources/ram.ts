import type { Properties } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { badTags, notNamedAs, notOneOf, outsideRange } from "../checks";
import { type AlicloudContext, controlOf, resource } from "../context";
import { changeTags, type TagCalls, tagList } from "../tags";

const NAME_RULE = "letters, digits, . and -";
const ROTATIONS = ["None", "DeleteOldestNonDefaultVersionWhenLimitExceeded"];

/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createrole */
export const role = resource({
  token: "alicloud:ram/role:Role",
  inputs: {
    // Pulumi generates names only for an input called `name`, which is deprecated here, so a role needs a given name.
    "roleName!": "string",
    "assumeRolePolicyDocument!": "json",
    description: "string",
    force: "boolean",
    maxSessionDuration: "number",
    tags: "map",
  },
  computed: ["arn", "createTime", "document", "maxSessionDuration", "name", "roleId"],
  replaceOn: ["roleName"],
  kept: ["maxSessionDuration"],
  check: function* ({ roleName, maxSessionDuration, tags }) {
    yield* notNamedAs("roleName", roleName, /^[A-Za-z0-9.-]{1,64}$/, `1 to 64 ${NAME_RULE}`);
    yield* outsideRange("maxSessionDuration", maxSessionDuration, 3600, 43_200);
    yield* badTags(tags);
  },
  create: async (context, { roleName, assumeRolePolicyDocument, description, maxSessionDuration, tags }) => {
    await call(context, "CreateRole", {
      ...{ RoleName: roleName, AssumeRolePolicyDocument: assumeRolePolicyDocument, Tag: tagList(tags) },
      ...{ Description: description, MaxSessionDuration: maxSessionDuration },
    });
    return roleName;
  },
  read: async (context, id) => {
    const found = await unlessMissing(() => call(context, "GetRole", { RoleName: id }));
    if (found === undefined) return undefined;
    const { Arn, CreateDate, AssumeRolePolicyDocument, MaxSessionDuration, RoleName, RoleId } = found.Role as Properties;
    return {
      ...{ arn: Arn, createTime: CreateDate, document: AssumeRolePolicyDocument },
      ...{ maxSessionDuration: MaxSessionDuration, name: RoleName, roleId: RoleId },
    };
  },
  update: async (context, id, { assumeRolePolicyDocument, description = "", maxSessionDuration, tags }, olds) => {
    await call(context, "UpdateRole", {
      ...{ RoleName: id, NewAssumeRolePolicyDocument: assumeRolePolicyDocument, NewDescription: description },
      NewMaxSessionDuration: maxSessionDuration,
    });
    await changeTags(tags, olds.tags, tagCalls(context, "role", id));
  },
  delete: (context, id, { force }) =>
    ignoreMissing(async () => {
      if (force) {
        for (const { PolicyName, PolicyType } of await policiesOfRole(context, id))
          await call(context, "DetachPolicyFromRole", { PolicyName, PolicyType, RoleName: id });
      }
      await call(context, "DeleteRole", { RoleName: id });
    }),
});

/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createpolicy */
export const policy = resource({
  token: "alicloud:ram/policy:Policy",
  inputs: {
    "policyName!": "string",
    "policyDocument!": "json",
    description: "string",
    force: "boolean",
    rotateStrategy: "string",
    tags: "map",
  },
  computed: ["createTime", "document", "name", "type"],
  replaceOn: ["policyName"],
  check: function* ({ policyName, rotateStrategy, tags }) {
    yield* notNamedAs("policyName", policyName, /^[A-Za-z0-9-]{1,128}$/, "1 to 128 letters, digits and -");
    yield* notOneOf("rotateStrategy", rotateStrategy, ROTATIONS);
    yield* badTags(tags);
  },
  create: async (context, { policyName, policyDocument, description, tags }) => {
    await call(context, "CreatePolicy", {
      ...{ PolicyName: policyName, PolicyDocument: policyDocument, Description: description, Tag: tagList(tags) },
    });
    return policyName;
  },
  read: async (context, id) => {
    const found = await unlessMissing(() => call(context, "GetPolicy", { PolicyName: id, PolicyType: "Custom" }));
    if (found === undefined) return undefined;
    const { CreateDate, PolicyName, PolicyType } = found.Policy as Properties;
    const { PolicyDocument } = found.DefaultPolicyVersion as Properties;
    return { createTime: CreateDate, document: PolicyDocument, name: PolicyName, type: PolicyType };
  },
  update: async (context, id, { policyDocument, description = "", rotateStrategy, tags }, olds) => {
    if (policyDocument !== olds.policyDocument) {
      await call(context, "CreatePolicyVersion", {
        ...{ PolicyName: id, PolicyDocument: policyDocument, SetAsDefault: true, RotateStrategy: rotateStrategy },
      });
    }
    if (description !== (olds.description ?? ""))
      await call(context, "UpdatePolicyDescription", { PolicyName: id, NewDescription: description });
    await changeTags(tags, olds.tags, tagCalls(context, "policy", id));
  },
  delete: (context, id, { force }) =>
    ignoreMissing(async () => {
      if (force) await detachEverywhere(context, id);
      // With its older versions.
      await call(context, "DeletePolicy", { PolicyName: id, CascadingDelete: true });
    }),
});

async function detachEverywhere(context: AlicloudContext, PolicyName: string): Promise<void> {
  const policy = { PolicyName, PolicyType: "Custom" };
  const { Roles } = await call(context, "ListEntitiesForPolicy", policy);
  for (const { RoleName } of listIn(Roles, "Role") as { RoleName: string }[])
    await call(context, "DetachPolicyFromRole", { ...policy, RoleName });
}

export const rolePolicyAttachment = resource({
  token: "alicloud:ram/rolePolicyAttachment:RolePolicyAttachment",
  inputs: { "policyName!": "string", "policyType!": "string", "roleName!": "string" },
  computed: [],
  check: function* ({ policyType }) {
    if (policyType !== "Custom") {
      yield {
        property: "policyType",
        reason: `policyType is ${policyType}: the local RAM has Custom policies, not the vendor's own`,
      };
    }
  },
  create: async (context, { policyName, policyType, roleName }) => {
    await call(context, "AttachPolicyToRole", { PolicyName: policyName, PolicyType: policyType, RoleName: roleName });
    return `role:${policyName}:${policyType}:${roleName}`;
  },
  read: async (context, _id, { policyName, roleName }) => {
    const attached = await unlessMissing(() => policiesOfRole(context, roleName));
    return attached?.some(({ PolicyName }) => PolicyName === policyName) ? {} : undefined;
  },
  delete: (context, _id, { policyName, policyType, roleName }) =>
    ignoreMissing(() =>
      call(context, "DetachPolicyFromRole", { PolicyName: policyName, PolicyType: policyType, RoleName: roleName }),
    ),
});

const call = (context: AlicloudContext, action: string, parameters: Properties) =>
  controlOf(context).rpc("ram", action, parameters);

async function policiesOfRole(context: AlicloudContext, RoleName: string) {
  const { Policies } = await call(context, "ListPoliciesForRole", { RoleName });
  return listIn(Policies, "Policy") as { PolicyName: string; PolicyType: string }[];
}

/** RAM has lists as `{ Policies: { Policy: [...] } }`. */
const listIn = (found: unknown, name: string): unknown[] => (found as Record<string, unknown[]>)[name] ?? [];

function tagCalls(context: AlicloudContext, ResourceType: "role" | "policy", name: string): TagCalls {
  const target = { ResourceType, ResourceNames: [name] };
  return {
    tag: (tags) => call(context, "TagResources", { ...target, Tag: tagList(tags) }),
    untag: (keys) => call(context, "UntagResources", { ...target, TagKey: keys }),
  };
}
