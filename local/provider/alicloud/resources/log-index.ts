/** The index of a log store. The id is `<project>:<store>`. */
import type { Infer } from "../../schema";
import type { Properties } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { notOneOf } from "../checks";
import { type AlicloudContext, cloudOf, resource } from "../context";
import type { LogCall } from "../log-api";

const inputs = {
  "project!": "string",
  "logstore!": "string",
  fullText: { caseSensitive: "boolean", includeChinese: "boolean", token: "string" },
  fieldSearches: [
    {
      "name!": "string",
      alias: "string",
      caseSensitive: "boolean",
      enableAnalytics: "boolean",
      includeChinese: "boolean",
      jsonKeys: [{ "name!": "string", alias: "string", docValue: "boolean", type: "string" }],
      token: "string",
      type: "string",
    },
  ],
  maxTextLen: "number",
} as const;
type Inputs = Infer<typeof inputs>;

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createindex */
export const storeIndex = resource({
  token: "alicloud:log/storeIndex:StoreIndex",
  inputs,
  computed: [],
  replaceOn: ["project", "logstore"],
  check: function* ({ fullText, fieldSearches = [] }) {
    if (fullText === undefined && fieldSearches.length === 0) {
      yield { property: "fullText", reason: "an index has fullText, fieldSearches or both" };
    }
    for (const [index, { type, jsonKeys = [] }] of fieldSearches.entries()) {
      yield* notOneOf(`fieldSearches[${index}].type`, type, ["long", "text", "double", "json"]);
      for (const { type: inner } of jsonKeys) {
        yield* notOneOf(`fieldSearches[${index}].jsonKeys.type`, inner, ["long", "text", "double"]);
      }
    }
  },
  create: async (context, given) => {
    await call(context, "POST", given, documentOf(given));
    return `${given.project}:${given.logstore}`;
  },
  read: async (context, _id, given) => (await unlessMissing(() => call(context, "GET", given))) && {},
  update: async (context, _id, given) => {
    await call(context, "PUT", given, documentOf(given));
  },
  delete: (context, _id, given) => ignoreMissing(() => call(context, "DELETE", given)),
});

const call = (context: AlicloudContext, method: LogCall["method"], { project, logstore }: Inputs, body?: object) =>
  cloudOf(context).logs.call({ method, path: `/logstores/${logstore}/index`, project, ...(body && { body }) });

function documentOf({ fullText, fieldSearches = [], maxTextLen }: Inputs): Properties {
  const keys = fieldSearches.map(({ name, type = "long", alias, enableAnalytics = true, jsonKeys = [], ...text }) => {
    const inner = jsonKeys.map((one) => [
      one.name,
      { type: one.type ?? "long", alias: one.alias, doc_value: one.docValue ?? true },
    ]);
    return [name, { type, alias, doc_value: enableAnalytics, ...textOf(text), json_keys: Object.fromEntries(inner) }];
  });
  return {
    line: fullText && textOf(fullText),
    keys: keys.length === 0 ? undefined : Object.fromEntries(keys),
    max_text_len: maxTextLen,
  };
}

/** Each character of `token` separates words. */
const textOf = ({ caseSensitive = false, includeChinese = false, token = "" }: NonNullable<Inputs["fullText"]>) => ({
  ...{ caseSensitive, chn: includeChinese, token: [...token] },
});
