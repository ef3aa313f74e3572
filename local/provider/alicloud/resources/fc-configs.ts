/** Settings of a function besides its code and triggers. The id is the function's name. */
import { type Properties, sameValue } from "../../values";
import { ignoreMissing, unlessMissing } from "../api-failure";
import { notOneOf, outsideRange } from "../checks";
import { type AlicloudContext, controlOf, resource } from "../context";

const asyncInputs = {
  "functionName!": "string",
  qualifier: "string",
  destinationConfig: { onFailure: { "destination!": "string" }, onSuccess: { "destination!": "string" } },
  maxAsyncEventAgeInSeconds: "number",
  maxAsyncRetryAttempts: "number",
} as const;

/** https://www.alibabacloud.com/help/en/functioncompute/fc/developer-reference/api-fc-2023-03-30-struct-putasyncinvokeconfiginput */
export const v3AsyncInvokeConfig = resource({
  token: "alicloud:fc/v3AsyncInvokeConfig:V3AsyncInvokeConfig",
  inputs: asyncInputs,
  computed: ["functionArn"],
  replaceOn: ["functionName"],
  check: function* ({ qualifier, maxAsyncEventAgeInSeconds, maxAsyncRetryAttempts }) {
    yield* notOneOf("qualifier", qualifier, ["LATEST"]);
    // The limit of the provider. Function Compute accepts up to 7 days.
    yield* outsideRange("maxAsyncEventAgeInSeconds", maxAsyncEventAgeInSeconds, 1, 86_400);
    yield* outsideRange("maxAsyncRetryAttempts", maxAsyncRetryAttempts, 0, 8);
  },
  create: async (context, { functionName, qualifier: _, ...settings }) => {
    await putAsyncConfig(context, functionName, settings);
    return functionName;
  },
  read: async (context, id) => {
    const found = await unlessMissing(() =>
      controlOf(context).fc("GetAsyncInvokeConfig", { method: "GET", path: asyncPath(id) }),
    );
    return found && { functionArn: found.functionArn };
  },
  // The provider sends only what changed. Whether the service keeps the rest is not documented; the local one replaces the whole config.
  update: async (context, id, { functionName: _, qualifier: __, ...settings }, olds) => {
    const changed = Object.entries(settings).filter(([name, value]) => !sameValue(value, olds[name as keyof typeof settings]));
    await putAsyncConfig(context, id, Object.fromEntries(changed));
  },
  delete: (context, id) =>
    ignoreMissing(() => controlOf(context).fc("DeleteAsyncInvokeConfig", { method: "DELETE", path: asyncPath(id) })),
});

const asyncPath = (functionName: string) => `functions/${functionName}/async-invoke-config`;

/** The names of the settings are those of the API. */
const putAsyncConfig = (context: AlicloudContext, functionName: string, settings: Properties) =>
  controlOf(context).fc("PutAsyncInvokeConfig", { method: "PUT", path: asyncPath(functionName), body: settings });

export const v3ConcurrencyConfig = resource({
  token: "alicloud:fc/v3ConcurrencyConfig:V3ConcurrencyConfig",
  inputs: { "functionName!": "string", "reservedConcurrency!": "number" },
  computed: ["functionArn"],
  replaceOn: ["functionName"],
  check: ({ reservedConcurrency }) => outsideRange("reservedConcurrency", reservedConcurrency, 0, 100_000),
  create: async (context, { functionName, reservedConcurrency }) => {
    await putConcurrency(context, functionName, reservedConcurrency);
    return functionName;
  },
  read: async (context, id) => {
    const path = concurrencyPath(id);
    const found = await unlessMissing(() => controlOf(context).fc("GetConcurrencyConfig", { method: "GET", path }));
    return found && { functionArn: found.functionArn };
  },
  update: async (context, id, { reservedConcurrency }) => {
    await putConcurrency(context, id, reservedConcurrency);
  },
  delete: (context, id) =>
    ignoreMissing(() => controlOf(context).fc("DeleteConcurrencyConfig", { method: "DELETE", path: concurrencyPath(id) })),
});

const concurrencyPath = (functionName: string) => `functions/${functionName}/concurrency`;

const putConcurrency = (context: AlicloudContext, functionName: string, reservedConcurrency: number) =>
  controlOf(context).fc("PutConcurrencyConfig", {
    ...{ method: "PUT", path: concurrencyPath(functionName), body: { reservedConcurrency } },
  });
