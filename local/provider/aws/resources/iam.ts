import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import { sameValue } from "../../values";
import { clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { removedTags, tagList, tagsAllOf } from "../tags";

export const role = resource({
  token: "aws:iam/role:Role",
  inputs: {
    name: "string",
    "assumeRolePolicy!": "json",
    description: "string",
    maxSessionDuration: "number",
    path: "string",
    permissionsBoundary: "string",
    tags: "map",
  },
  computed: ["arn", "createDate", "uniqueId"],
  defaults: { description: "", maxSessionDuration: 3600, path: "/", forceDetachPolicies: false },
  autoname: { property: "name", maxLength: 64 },
  replaceOn: ["name", "path"],
  create: async (context, given) => {
    await clientsOf(context).iam.send(
      new CreateRoleCommand({
        RoleName: given.name,
        AssumeRolePolicyDocument: given.assumeRolePolicy,
        Description: given.description,
        MaxSessionDuration: given.maxSessionDuration,
        Path: given.path,
        PermissionsBoundary: given.permissionsBoundary,
        Tags: tagList(tagsAllOf(given)),
      }),
    );
    return given.name ?? "";
  },
  read: async (context, id) => {
    const found = await unlessMissing(clientsOf(context).iam.send(new GetRoleCommand({ RoleName: id })));
    const Role = found?.Role;
    return Role && { arn: Role.Arn, createDate: Role.CreateDate?.toISOString(), uniqueId: Role.RoleId };
  },
  update: async (context, id, news, olds) => {
    const { iam } = clientsOf(context);
    const PolicyDocument = news.assumeRolePolicy;
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: id, PolicyDocument }));
    const { description: Description = "", maxSessionDuration: MaxSessionDuration = 3600 } = news;
    await iam.send(new UpdateRoleCommand({ RoleName: id, Description, MaxSessionDuration }));
    const TagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
    if (TagKeys.length > 0) await iam.send(new UntagRoleCommand({ RoleName: id, TagKeys }));
    await iam.send(new TagRoleCommand({ RoleName: id, Tags: tagList(tagsAllOf(news)) }));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).iam.send(new DeleteRoleCommand({ RoleName: id }))),
});

export const rolePolicy = resource({
  token: "aws:iam/rolePolicy:RolePolicy",
  inputs: { name: "string", "policy!": "json", "role!": "string" },
  computed: [],
  autoname: { property: "name", maxLength: 128 },
  replaceOn: ["name", "role"],
  create: async (context, { name: PolicyName, policy: PolicyDocument, role: RoleName }) => {
    await clientsOf(context).iam.send(new PutRolePolicyCommand({ PolicyName, PolicyDocument, RoleName }));
    return `${RoleName}:${PolicyName}`;
  },
  read: async (context, _id, { name: PolicyName, role: RoleName }) => {
    const call = clientsOf(context).iam.send(new GetRolePolicyCommand({ PolicyName, RoleName }));
    return (await unlessMissing(call)) && {};
  },
  drift: async (context, _id, { name: PolicyName, policy, role: RoleName }) => {
    const found = await clientsOf(context).iam.send(new GetRolePolicyCommand({ PolicyName, RoleName }));
    const current = decodeURIComponent(found.PolicyDocument ?? "");
    return sameValue(JSON.parse(current), JSON.parse(policy)) ? {} : { policy: current };
  },
  update: async (context, _id, { name: PolicyName, policy: PolicyDocument, role: RoleName }) => {
    await clientsOf(context).iam.send(new PutRolePolicyCommand({ PolicyName, PolicyDocument, RoleName }));
  },
  delete: (context, _id, { name: PolicyName, role: RoleName }) =>
    ignoreMissing(clientsOf(context).iam.send(new DeleteRolePolicyCommand({ PolicyName, RoleName }))),
});

export const rolePolicyAttachment = resource({
  token: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  inputs: { "policyArn!": "string", "role!": "string" },
  computed: [],
  fixedIdentity: true,
  create: async (context, { policyArn: PolicyArn, role: RoleName }) => {
    await clientsOf(context).iam.send(new AttachRolePolicyCommand({ PolicyArn, RoleName }));
    return `${RoleName}/${PolicyArn}`;
  },
  read: async (context, _id, { policyArn, role: RoleName }) => {
    const found = await unlessMissing(clientsOf(context).iam.send(new ListAttachedRolePoliciesCommand({ RoleName })));
    return found?.AttachedPolicies?.some((one) => one.PolicyArn === policyArn) ? {} : undefined;
  },
  delete: (context, _id, { policyArn: PolicyArn, role: RoleName }) =>
    ignoreMissing(clientsOf(context).iam.send(new DetachRolePolicyCommand({ PolicyArn, RoleName }))),
});
