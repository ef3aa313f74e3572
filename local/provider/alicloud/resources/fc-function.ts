import type { FunctionSpec } from "local-alicloud";
import type { Infer } from "../../schema";
import { compact } from "../../values";
import { badTags, notNamedAs, notOneOf } from "../checks";
import { assertKept, ignoreMissing, resource, servicesOf } from "../context";

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
    const made = await servicesOf(context).fc.createFunction(context.region, specOf(given));
    return made.functionName;
  },
  read: async (context, id) => {
    const found = servicesOf(context).fc.getFunction(context.region, id);
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
  update: async (context, id, news, olds) => {
    assertKept(["role", "logConfig"], news, olds);
    await servicesOf(context).fc.updateFunction(context.region, id, specOf(news));
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).fc.deleteFunction(context.region, id)),
});

function specOf(given: Inputs): FunctionSpec {
  const { project, logstore } = given.logConfig ?? {};
  const custom = given.customRuntimeConfig;
  return {
    functionName: given.functionName,
    runtime: given.runtime,
    handler: given.handler,
    code: Buffer.from(given.code.zipFile, "base64"),
    cpu: given.cpu,
    memorySize: given.memorySize,
    diskSize: given.diskSize ?? 512,
    timeout: given.timeout,
    environmentVariables: given.environmentVariables ?? {},
    internetAccess: given.internetAccess ?? true,
    instanceConcurrency: given.instanceConcurrency ?? 1,
    description: given.description ?? "",
    ...compact({ role: given.role }),
    ...(custom === undefined
      ? {}
      : { customRuntimeConfig: { command: custom.commands, args: custom.args ?? [], port: custom.port } }),
    ...(project === undefined || logstore === undefined ? {} : { logConfig: { project, logstore } }),
  };
}
