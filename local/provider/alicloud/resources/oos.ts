import { compact } from "../../values";
import { badTags, notNamedAs, outsideRange } from "../checks";
import { assertFree, ignoreMissing, resource, servicesOf } from "../context";

const NAME = /^(?!ALIYUN|ACS|ALIBABA|ALICLOUD|OOS)[A-Za-z0-9_/-]{2,180}$/i;

/** https://www.alibabacloud.com/help/en/oos/developer-reference/api-oos-2019-06-01-createsecretparameter */
export const secretParameter = resource({
  token: "alicloud:oos/secretParameter:SecretParameter",
  inputs: { "secretParameterName!": "string", "value!": "string", description: "string", tags: "map", type: "string" },
  computed: ["type"],
  replaceOn: ["secretParameterName", "type"],
  check: function* ({ secretParameterName, value, description, tags, type = "Secret" }) {
    const rule = "2 to 180 letters, digits, _, / and -, not beginning with a name of the vendor's";
    yield* notNamedAs("secretParameterName", secretParameterName, NAME, rule);
    // The reason must not contain the value.
    if (value.length < 1 || value.length > 4096) yield { property: "value", reason: "a value has 1 to 4096 characters" };
    yield* outsideRange("description.length", description?.length, 1, 200);
    if (type !== "Secret") yield { property: "type", reason: `type is ${type}; the only one is Secret` };
    yield* badTags(tags);
  },
  create: async (context, { secretParameterName: name, value, description }) => {
    const { secrets } = servicesOf(context);
    assertFree(`the secret parameter ${name}`, secrets.get(context.region, name));
    secrets.put(context.region, { name, value, ...compact({ description }) });
    return name;
  },
  // The value is not read.
  read: async (context, id) =>
    servicesOf(context).secrets.get(context.region, id) === undefined ? undefined : { type: "Secret" },
  update: async (context, name, { value, description }) =>
    servicesOf(context).secrets.put(context.region, { name, value, ...compact({ description }) }),
  delete: (context, id) => ignoreMissing(() => servicesOf(context).secrets.delete(context.region, id)),
});
