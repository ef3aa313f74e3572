import type { Infer } from "../../schema";
import type { Properties } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { notNamedAs, notOneOf } from "../checks";
import { type AlicloudContext, assertKept, controlOf, resource } from "../context";

const inputs = {
  name: "string",
  "definition!": "string",
  "description!": "string",
  "type!": "string",
  roleArn: "string",
} as const;

/** https://www.alibabacloud.com/help/en/cloudflow/cloudworkflow/developer-reference/api-fnf-2019-03-15-createflow */
export const flow = resource({
  token: "alicloud:fnf/flow:Flow",
  inputs,
  computed: ["flowId", "lastModifiedTime"],
  autoname: { property: "name", maxLength: 128 },
  replaceOn: ["name"],
  check: function* ({ name = "", type }) {
    yield* notNamedAs("name", name, /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/, "1 to 128 letters, digits, _ and -");
    yield* notOneOf("type", type, ["FDL", "DEFAULT"]);
  },
  create: async (context, given) => {
    await call(context, "CreateFlow", { Name: given.name, ...parametersOf(given) });
    return given.name ?? "";
  },
  read: async (context, id) => {
    const found = await unlessMissing(() => call(context, "DescribeFlow", { Name: id }));
    return found && { flowId: found.Id, lastModifiedTime: found.LastModifiedTime };
  },
  update: async (context, id, news, olds) => {
    assertKept(["roleArn"], news, olds);
    await call(context, "UpdateFlow", { Name: id, ...parametersOf(news) });
  },
  delete: (context, id) => ignoreMissing(() => call(context, "DeleteFlow", { Name: id })),
});

const call = (context: AlicloudContext, action: string, parameters: Properties) =>
  controlOf(context).rpc("fnf", action, parameters);

const parametersOf = ({ definition, description, type, roleArn }: Infer<typeof inputs>): Properties => ({
  ...{ Definition: definition, Description: description, Type: type, RoleArn: roleArn },
});
