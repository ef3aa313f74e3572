import type { TriggerSpec } from "local-alicloud";
import type { Infer } from "../../schema";
import { compact } from "../../values";
import { notNamedAs, notOneOf } from "../checks";
import { assertKept, ignoreMissing, resource, servicesOf } from "../context";

const inputs = {
  "functionName!": "string",
  "triggerName!": "string",
  "triggerType!": "string",
  "qualifier!": "string",
  "triggerConfig!": "json",
  description: "string",
  invocationRole: "string",
  sourceArn: "string",
} as const;
type Inputs = Infer<typeof inputs>;

/** https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-struct-createtriggerinput */
export const v3Trigger = resource({
  token: "alicloud:fc/v3Trigger:V3Trigger",
  inputs,
  computed: ["httpTrigger", "targetArn", "triggerId"],
  replaceOn: ["functionName", "triggerName", "triggerType", "qualifier", "sourceArn"],
  check: function* ({ triggerName, triggerType, qualifier }) {
    yield* notNamedAs("triggerName", triggerName, /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/, "1 to 128 letters, digits, _ and -");
    yield* notOneOf("triggerType", triggerType, ["oss", "http", "timer"]);
    yield* notOneOf("qualifier", qualifier, ["LATEST"]);
  },
  create: async (context, given) => {
    const made = servicesOf(context).fc.createTrigger(context.region, given.functionName, specOf(given));
    return `${given.functionName}:${made.triggerName}`;
  },
  read: async (context, _id, { functionName, triggerName, qualifier }) => {
    const { fc } = servicesOf(context);
    const found = fc.getTrigger(context.region, functionName, triggerName);
    if (found === undefined) return undefined;
    const targetArn = `${fc.getFunction(context.region, functionName)?.functionArn}/${qualifier}`;
    return { httpTrigger: found.httpTrigger, targetArn, triggerId: found.triggerId };
  },
  update: async (context, _id, news, olds) => {
    assertKept(["invocationRole"], news, olds);
    servicesOf(context).fc.updateTrigger(context.region, news.functionName, news.triggerName, specOf(news));
  },
  delete: (context, _id, { functionName, triggerName }) =>
    ignoreMissing(() => servicesOf(context).fc.deleteTrigger(context.region, functionName, triggerName)),
});

function specOf(given: Inputs): TriggerSpec {
  const { triggerName, triggerConfig, qualifier, sourceArn, invocationRole, description = "" } = given;
  const triggerType = given.triggerType as TriggerSpec["triggerType"];
  return { triggerName, triggerType, triggerConfig, qualifier, description, ...compact({ sourceArn, invocationRole }) };
}
