/** Settings of a function besides its code and triggers. The id is the function's name. */
import type { AsyncInvokeConfig } from "local-alicloud";
import type { Infer } from "../../schema";
import { compact, sameValue } from "../../values";
import { notOneOf, outsideRange } from "../checks";
import { type AlicloudContext, ignoreMissing, resource, servicesOf } from "../context";

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
  create: async (context, given) => {
    putAsyncConfig(context, given);
    return given.functionName;
  },
  read: async (context, id) => {
    const found = servicesOf(context).fc.getAsyncInvokeConfig(context.region, id);
    return found && { functionArn: functionArn(context, id) };
  },
  // The provider sends only what changed. Whether the service keeps the rest is not documented, so this one replaces the whole config.
  update: async (context, _id, news, olds) => {
    const { functionName, qualifier, ...settings } = news;
    const changed = Object.entries(settings).filter(([name, value]) => !sameValue(value, olds[name as keyof typeof settings]));
    putAsyncConfig(context, { functionName, qualifier, ...Object.fromEntries(changed) });
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).fc.deleteAsyncInvokeConfig(context.region, id)),
});

function putAsyncConfig(context: AlicloudContext, given: Infer<typeof asyncInputs>): void {
  const config: AsyncInvokeConfig = compact({
    maxAsyncRetryAttempts: given.maxAsyncRetryAttempts,
    maxAsyncEventAgeInSeconds: given.maxAsyncEventAgeInSeconds,
    onFailure: given.destinationConfig?.onFailure?.destination,
    onSuccess: given.destinationConfig?.onSuccess?.destination,
  });
  servicesOf(context).fc.putAsyncInvokeConfig(context.region, given.functionName, config);
}

export const v3ConcurrencyConfig = resource({
  token: "alicloud:fc/v3ConcurrencyConfig:V3ConcurrencyConfig",
  inputs: { "functionName!": "string", "reservedConcurrency!": "number" },
  computed: ["functionArn"],
  replaceOn: ["functionName"],
  check: ({ reservedConcurrency }) => outsideRange("reservedConcurrency", reservedConcurrency, 0, 100_000),
  create: async (context, { functionName, reservedConcurrency }) => {
    servicesOf(context).fc.putConcurrency(context.region, functionName, reservedConcurrency);
    return functionName;
  },
  read: async (context, id) => {
    const found = servicesOf(context).fc.getConcurrency(context.region, id);
    return found === undefined ? undefined : { functionArn: functionArn(context, id) };
  },
  update: async (context, id, { reservedConcurrency }) => {
    servicesOf(context).fc.putConcurrency(context.region, id, reservedConcurrency);
  },
  delete: (context, id) => ignoreMissing(() => servicesOf(context).fc.deleteConcurrency(context.region, id)),
});

function functionArn(context: AlicloudContext, functionName: string): string | undefined {
  return servicesOf(context).fc.getFunction(context.region, functionName)?.functionArn;
}
