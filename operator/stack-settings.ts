/** A stack's settings and outputs, from wherever they were read, as what the commands work with. */
import * as z from "zod";
import { type BridgeConfig, parseBridgeConfig } from "../components/config";
import { rawSettings } from "../components/config/raw-settings";
import type { BridgeOutputs } from "./operated-bridge";

const NAMESPACE = "crossborderbridge";

/**
 * @param settings by their names in the stack's file; each a value, or a value as text
 * @throws ConfigInvalid
 */
export function configOf(stack: string, settings: Readonly<Record<string, unknown>>): Omit<BridgeConfig, "token"> {
  // No command needs the secret.
  const { token: _secret, ...raw } = rawSettings(NAMESPACE, settings);
  const { tokenParameter } = (raw.auth ?? {}) as { tokenParameter?: unknown };
  const { token: _token, ...config } = parseBridgeConfig(raw, { stack, tokenIsDeferred: tokenParameter === undefined });
  return config;
}

const text = z.string().min(1);
const outputsSchema = z.object({
  sourceBucket: text,
  destinationBucket: text,
  receiverUrl: text.optional(),
  queueUrl: text.optional(),
  deadLetterQueueUrl: text.optional(),
  senderFunctionName: text.optional(),
  receiverFunctionName: text.optional(),
  copierFunctionName: text.optional(),
  dispatcherFunctionName: text.optional(),
  pusherFunctionName: text.optional(),
  flowName: text.optional(),
  proberFunctionNames: z.object({ source: text, destination: text }).optional(),
  backfillRoleArn: text.optional(),
});

/** @throws Error when the stack exports no bridge */
export function outputsOf(stack: string, outputs: unknown): BridgeOutputs {
  const parsed = outputsSchema.safeParse(outputs);
  // An optional output that is there is never undefined: the schema reads JSON.
  if (parsed.success) return parsed.data as BridgeOutputs;
  const [issue] = parsed.error.issues;
  throw new Error(
    `the stack ${stack} exports no bridge (${issue?.path.join(".")}: ${issue?.message}); deploy it first: pulumi up --stack ${stack}`,
  );
}
