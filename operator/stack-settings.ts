/** Parses a stack's settings and outputs. */
import { type BridgeConfig, parseBridgeConfig } from "../components/config";
import { outputsSchema } from "../components/config/outputs";
import { rawSettings } from "../components/config/raw-settings";
import { UsageError } from "./command";
import type { OperatedOutputs } from "./operated-bridge";
import { quoted } from "./text";

export const NAMESPACE = "crossborderbridge";

/**
 * @param settings by their names in the stack's file; each a value, or a value as JSON text
 * @throws ConfigInvalid
 */
export function configOf(stack: string, settings: Readonly<Record<string, unknown>>): Omit<BridgeConfig, "token"> {
  // No command needs the token.
  const { token: _secret, ...raw } = rawSettings(NAMESPACE, settings);
  const { tokenParameter } = (raw.auth ?? {}) as { tokenParameter?: unknown };
  const { token: _token, ...config } = parseBridgeConfig(raw, { stack, tokenIsDeferred: tokenParameter === undefined });
  return config;
}

const operatedSchema = outputsSchema.omit({ notices: true, estimatedCost: true }).partial({ kmsKeyPolicyStatements: true });

/** @throws Error if the stack exports no bridge */
export function outputsOf(stack: string, outputs: unknown): OperatedOutputs {
  const parsed = operatedSchema.safeParse(outputs);
  if (parsed.success) return parsed.data as OperatedOutputs;
  const [issue] = parsed.error.issues;
  throw new UsageError(
    `the stack ${stack} exports no bridge (${issue?.path.join(".")}: ${issue?.message}); deploy it first: pulumi up --stack ${quoted(stack)}`,
  );
}
