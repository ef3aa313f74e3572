import type { Infer } from "../../schema";
import { type Properties, sameValue } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { badTags, notNamedAs, notOneOf } from "../checks";
import { type AlicloudContext, assertKept, controlOf, resource } from "../context";
import { changeTags, tagList } from "../tags";

const inputs = {
  "functionName!": "string",
  "handler!": "string",
  "runtime!": "string",
  // The provider does not require it, but the default of Function Compute is not documented.
  "code!": { "zipFile!": "string" },
  "cpu!": "number",
  "memorySize!": "number",
  "timeout!": "number",
  description: "string",
  customRuntimeConfig: { "commands!": ["string"], args: ["string"], "port!": "number" },
  diskSize: "number",
  environmentVariables: "map",
  instanceConcurrency: "number",
  internetAccess: "boolean",
  logConfig: {
    "project!": "string",
    "logstore!": "string",
    enableInstanceMetrics: "boolean",
    enableRequestMetrics: "boolean",
    logBeginRule: "string",
  },
  role: "string",
  tags: "map",
} as const;
type Inputs = Infer<typeof inputs>;

/** https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-struct-createfunctioninput */
export const v3Function = resource({
  token: "alicloud:fc/v3Function:V3Function",
  inputs,
  computed: [
    "codeSize",
    "createTime",
    "diskSize",
    "functionArn",
    "functionId",
    "instanceConcurrency",
    "internetAccess",
    "lastModifiedTime",
  ],
  replaceOn: ["functionName"],
  kept: ["diskSize", "instanceConcurrency", "internetAccess"],
  check: function* ({ functionName, code, logConfig, tags }) {
    yield* notNamedAs("functionName", functionName, /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, "1 to 64 letters, digits, _ and -");
    // Buffer.from ignores characters that are not base64.
    if (!/^UEsD[A-Za-z0-9+/]+={0,2}$/.test(code.zipFile) || code.zipFile.length % 4 !== 0) {
      yield { property: "code.zipFile", reason: "code.zipFile must be a zip file in base64" };
    }
    yield* notOneOf("logConfig.logBeginRule", logConfig?.logBeginRule, ["None", "DefaultRegex"]);
    yield* badTags(tags);
  },
  create: async (context, given) => {
    const body = { functionName: given.functionName, ...bodyOf(given), tags: tagList(given.tags) };
    await controlOf(context).fc("CreateFunction", { method: "POST", path: "functions", body });
    return given.functionName;
  },
  read: async (context, id) => {
    const found = await unlessMissing(() => read(context, id));
    return (
      found && {
        codeSize: found.codeSize,
        createTime: found.createdTime,
        diskSize: found.diskSize,
        functionArn: found.functionArn,
        functionId: found.functionId,
        instanceConcurrency: found.instanceConcurrency,
        internetAccess: found.internetAccess,
        lastModifiedTime: found.lastModifiedTime,
      }
    );
  },
  // The provider sends what changed.
  update: async (context, id, news, olds) => {
    assertKept(["role", "logConfig"], news, olds);
    const before = bodyOf(olds);
    const changed = Object.entries(bodyOf(news)).filter(([name, value]) => !sameValue(value, before[name]));
    const body = Object.fromEntries(changed);
    if (changed.length > 0) await controlOf(context).fc("UpdateFunction", { method: "PUT", path: `functions/${id}`, body });
    if (sameValue(news.tags ?? {}, olds.tags ?? {})) return;
    const { functionArn } = await read(context, id);
    await changeTags(news.tags, olds.tags, {
      tag: (tags) => {
        const tagged = { ResourceType: "function", ResourceId: [functionArn], Tag: tagList(tags) };
        return controlOf(context).fc("TagResources", { method: "POST", path: "tags-v2", body: tagged });
      },
      untag: (keys) => {
        const query = { ResourceType: "function", ResourceId: JSON.stringify([functionArn]), TagKey: JSON.stringify(keys) };
        return controlOf(context).fc("UntagResources", { method: "DELETE", path: "tags-v2", query });
      },
    });
  },
  delete: (context, id) =>
    ignoreMissing(() => controlOf(context).fc("DeleteFunction", { method: "DELETE", path: `functions/${id}` })),
});

const read = (context: AlicloudContext, id: string) =>
  controlOf(context).fc("GetFunction", { method: "GET", path: `functions/${id}` });

/** Everything but the name and the tags. */
function bodyOf({ functionName: _, tags: __, customRuntimeConfig: custom, ...given }: Inputs): Properties {
  return {
    ...given,
    description: given.description ?? "",
    environmentVariables: given.environmentVariables ?? {},
    ...(custom === undefined
      ? {}
      : { customRuntimeConfig: { command: custom.commands, args: custom.args ?? [], port: custom.port } }),
  };
}
