import type { FlowSpec } from "local-alicloud";
import type { Infer } from "../../schema";
import { compact } from "../../values";
import { notNamedAs, notOneOf } from "../checks";
import { assertKept, ignoreMissing, resource, servicesOf } from "../context";

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
    servicesOf(context).flow.createFlow(context.region, { name: given.name ?? "", ...specOf(given) });
    return given.name ?? "";
  },
  read: async (context, id) => {
    const found = servicesOf(context).flow.getFlow(context.region, id);
    return found && { flowId: found.id, lastModifiedTime: found.lastModifiedTime };
  },
  update: async (context, id, news, olds) => {
    assertKept(["roleArn"], news, olds);
    servicesOf(context).flow.updateFlow(context.region, id, specOf(news));
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).flow.deleteFlow(context.region, id)),
});

function specOf({ definition, description, type, roleArn }: Infer<typeof inputs>): Omit<FlowSpec, "name"> {
  return { definition, description, type, ...compact({ roleArn }) };
}
