import { ignoreMissing, unlessMissing } from "../api-failure";
import { notNamedAs, notOneOf } from "../checks";
import { assertKept, controlOf, resource } from "../context";

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

/** https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-struct-createtriggerinput */
export const v3Trigger = resource({
  token: "alicloud:fc/v3Trigger:V3Trigger",
  inputs,
  computed: ["httpTrigger", "targetArn", "triggerId"],
  replaceOn: ["functionName", "triggerName", "triggerType", "qualifier", "sourceArn"],
  kept: ["sourceArn"],
  check: function* ({ triggerName, triggerType, qualifier }) {
    yield* notNamedAs("triggerName", triggerName, /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/, "1 to 128 letters, digits, _ and -");
    yield* notOneOf("triggerType", triggerType, ["oss", "http", "timer"]);
    yield* notOneOf("qualifier", qualifier, ["LATEST"]);
  },
  create: async (context, { functionName, ...body }) => {
    await controlOf(context).fc("CreateTrigger", { method: "POST", path: `functions/${functionName}/triggers`, body });
    return `${functionName}:${body.triggerName}`;
  },
  read: async (context, _id, given) => {
    const found = await unlessMissing(() => controlOf(context).fc("GetTrigger", { method: "GET", path: pathOf(given) }));
    return found && { httpTrigger: found.httpTrigger, targetArn: found.targetArn, triggerId: found.triggerId };
  },
  update: async (context, _id, news, olds) => {
    assertKept(["invocationRole"], news, olds);
    const { triggerConfig, invocationRole, description = "" } = news;
    const body = { triggerConfig, invocationRole, description };
    await controlOf(context).fc("UpdateTrigger", { method: "PUT", path: pathOf(news), body });
  },
  delete: (context, _id, given) =>
    ignoreMissing(() => controlOf(context).fc("DeleteTrigger", { method: "DELETE", path: pathOf(given) })),
});

const pathOf = ({ functionName, triggerName }: { functionName: string; triggerName: string }) =>
  `functions/${functionName}/triggers/${triggerName}`;
