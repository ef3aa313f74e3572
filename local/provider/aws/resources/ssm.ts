import {
  AddTagsToResourceCommand,
  DeleteParameterCommand,
  DescribeParametersCommand,
  GetParameterCommand,
  type ParameterTier,
  type ParameterType,
  PutParameterCommand,
  RemoveTagsFromResourceCommand,
} from "@aws-sdk/client-ssm";
import type { Infer } from "../../schema";
import { type AwsContext, arnOf, clientsOf, ignoreMissing, resource } from "../context";
import { removedTags, tagList, tagsAllOf } from "../tags";

const inputs = {
  name: "string",
  "type!": "string",
  value: "string",
  insecureValue: "string",
  description: "string",
  keyId: "string",
  tier: "string",
  overwrite: "boolean",
  tags: "map",
} as const;

export const parameter = resource({
  token: "aws:ssm/parameter:Parameter",
  inputs,
  computed: ["arn", "version"],
  defaults: { dataType: "text", tier: "Standard", hasValueWo: false },
  autoname: { property: "name", maxLength: 1011 },
  replaceOn: ["name", "region"],
  check: function* ({ value, insecureValue, type }) {
    if ((value === undefined) === (insecureValue === undefined)) {
      yield { property: "value", reason: "a parameter has either value or insecureValue" };
    }
    if (type === "SecureString" && insecureValue !== undefined) {
      yield { property: "insecureValue", reason: "a SecureString takes value, not insecureValue" };
    }
  },
  create: async (context, given) => {
    await put(context, given, given.overwrite ?? false);
    await tag(context, given.name ?? "", tagsAllOf(given), []);
    return given.name ?? "";
  },
  read: async (context, id) => {
    const { ssm } = clientsOf(context);
    // Unlike GetParameter, this does not read the value.
    const Filter = { Key: "Name", Option: "Equals", Values: [id] };
    const found = await ssm.send(new DescribeParametersCommand({ ParameterFilters: [Filter] }));
    const one = found.Parameters?.find((candidate) => candidate.Name === id);
    return one && { arn: arnOf(context, "ssm", `parameter/${id.replace(/^\//, "")}`), version: one.Version };
  },
  drift: async (context, id, { value, insecureValue }) => {
    const { Parameter } = await clientsOf(context).ssm.send(new GetParameterCommand({ Name: id, WithDecryption: true }));
    const current = Parameter?.Value;
    if (current === (value ?? insecureValue)) return {};
    return value === undefined ? { insecureValue: current } : { value: current };
  },
  update: async (context, id, news, olds) => {
    await put(context, news, true);
    await tag(context, id, tagsAllOf(news), removedTags(tagsAllOf(news), tagsAllOf(olds)));
  },
  delete: (context, id) => ignoreMissing(clientsOf(context).ssm.send(new DeleteParameterCommand({ Name: id }))),
});

async function put(context: AwsContext, given: Infer<typeof inputs>, Overwrite: boolean): Promise<void> {
  await clientsOf(context).ssm.send(
    new PutParameterCommand({
      Name: given.name,
      Type: given.type as ParameterType,
      Value: given.value ?? given.insecureValue,
      Description: given.description,
      KeyId: given.keyId,
      Tier: given.tier as ParameterTier | undefined,
      Overwrite,
    }),
  );
}

async function tag(context: AwsContext, id: string, tags: Record<string, string>, removed: string[]): Promise<void> {
  const { ssm } = clientsOf(context);
  const target = { ResourceType: "Parameter", ResourceId: id } as const;
  if (removed.length > 0) await ssm.send(new RemoveTagsFromResourceCommand({ ...target, TagKeys: removed }));
  if (Object.keys(tags).length > 0) await ssm.send(new AddTagsToResourceCommand({ ...target, Tags: tagList(tags) }));
}
