import type { Properties } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { badTags, notNamedAs, outsideRange } from "../checks";
import { type AlicloudContext, controlOf, resource } from "../context";

const NAME = /^(?!ALIYUN|ACS|ALIBABA|ALICLOUD|OOS)[A-Za-z0-9_/-]{2,180}$/i;

/** https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-createsecretparameter */
export const secretParameter = resource({
  token: "alicloud:oos/secretParameter:SecretParameter",
  inputs: { "secretParameterName!": "string", "value!": "string", description: "string", tags: "map", type: "string" },
  computed: ["type"],
  replaceOn: ["secretParameterName", "type"],
  kept: ["tags", "type"],
  check: function* ({ secretParameterName, value, description, tags, type = "Secret" }) {
    const rule = "2 to 180 letters, digits, _, / and -, not beginning with a name of the vendor's";
    yield* notNamedAs("secretParameterName", secretParameterName, NAME, rule);
    // The reason must not contain the value.
    if (value.length < 1 || value.length > 4096) yield { property: "value", reason: "a value has 1 to 4096 characters" };
    yield* outsideRange("description.length", description?.length, 1, 200);
    if (type !== "Secret") yield { property: "type", reason: `type is ${type}; the only one is Secret` };
    yield* badTags(tags);
  },
  create: async (context, { secretParameterName: Name, value: Value, description: Description, tags: Tags }) => {
    await call(context, "CreateSecretParameter", { Name, Value, Description, Tags: Tags && JSON.stringify(Tags) });
    return Name;
  },
  // The value is not read.
  read: async (context, id) => {
    const found = await unlessMissing(() => call(context, "GetSecretParameter", { Name: id }));
    return found && { type: (found.Parameter as Properties).Type };
  },
  update: async (context, Name, { value: Value, description: Description = "", tags = {} }) => {
    await call(context, "UpdateSecretParameter", { Name, Value, Description, Tags: JSON.stringify(tags) });
  },
  delete: (context, id) => ignoreMissing(() => call(context, "DeleteSecretParameter", { Name: id })),
});

const call = (context: AlicloudContext, action: string, parameters: Properties) =>
  controlOf(context).rpc("oos", action, { RegionId: context.region, ...parameters });
