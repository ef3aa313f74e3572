import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  GetUserCommand,
  GetUserPolicyCommand,
  ListAccessKeysCommand,
  PutUserPolicyCommand,
  type StatusType,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
} from "@aws-sdk/client-iam";
import { clientsOf, ignoreMissing, resource, unlessMissing } from "../context";
import { removedTags, tagList, tagsAllOf } from "../tags";

export const user = resource({
  token: "aws:iam/user:User",
  inputs: { name: "string", path: "string", permissionsBoundary: "string", tags: "map" },
  computed: ["arn", "uniqueId"],
  defaults: { path: "/" },
  autoname: { property: "name", maxLength: 64 },
  replaceOn: ["name", "path", "permissionsBoundary"],
  create: async (context, given) => {
    await clientsOf(context).iam.send(
      new CreateUserCommand({
        UserName: given.name,
        Path: given.path,
        PermissionsBoundary: given.permissionsBoundary,
        Tags: tagList(tagsAllOf(given)),
      }),
    );
    return given.name ?? "";
  },
  read: async (context, id) => {
    const found = await unlessMissing(clientsOf(context).iam.send(new GetUserCommand({ UserName: id })));
    return found?.User && { arn: found.User.Arn, uniqueId: found.User.UserId };
  },
  update: async (context, id, news, olds) => {
    const { iam } = clientsOf(context);
    const TagKeys = removedTags(tagsAllOf(news), tagsAllOf(olds));
    if (TagKeys.length > 0) await iam.send(new UntagUserCommand({ UserName: id, TagKeys }));
    await iam.send(new TagUserCommand({ UserName: id, Tags: tagList(tagsAllOf(news)) }));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).iam.send(new DeleteUserCommand({ UserName: id }))),
});

export const userPolicy = resource({
  token: "aws:iam/userPolicy:UserPolicy",
  inputs: { name: "string", "policy!": "json", "user!": "string" },
  computed: [],
  autoname: { property: "name", maxLength: 128 },
  replaceOn: ["name", "user"],
  create: async (context, { name: PolicyName, policy: PolicyDocument, user: UserName }) => {
    await clientsOf(context).iam.send(new PutUserPolicyCommand({ PolicyName, PolicyDocument, UserName }));
    return `${UserName}:${PolicyName}`;
  },
  read: async (context, _id, { name: PolicyName, user: UserName }) => {
    const call = clientsOf(context).iam.send(new GetUserPolicyCommand({ PolicyName, UserName }));
    return (await unlessMissing(call)) && {};
  },
  update: async (context, _id, { name: PolicyName, policy: PolicyDocument, user: UserName }) => {
    await clientsOf(context).iam.send(new PutUserPolicyCommand({ PolicyName, PolicyDocument, UserName }));
  },
  delete: (context, _id, { name: PolicyName, user: UserName }) =>
    ignoreMissing(clientsOf(context).iam.send(new DeleteUserPolicyCommand({ PolicyName, UserName }))),
});

export const accessKey = resource({
  token: "aws:iam/accessKey:AccessKey",
  inputs: { "user!": "string", status: "string" },
  computed: ["createDate", "secret"],
  defaults: { status: "Active" },
  replaceOn: ["user"],
  create: async (context, { user: UserName, status }) => {
    const { iam } = clientsOf(context);
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const AccessKeyId = AccessKey?.AccessKeyId ?? "";
    if (status === "Inactive") await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId, Status: status }));
    // IAM returns the secret only once.
    return { id: AccessKeyId, outputs: { secret: AccessKey?.SecretAccessKey } };
  },
  read: async (context, id, { user: UserName }) => {
    const found = await unlessMissing(clientsOf(context).iam.send(new ListAccessKeysCommand({ UserName })));
    const key = found?.AccessKeyMetadata?.find((one) => one.AccessKeyId === id);
    return key && { createDate: key.CreateDate?.toISOString() };
  },
  update: async (context, id, { user: UserName, status = "Active" }) => {
    const Status = status as StatusType;
    await clientsOf(context).iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: id, Status }));
  },
  delete: (context, id, { user: UserName }) =>
    ignoreMissing(clientsOf(context).iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: id }))),
});
