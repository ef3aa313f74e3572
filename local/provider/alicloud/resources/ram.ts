import { compact } from "../../values";
import { badTags, notNamedAs, notOneOf, outsideRange } from "../checks";
import { assertFree, ignoreMissing, resource, servicesOf, unlessMissing } from "../context";

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
  check: function* ({ roleName, maxSessionDuration, tags }) {
    yield* notNamedAs("roleName", roleName, /^[A-Za-z0-9.-]{1,64}$/, `1 to 64 ${NAME_RULE}`);
    yield* outsideRange("maxSessionDuration", maxSessionDuration, 3600, 43_200);
    yield* badTags(tags);
  },
  create: async (context, { roleName, assumeRolePolicyDocument, description, maxSessionDuration }) => {
    const { ram } = servicesOf(context);
    ram.createRole({ roleName, assumeRolePolicyDocument, ...compact({ description, maxSessionDuration }) });
    return roleName;
  },
  read: async (context, id) => {
    const found = servicesOf(context).ram.getRole(id);
    return (
      found && {
        arn: found.arn,
        createTime: found.createDate,
        document: found.assumeRolePolicyDocument,
        maxSessionDuration: found.maxSessionDuration,
        name: found.roleName,
        roleId: found.roleId,
      }
    );
  },
  update: async (context, id, { assumeRolePolicyDocument, description = "", maxSessionDuration }) => {
    const { ram } = servicesOf(context);
    ram.updateRole(id, { assumeRolePolicyDocument, description, ...compact({ maxSessionDuration }) });
  },
  delete: (context, id, { force }) =>
    ignoreMissing(() => {
      const { ram } = servicesOf(context);
      if (force) for (const { policyName } of ram.policiesOfRole(id)) ram.detachPolicyFromRole(policyName, id);
      ram.deleteRole(id);
    }),
});

/** https://www.alibabacloud.com/help/en/ram/developer-reference/api-ram-2015-05-01-createpolicy */
export const policy = resource({
  token: "alicloud:ram/policy:Policy",
  inputs: { "policyName!": "string", "policyDocument!": "json", description: "string", rotateStrategy: "string", tags: "map" },
  computed: ["createTime", "document", "name", "type"],
  replaceOn: ["policyName"],
  check: function* ({ policyName, rotateStrategy, tags }) {
    yield* notNamedAs("policyName", policyName, /^[A-Za-z0-9-]{1,128}$/, "1 to 128 letters, digits and -");
    yield* notOneOf("rotateStrategy", rotateStrategy, ROTATIONS);
    yield* badTags(tags);
  },
  create: async (context, { policyName, policyDocument, description }) => {
    servicesOf(context).ram.createPolicy({ policyName, policyDocument, ...compact({ description }) });
    return policyName;
  },
  read: async (context, id) => {
    const found = servicesOf(context).ram.getPolicy(id);
    return found && { createTime: found.createDate, document: found.policyDocument, name: found.policyName, type: "Custom" };
  },
  update: async (context, id, { policyDocument, description = "" }, olds) => {
    const { ram } = servicesOf(context);
    if (policyDocument !== olds.policyDocument) ram.updatePolicy(id, policyDocument);
    if (description !== (olds.description ?? "")) ram.updatePolicyDescription(id, description);
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).ram.deletePolicy(id)),
});

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
    const { ram } = servicesOf(context);
    const attached = ram.policiesOfRole(roleName).find((one) => one.policyName === policyName);
    assertFree(`the attachment of ${policyName} to ${roleName}`, attached);
    ram.attachPolicyToRole(policyName, roleName);
    return `role:${policyName}:${policyType}:${roleName}`;
  },
  read: async (context, _id, { policyName, roleName }) => {
    const attached = await unlessMissing(() => servicesOf(context).ram.policiesOfRole(roleName));
    return attached?.some((one) => one.policyName === policyName) ? {} : undefined;
  },
  delete: (context, _id, { policyName, roleName }) =>
    ignoreMissing(() => servicesOf(context).ram.detachPolicyFromRole(policyName, roleName)),
});
